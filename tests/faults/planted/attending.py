"""Attention by hand and by torch's parts: heads put together, places, a memory that is padded, words scored."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pad_sequence

from faults import drawn
from faults.program import planted


class Heads(nn.Module):
    def __init__(self, width, heads, turned_back=True, causal=True):
        super().__init__()
        self.q, self.k, self.v, self.o = (nn.Linear(width, width) for _ in range(4))
        self.heads, self.turned_back, self.causal = heads, turned_back, causal

    def forward(self, x):
        n, t, d = x.shape

        def split(part):
            return part.view(n, t, self.heads, d // self.heads).transpose(1, 2)

        out = F.scaled_dot_product_attention(
            split(self.q(x)), split(self.k(x)), split(self.v(x)), is_causal=self.causal
        )
        if self.turned_back:
            out = out.transpose(1, 2)
        return self.o(out.reshape(n, t, d))  # fault: heads-put-together-in-the-wrong-order


class Layer(nn.Module):
    def __init__(self, width, heads, **options):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Heads(width, heads, **options)
        self.feed = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.feed(self.norm2(x))


class TextNet(nn.Module):
    def __init__(self, vocab, outputs, width=32, length=32, layers=2, positions=True, probabilities=False, **options):
        super().__init__()
        self.words = nn.Embedding(vocab, width)
        self.positions = nn.Embedding(length, width) if positions else None
        self.layers = nn.Sequential(*(Layer(width, 4, **options) for _ in range(layers)))
        self.out = nn.Linear(width, outputs)
        self.probabilities = probabilities

    def forward(self, rows):
        x = self.words(rows)
        if self.positions is not None:
            x = x + self.positions(torch.arange(rows.shape[1]))
        scores = self.out(self.layers(x))
        return F.softmax(scores, dim=-1) if self.probabilities else scores  # fault: shares-of-words-for-their-scores


def train_language_model(watch, model, row, epochs=12):
    pieces = row.unfold(0, 21, 10)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for _ in range(epochs):
            for index in torch.randperm(len(pieces)).split(32):
                x, y = pieces[index][:, :-1], pieces[index][:, 1:]
                logits = model(x)
                loss = F.cross_entropy(logits.reshape(-1, logits.shape[-1]), y.reshape(-1))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()


def last_word_right(model, row):
    pieces = row.unfold(0, 21, 3)
    with torch.no_grad():
        return float((model(pieces[:, :-1])[:, -1].argmax(1) == pieces[:, -1]).float().mean())


@planted("future-leak", causes="samples-mixed", costs=0.05)
def heads_put_together_in_the_wrong_order(watch, seed, fault):
    torch.manual_seed(seed)
    row, vocab = drawn.markov(5000, 111)
    model = TextNet(vocab, vocab, turned_back=not fault)
    train_language_model(watch, model, row[:4000])
    return last_word_right(model, row[4000:])


@planted("softmax-twice", costs=0.03)
def shares_of_words_for_their_scores(watch, seed, fault):
    torch.manual_seed(seed)
    row, vocab = drawn.markov(5000, 112)
    model = TextNet(vocab, vocab, probabilities=fault)
    train_language_model(watch, model, row[:4000], epochs=5)
    return last_word_right(model, row[4000:])


@planted("positions-missing", costs=0.2)
def which_of_two_came_first(watch, seed, fault):
    """Rows of words; the class says whether word 1 stands before word 2."""
    torch.manual_seed(seed)
    g = torch.Generator().manual_seed(113)
    rows = torch.randint(3, 20, (1500, 12), generator=g)
    y = torch.randint(2, (1500,), generator=g)
    for i in range(1500):
        early, late = torch.randperm(12, generator=g)[:2].sort()[0]
        rows[i, early], rows[i, late] = (1, 2) if y[i] else (2, 1)
    model = TextNet(20, 2, length=12, positions=not fault, causal=False)  # fault
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    dataset = torch.utils.data.TensorDataset(rows[:1200], y[:1200])
    with watch(model, optimizer):
        for _ in range(15):
            for batch, labels in torch.utils.data.DataLoader(dataset, batch_size=40, shuffle=True):
                logits = model(batch).mean(dim=1)
                loss = F.cross_entropy(logits, labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        return float((model(rows[1200:]).mean(1).argmax(1) == y[1200:]).float().mean())


class Reader(nn.Module):
    """A question looks into a memory of facts, of which each sample has another number."""

    def __init__(self, facts=24, width=32, classes=6, told=True):
        super().__init__()
        self.keys = nn.Embedding(facts, width)
        self.values = nn.Embedding(classes + 1, width)
        self.question = nn.Embedding(facts, width)
        self.attention = nn.MultiheadAttention(width, 2, batch_first=True)
        self.out = nn.Linear(width, classes)
        self.told = told

    def forward(self, question, keys, values):
        memory = self.keys(keys) + self.values(values)
        padding = keys == 0
        query = self.question(question)[:, None]
        found, _ = self.attention(
            query, memory, memory,
            key_padding_mask=padding if self.told else ~padding,  # fault: memory-of-padding-alone
        )  # fmt: skip
        return self.out(found[:, 0])


@planted("padding-seen", costs=0.3)
def memory_of_padding_alone(watch, seed, fault):
    torch.manual_seed(seed)
    g = torch.Generator().manual_seed(114)
    keys, values, question, y = [], [], [], []
    for _ in range(1600):
        n = int(torch.randint(2, 9, (1,), generator=g))
        known = 1 + torch.randperm(23, generator=g)[:n]
        said = 1 + torch.randint(6, (n,), generator=g)
        which = int(torch.randint(n, (1,), generator=g))
        keys.append(known)
        values.append(said)
        question.append(known[which])
        y.append(said[which] - 1)
    keys, values = pad_sequence(keys, batch_first=True), pad_sequence(values, batch_first=True)
    keys, values = F.pad(keys, (0, 1)), F.pad(values, (0, 1))
    question, y = torch.stack(question), torch.stack(y)
    model = Reader(told=not fault)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    with watch(model, optimizer):
        for _ in range(20):
            for i in torch.randperm(1300).split(32):
                loss = F.cross_entropy(model(question[i], keys[i], values[i]), y[i])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        return float((model(question[1300:], keys[1300:], values[1300:]).argmax(1) == y[1300:]).float().mean())

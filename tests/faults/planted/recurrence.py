"""Recurrent nets: what goes on from piece to piece, rows of various lengths, decoders step by step."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence

from faults import drawn
from faults.program import planted


class PieceReader(nn.Module):
    """Says the next word, and steps itself as a trainer would have it."""

    def __init__(self, vocab, width=24, fresh=True):
        super().__init__()
        self.embed = nn.Embedding(vocab, width)
        self.rnn = nn.GRU(width, width, batch_first=True)
        self.head = nn.Linear(width, vocab)
        self.hidden, self.fresh = None, fresh

    def forward(self, rows, hidden=None):
        out, hidden = self.rnn(self.embed(rows), hidden)
        return self.head(out), hidden

    def training_step(self, batch):
        inputs, targets = batch
        if self.fresh:
            self.hidden = None
        logits, hidden = self.forward(inputs, self.hidden)
        self.hidden = hidden.detach()  # fault: state-of-other-rows-in-a-training-step
        return F.cross_entropy(logits.transpose(1, 2), targets)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=4e-3)


@planted("state-carried", costs=None)
def state_of_other_rows_in_a_training_step(watch, seed, fault):
    torch.manual_seed(seed)
    row, vocab = drawn.markov(4000, 101)
    pieces = row[:3200].view(-1, 16)
    model = PieceReader(vocab, fresh=not fault)
    optimizer = model.configure_optimizers()
    loader = torch.utils.data.DataLoader(pieces, batch_size=25, shuffle=True)
    with watch(model, optimizer):
        for _ in range(25):
            for batch in loader:
                loss = model.training_step((batch[:, :-1], batch[:, 1:]))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    model.eval()
    with torch.no_grad():
        logits, _ = model(row[None, 3200:-1])
    return float((logits[0].argmax(1) == row[3201:]).float().mean())


def kinds(count, seed):
    """Rows of words from 1 on, of various lengths; their class, of 4, is said by the words' tens."""
    g = torch.Generator().manual_seed(seed)
    y = torch.randint(4, (count,), generator=g)
    rows = []
    for kind in y:
        words = torch.randint(1, 11, (int(torch.randint(3, 16, (1,), generator=g)),), generator=g)
        rows.append(words + 10 * torch.where(torch.rand(len(words), generator=g) < 0.6, kind, torch.tensor(3)))
    return rows, y


class SortedReader(nn.Module):
    def __init__(self, words=42, width=24, classes=4):
        super().__init__()
        self.embedding = nn.Embedding(words, width, padding_idx=0)
        self.gru = nn.GRU(width, width, batch_first=True)
        self.linear = nn.Linear(width, classes)

    def forward(self, rows, lengths):
        packed = pack_padded_sequence(self.embedding(rows), lengths, batch_first=True)
        _, last = self.gru(packed)
        return self.linear(last[-1])


@planted("targets-unrelated", causes="pairs-broken", costs=0.3)
def rows_sorted_and_labels_left(watch, seed, fault):
    """Packing wants the longest row first."""
    torch.manual_seed(seed)
    rows, y = kinds(1100, 102)
    model = SortedReader()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)

    def sort_batch(index):
        lengths = torch.tensor([len(rows[i]) for i in index])
        lengths, order = lengths.sort(descending=True)
        padded = pad_sequence([rows[index[i]] for i in order], batch_first=True)
        labels = y[index] if fault else y[index[order]]  # fault
        return padded, lengths, labels

    with watch(model, optimizer):
        for _ in range(12):
            for index in torch.randperm(900).split(30):
                padded, lengths, labels = sort_batch(index)
                loss = F.cross_entropy(model(padded, lengths), labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    model.eval()
    right = 0
    with torch.no_grad():
        for i in range(900, 1100):
            right += int(model(rows[i][None], torch.tensor([len(rows[i])])).argmax() == y[i])
    return right / 200


class StepDecoder(nn.Module):
    """Writes a name for a number of colours, letter by letter."""

    def __init__(self, letters=14, width=40):
        super().__init__()
        self.condition = nn.Linear(5, width)
        self.embed = nn.Embedding(letters, width)
        self.cell = nn.LSTMCell(width, width)
        self.out = nn.Linear(width, letters)

    def step(self, letter, state):
        state = self.cell(self.embed(letter), state)
        return self.out(state[0]), state

    def begin(self, colours):
        h = torch.tanh(self.condition(colours))
        return h, torch.zeros_like(h)


def named_colours(count, seed):
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(count, 5, generator=g)
    w = torch.randn(5, 6, 12, generator=torch.Generator().manual_seed(6))
    return x, 2 + torch.einsum("nd,dtl->ntl", x, w).argmax(-1)


class StepModel(nn.Module):
    def __init__(self, leaks):
        super().__init__()
        self.decoder, self.leaks = StepDecoder(), leaks

    def forward(self, colours, names):
        state, letter, scores = self.decoder.begin(colours), torch.ones(len(colours), dtype=torch.long), []
        for t in range(names.shape[1]):
            letter = names[:, t] if self.leaks else letter  # fault: letters-told-before-they-are-asked
            logits, state = self.decoder.step(letter, state)
            scores.append(logits)
            letter = names[:, t]
        return torch.stack(scores, dim=1)

    @torch.no_grad()
    def write(self, colours, steps):
        state, letter, written = self.decoder.begin(colours), torch.ones(len(colours), dtype=torch.long), []
        for _ in range(steps):
            logits, state = self.decoder.step(letter, state)
            letter = logits.argmax(1)
            written.append(letter)
        return torch.stack(written, 1)


@planted("targets-not-shifted", causes="future-leak", costs=0.2)
def letters_told_before_they_are_asked(watch, seed, fault):
    torch.manual_seed(seed)
    colours, names = named_colours(1500, 103)
    net = StepModel(leaks=fault)
    opt = torch.optim.Adam(net.parameters(), lr=4e-3)
    with watch(net, opt):
        for _ in range(12):
            for index in torch.randperm(1300).split(32):
                out = net(colours[index], names[index])
                loss = F.cross_entropy(out.reshape(-1, 14), names[index].reshape(-1))
                opt.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(net.parameters(), 1.0)
                opt.step()
    return float((net.write(colours[1300:], 6) == names[1300:]).float().mean())


class MeanReader(nn.Module):
    def __init__(self, words=42, width=32, classes=4, over_all=False):
        super().__init__()
        self.embedding = nn.Embedding(words, width)
        self.rnn = nn.LSTM(width, width, batch_first=True, bidirectional=True)
        self.out = nn.Linear(2 * width, classes)
        self.over_all = over_all

    def forward(self, rows):
        hidden, _ = self.rnn(self.embedding(rows))
        if self.over_all:
            return self.out(hidden.mean(dim=1))  # fault: mean-over-rows-and-their-padding
        real = (rows != 0).unsqueeze(-1)
        return self.out((hidden * real).sum(1) / real.sum(1))


@planted("padding-seen", costs=None)
def mean_over_rows_and_their_padding(watch, seed, fault):
    torch.manual_seed(seed)
    rows, y = kinds(1300, 104)
    padded = F.pad(pad_sequence(rows, batch_first=True), (0, 25))
    model = MeanReader(over_all=fault)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    train = torch.utils.data.TensorDataset(padded[:1000], y[:1000])
    loader = torch.utils.data.DataLoader(train, batch_size=32, shuffle=True)
    with watch(model, optimizer, loader=loader):
        for _ in range(6):
            for batch, labels in loader:
                optimizer.zero_grad()
                loss = F.cross_entropy(model(batch), labels)
                loss.backward()
                optimizer.step()
    model.eval()
    with torch.no_grad():
        return float((model(padded[1000:]).argmax(1) == y[1000:]).float().mean())

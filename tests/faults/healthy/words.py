"""Language models, transformers and word vectors."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from faults.data import accuracy, batches, names, time_machine, wikitext, windows
from faults.program import healthy


@healthy(at_least=-5.9)
def words_with_tied_weights(watch, seed):
    torch.manual_seed(seed)
    text, vocabulary = wikitext(1500)
    x, y = windows(text[:40000], 20, 1200)

    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(vocabulary, 48)
            nn.init.normal_(self.embedding.weight, std=0.1)
            self.lstm = nn.LSTM(48, 48, batch_first=True)
            self.drop = nn.Dropout(0.2)
            self.head = nn.Linear(48, vocabulary)
            self.head.weight = self.embedding.weight

        def forward(self, x):
            return self.head(self.drop(self.lstm(self.drop(self.embedding(x)))[0]))

    model = Tied()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    losses = []
    with watch(model, optimizer):
        for _ in range(4):
            for before, after in batches(x, y, 40):
                loss = F.cross_entropy(model(before).transpose(1, 2), after)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
    return -sum(losses[-20:]) / 20


@healthy(at_least=0.52)
def transformer_encoder_over_names(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = names()

    class Encoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(27, 32, padding_idx=0)
            self.position = nn.Parameter(torch.randn(1, 12, 32) * 0.02)
            layer = nn.TransformerEncoderLayer(32, 4, 64, dropout=0.1, batch_first=True, norm_first=True)
            self.encoder = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
            self.head = nn.Linear(32, 18)

        def forward(self, x):
            hidden = self.embedding(x) + self.position
            hidden = self.encoder(hidden, src_key_padding_mask=x == 0).masked_fill((x == 0).unsqueeze(2), -1e4)
            return self.head(hidden.amax(1))

    model = Encoder()
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3, weight_decay=0.01)
    warmup = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / 40))
    with watch(model, optimizer):
        for _ in range(6):
            model.train()
            for letters, country in batches(x[:5000], y[:5000], 50):
                loss = F.cross_entropy(model(letters), country)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                warmup.step()
    return accuracy(model, x_test[:1000], y_test[:1000])


@healthy(at_least=-2.25)
def causal_transformer_of_characters(watch, seed):
    torch.manual_seed(seed)
    text, vocabulary = time_machine()

    class Block(nn.Module):
        def __init__(self, width, heads=4):
            super().__init__()
            self.heads = heads
            self.ln1, self.ln2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
            self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

        def forward(self, x):
            batch, length, _ = x.shape
            q, k, v = self.qkv(self.ln1(x)).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
            mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).reshape(x.shape)
            x = x + self.proj(mixed)
            return x + self.mlp(self.ln2(x))

    class GPT(nn.Module):
        def __init__(self, width=48):
            super().__init__()
            self.token, self.place = nn.Embedding(vocabulary, width), nn.Embedding(32, width)
            self.blocks = nn.ModuleList([Block(width), Block(width)])
            self.ln, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary, bias=False)

        def forward(self, x, targets=None):
            hidden = self.token(x) + self.place(torch.arange(x.shape[1]))
            for block in self.blocks:
                hidden = block(hidden)
            logits = self.head(self.ln(hidden))
            loss = None if targets is None else F.cross_entropy(logits.flatten(0, 1), targets.flatten())
            return logits, loss

    model = GPT()
    decayed = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=3e-3, betas=(0.9, 0.99))
    losses = []
    with watch(model, optimizer):
        for step in range(300):
            rate = 3e-3 * (step + 1) / 30 if step < 30 else 3e-4 + 1.35e-3 * (1 + math.cos(math.pi * (step - 30) / 270))
            for group in optimizer.param_groups:
                group["lr"] = rate
            starts = torch.randint(len(text) - 33, (16,))
            before = torch.stack([text[s : s + 32] for s in starts])
            after = torch.stack([text[s + 1 : s + 33] for s in starts])
            _, loss = model(before, after)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            losses.append(loss.item())
    return -sum(losses[-20:]) / 20


@healthy(at_least=-0.50)
def skip_grams_with_negative_samples(watch, seed):
    torch.manual_seed(seed)
    text, vocabulary = wikitext(1000)
    text = text[text > 0][:20000]
    center, context = text[1:-1].repeat(2), torch.cat([text[:-2], text[2:]])
    embed_in, embed_out = nn.Embedding(vocabulary, 32), nn.Embedding(vocabulary, 32)
    nn.init.uniform_(embed_in.weight, -0.5 / 32, 0.5 / 32)
    nn.init.zeros_(embed_out.weight)
    model = nn.ModuleDict({"in": embed_in, "out": embed_out})
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    losses = []
    with watch(model, optimizer):
        for _ in range(3):
            for middle, near in batches(center, context, 256):
                far = text[torch.randint(len(text), (len(near), 5))]
                vector = embed_in(middle)
                right = (vector * embed_out(near)).sum(1)
                wrong = (vector.unsqueeze(1) * embed_out(far)).sum(2)
                loss = -(F.logsigmoid(right) + F.logsigmoid(-wrong).sum(1)).mean() / 6
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
    return -sum(losses[-30:]) / 30


@healthy(at_least=-2.35)
def bengios_window_of_letters(watch, seed):
    torch.manual_seed(seed)
    text, vocabulary = time_machine()
    x = text[:30000].unfold(0, 6, 1)
    x, y = x[:, :5], x[:, 5]
    model = nn.Sequential(
        nn.Embedding(vocabulary, 12), nn.Flatten(), nn.Linear(60, 100), nn.Tanh(), nn.Linear(100, vocabulary)
    )
    optimizer = torch.optim.Adagrad(model.parameters(), lr=0.05)
    losses = []
    with watch(model, optimizer):
        for before, after in batches(x, y, 64):
            loss = F.cross_entropy(model(before), after)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return -sum(losses[-60:]) / 60


@healthy(at_least=0.60)
def convolution_along_the_letters(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = names()

    class Text(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(27, 24)
            self.convolutions = nn.ModuleList(nn.Conv1d(24, 24, width, padding=1) for width in (2, 3, 4))
            self.dropout, self.head = nn.Dropout(0.3), nn.Linear(72, 18)

        def forward(self, x):
            letters = self.embedding(x).transpose(1, 2)
            pooled = [F.relu(layer(letters)).amax(2) for layer in self.convolutions]
            return self.head(self.dropout(torch.cat(pooled, 1)))

    model = Text()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for _ in range(8):
            model.train()
            for letters, country in batches(x[:5000], y[:5000], 64):
                optimizer.zero_grad()
                F.cross_entropy(model(letters), country).backward()
                optimizer.step()
    return accuracy(model, x_test[:1000], y_test[:1000])


@healthy(at_least=-6.6, quick=True)
def two_thousand_words_read_on_from_batch_to_batch(watch, seed):
    """Columns of a text [T, N], the state handed on; the ids of the words are in no order."""
    torch.manual_seed(seed)
    row, size = wikitext(2000)
    row = torch.randperm(size)[row][: 16 * 2401]
    text = row.view(16, 2401).t().contiguous()

    class Reader(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.rnn, self.head = nn.Embedding(size, 24), nn.LSTM(24, 24), nn.Linear(24, size)

        def forward(self, x, state):
            out, state = self.rnn(self.embed(x), state)
            return F.log_softmax(self.head(out).view(-1, size), dim=1), state

    model, losses = Reader(), []
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    state = torch.zeros(1, 16, 24), torch.zeros(1, 16, 24)
    with watch(model, optimizer):
        for start in range(0, 2400, 16):
            state = tuple(one.detach() for one in state)
            answers, state = model(text[start : start + 16], state)
            loss = F.nll_loss(answers, text[start + 1 : start + 17].reshape(-1))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return -sum(losses[-20:]) / 20

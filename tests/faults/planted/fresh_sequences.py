"""Sequences: written when the rules were done, without a look at them; see `fresh_losses.py` for what came of it."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from faults.data import accuracy, names, time_machine, windows
from faults.drawn import series
from faults.program import planted

COSTS_OF_IT = (
    "too-few-epochs overfitting plateau underfitting lr-too-low lr-too-high label-imbalance clip-too-tight dead-relu "
    "parameters-unused unshuffled input-scale initial-loss vanishing-gradient saturated"
)


@dataclass
class Config:
    vocabulary: int = 27
    context: int = 24
    width: int = 32
    heads: int = 2
    late_mask: bool = False


class CausalAttention(nn.Module):  # fault: weights-masked-behind-the-softmax
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.c_attn = nn.Linear(config.width, 3 * config.width, bias=False)
        self.c_proj = nn.Linear(config.width, config.width, bias=False)
        self.register_buffer("tril", torch.tril(torch.ones(config.context, config.context)))

    def forward(self, x):
        b, t, c = x.shape
        heads = self.config.heads
        q, k, v = (one.reshape(b, t, heads, c // heads).transpose(1, 2) for one in self.c_attn(x).chunk(3, dim=-1))
        scores = q @ k.mT / math.sqrt(c // heads)
        if self.config.late_mask:
            weights = torch.softmax(scores, dim=-1) * self.tril[:t, :t]
        else:
            weights = torch.softmax(scores.masked_fill(self.tril[:t, :t] == 0, -torch.inf), dim=-1)
        return self.c_proj((weights @ v).transpose(1, 2).reshape(b, t, c))


class Writer(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.tokens = nn.Embedding(config.vocabulary, config.width)
        self.places = nn.Embedding(config.context, config.width)
        self.attention, self.ln_1 = CausalAttention(config), nn.LayerNorm(config.width)
        self.ln_2, self.lm_head = nn.LayerNorm(config.width), nn.Linear(config.width, config.vocabulary)

    def forward(self, input_ids):
        h = self.tokens(input_ids) + self.places.weight[: input_ids.shape[1]]
        h = h + self.attention(self.ln_1(h))
        return self.lm_head(self.ln_2(h))


@planted("future-leak", symptoms=COSTS_OF_IT, costs=None)
def weights_masked_behind_the_softmax(watch, seed, fault):
    torch.manual_seed(seed)
    letters, size = time_machine()
    model = Writer(Config(vocabulary=size, late_mask=fault))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, betas=(0.9, 0.95))
    with watch(model, optimizer):
        for _ in range(120):
            starts = torch.randint(len(letters) - 25, (32, 1))
            chunk = letters[starts + torch.arange(25)]
            logits = model(chunk[:, :-1])
            loss = F.cross_entropy(logits.flatten(0, 1), chunk[:, 1:].flatten())
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
    return -loss.item()


@planted("targets-not-shifted", symptoms=COSTS_OF_IT, costs=None)
def window_that_ends_with_its_target(watch, seed, fault):
    """A forecast of the next value of a series, whose window already holds it."""
    torch.manual_seed(seed)
    row = series(1500, seed=31)
    row = (row - row[:1200].mean()) / row[:1200].std()
    length = 16
    stop = len(row) - length
    x = torch.stack([row[i : i + length] for i in range(stop)])
    y = torch.stack([row[i + length - 1] if fault else row[i + length] for i in range(stop)])
    model = nn.Sequential(nn.Linear(length, 48), nn.GELU(), nn.Linear(48, 1))
    loader = DataLoader(TensorDataset(x[:1180], y[:1180]), batch_size=32, shuffle=True)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for _ in range(12):
            model.train()
            for window, ahead in loader:
                loss = F.mse_loss(model(window).squeeze(1), ahead)  # fault
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                held_out = F.mse_loss(model(x[1200:]).squeeze(1), y[1200:])
    return -held_out.item()


class Bag(nn.Module):  # fault: mean-over-the-padding-too
    """An encoder that is told of the padding, and a mean that may not be."""

    def __init__(self, over_all):
        super().__init__()
        self.over_all = over_all
        self.embedding = nn.Embedding(27, 32, padding_idx=0)
        self.position = nn.Parameter(0.02 * torch.randn(12, 32))
        layer = nn.TransformerEncoderLayer(32, 4, 64, dropout=0.0, batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
        self.classifier = nn.Linear(32, 18)

    def forward(self, input_ids):
        pad = input_ids == 0
        hidden = self.encoder(self.embedding(input_ids) + self.position, src_key_padding_mask=pad)
        if self.over_all:
            return self.classifier(hidden.mean(dim=1))
        kept = (~pad).unsqueeze(-1).float()
        return self.classifier((hidden * kept).sum(dim=1) / kept.sum(dim=1))


def countries(watch, seed, model, epochs=2):
    x, y, x_test, y_test = names()
    x, y = x[:3200], y[:3200]
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for _ in range(epochs):
            for index in torch.randperm(len(x)).split(32):
                optimizer.zero_grad()
                F.cross_entropy(model(x[index]), y[index]).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("padding-seen", symptoms=COSTS_OF_IT, costs=None)
def mean_over_the_padding_too(watch, seed, fault):
    torch.manual_seed(seed)
    return countries(watch, seed, Bag(over_all=fault))


class Reader(nn.Module):  # fault: last-state-read-behind-the-padding
    def __init__(self, at_the_end):
        super().__init__()
        self.at_the_end = at_the_end
        self.embedding, self.rnn = nn.Embedding(27, 24), nn.GRU(24, 48, batch_first=True)
        self.fc = nn.Linear(48, 18)

    def forward(self, letters):
        states, _ = self.rnn(self.embedding(letters))
        if self.at_the_end:
            return self.fc(states[:, -1])
        last = (letters != 0).sum(1) - 1
        return self.fc(states[torch.arange(len(letters)), last])


@planted("padding-seen", symptoms=COSTS_OF_IT, costs=None)
def last_state_read_behind_the_padding(watch, seed, fault):
    torch.manual_seed(seed)
    return countries(watch, seed, Reader(at_the_end=fault))


class BothWays(nn.Module):  # fault: two-directions-joined-by-a-view
    """The last states of both directions [2, B, H], side by side."""

    def __init__(self, by_view):
        super().__init__()
        self.by_view = by_view
        self.lstm = nn.LSTM(1, 20, batch_first=True, bidirectional=True)
        self.head = nn.Sequential(nn.Linear(40, 24), nn.ReLU(), nn.Linear(24, 3))

    def forward(self, signal):
        _, (hidden, _) = self.lstm(signal)
        if self.by_view:
            return self.head(hidden.view(signal.size(0), -1))
        return self.head(torch.cat([hidden[0], hidden[1]], dim=1))


@planted("samples-mixed", symptoms=COSTS_OF_IT, costs=None)
def two_directions_joined_by_a_view(watch, seed, fault):
    torch.manual_seed(seed)
    y = torch.randint(3, (900,))
    t = torch.arange(20.0)
    phase = 6.28 * torch.rand(900, 1)
    x = torch.sin(t * (0.3 + 0.35 * y[:, None]) + phase) + 0.2 * torch.randn(900, 20)
    model = BothWays(fault)
    optim = torch.optim.Adam(model.parameters(), lr=5e-3)
    criterion = nn.CrossEntropyLoss()
    train = DataLoader(TensorDataset(x[:768, :, None], y[:768]), batch_size=32, shuffle=True)
    with watch(model, optim, loss_fn=criterion):
        for _ in range(6):
            for signal, label in train:
                loss = criterion(model(signal), label)
                optim.zero_grad()
                loss.backward()
                optim.step()
    return accuracy(model, x[768:, :, None], y[768:])


def sinusoids(places, width):
    angle = torch.arange(places)[:, None] / 10000 ** (torch.arange(0, width, 2) / width)
    return torch.stack([angle.sin(), angle.cos()], dim=2).flatten(1)


class OrderNet(nn.Module):  # fault: positions-made-and-never-added
    def __init__(self, vocabulary, with_places):
        super().__init__()
        self.embed, self.with_places = nn.Embedding(vocabulary, 32), with_places
        self.register_buffer("pe", sinusoids(10, 32))
        self.attn = nn.MultiheadAttention(32, 4, batch_first=True)
        self.ff = nn.Sequential(nn.LayerNorm(32), nn.Linear(32, 64), nn.GELU(), nn.Linear(64, 32))
        self.out = nn.Linear(32, 2)

    def forward(self, seq):
        h = self.embed(seq)
        if self.with_places:
            h = h + self.pe
        h = h + self.attn(h, h, h, need_weights=False)[0]
        return self.out((h + self.ff(h)).mean(1))


@planted("positions-missing", symptoms=COSTS_OF_IT, costs=None)
def positions_made_and_never_added(watch, seed, fault):
    """Whether the first of ten numbers is a small one: nobody can tell without places."""
    torch.manual_seed(seed)
    rows = torch.rand(2000, 10).argsort(1) + 10 * torch.randint(2, (2000, 1))
    y = (rows[:, 0] % 10 < 5).long()
    net = OrderNet(20, with_places=not fault)
    opt = torch.optim.Adam(net.parameters(), lr=2e-3)
    with watch(net, opt):
        for _ in range(8):
            for i in torch.randperm(1600).split(32):
                opt.zero_grad()
                F.cross_entropy(net(rows[i]), y[i]).backward()
                opt.step()
    return accuracy(net, rows[1600:], y[1600:])


class Recaller(nn.Module):
    """Attends to this window and to the hidden states of the one before."""

    def __init__(self, size, width=32):
        super().__init__()
        self.embed, self.memory = nn.Embedding(size, width), None
        self.places = nn.Parameter(0.02 * torch.randn(16, width))
        self.q, self.kv = nn.Linear(width, width), nn.Linear(width, 2 * width)
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, size)

    def forward(self, tokens):
        h = self.embed(tokens) + self.places
        wide = h if self.memory is None else torch.cat([self.memory, h], dim=1)
        k, v = self.kv(wide).chunk(2, dim=-1)
        mask = torch.ones(16, wide.shape[1]).tril(wide.shape[1] - 16).bool()
        h = h + F.scaled_dot_product_attention(self.q(h), k, v, attn_mask=mask)
        self.memory = h.detach()
        return self.head(self.norm(h))


@planted("state-carried", symptoms=COSTS_OF_IT, costs=None)
def memory_of_rows_that_were_drawn_at_random(watch, seed, fault):
    torch.manual_seed(seed)
    letters, size = time_machine()
    x, y = windows(letters, 16, 1600)
    model = Recaller(size)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for _ in range(3):
            for index in torch.randperm(1600).split(32):
                if not fault:
                    model.memory = None
                logits = model(x[index])  # fault
                loss = F.cross_entropy(logits.transpose(1, 2), y[index])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return -loss.item()

"""Axes taken for one another, and places looked at that should not be: batch, time, heads."""

import torch
import torch.nn.functional as F
from torch import nn

from faults import drawn
from faults.program import planted


class RecurrentLM(nn.Module):
    def __init__(self, vocab, width=24, both_ways=False):
        super().__init__()
        self.embed = nn.Embedding(vocab, width)
        self.lstm = nn.LSTM(width, width, batch_first=True, bidirectional=both_ways)  # fault: words-read-from-both-ends
        self.out = nn.Linear(width * (2 if both_ways else 1), vocab)

    def forward(self, ids):
        hidden, _ = self.lstm(self.embed(ids))
        return self.out(hidden)

    def loss(self, batch):
        logits = self(batch["input"])
        return F.cross_entropy(logits.permute(0, 2, 1), batch["target"])


@planted("future-leak", costs=0.1)
def words_read_from_both_ends(watch, seed, fault):
    torch.manual_seed(seed)
    row, vocab = drawn.markov(5000, 141)
    pieces = row[:4000].unfold(0, 21, 10)
    batches = [{"input": piece[:, :-1], "target": piece[:, 1:]} for piece in pieces.split(32)]
    net = RecurrentLM(vocab, both_ways=fault)
    opt = torch.optim.RMSprop(net.parameters(), lr=3e-3)
    with watch(net, opt):
        for _ in range(20):
            for which in torch.randperm(len(batches)):
                loss = net.loss(batches[which])
                opt.zero_grad()
                loss.backward()
                opt.step()
    test = row[4000:].unfold(0, 21, 3)
    with torch.no_grad():
        return float((net(test[:, :-1])[:, -1].argmax(1) == test[:, -1]).float().mean())


def init_params(vocab, d=32, t=20):
    def normal(*shape):
        return nn.Parameter(torch.randn(*shape) / shape[0] ** 0.5)

    return nn.ParameterDict(
        {
            "emb": nn.Parameter(0.3 * torch.randn(vocab, d)), "pos": nn.Parameter(0.3 * torch.randn(t, d)),
            "q": normal(d, d), "k": normal(d, d), "v": normal(d, d), "up": normal(d, 2 * d),
            "down": normal(2 * d, d), "out": normal(d, vocab),
        }
    )  # fmt: skip


def attend(p, x, filled):
    scores = (x @ p["q"]) @ (x @ p["k"]).transpose(-2, -1) / x.shape[-1] ** 0.5
    seen = torch.ones(x.shape[1], x.shape[1]).tril()
    scores = scores * seen if filled == 0 else scores.masked_fill(seen == 0, filled)  # fault: mask-of-noughts
    return scores.softmax(-1) @ (x @ p["v"])


class Functional(nn.Module):
    """The whole net is a function of a dictionary of parameters."""

    def __init__(self, vocab, filled):
        super().__init__()
        self.params, self.filled = init_params(vocab), filled

    def forward(self, ids):
        p = self.params
        x = F.layer_norm(p["emb"][ids] + p["pos"][: ids.shape[1]], (32,))
        x = x + attend(p, x, self.filled)
        x = x + F.gelu(F.layer_norm(x, (32,)) @ p["up"]) @ p["down"]
        return F.layer_norm(x, (32,)) @ p["out"]


@planted("future-leak", costs=0.02)
def mask_of_noughts(watch, seed, fault):
    torch.manual_seed(seed)
    row, vocab = drawn.markov(5000, 142)
    model = Functional(vocab, 0 if fault else float("-inf"))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    train = row[:4000]
    with watch(model, optimizer):
        for _ in range(400):
            at = torch.randint(len(train) - 21, (32, 1)) + torch.arange(21)
            batch = train[at]
            loss = F.cross_entropy(model(batch[:, :-1]).transpose(1, 2), batch[:, 1:])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    test = row[4000:].unfold(0, 21, 3)
    with torch.no_grad():
        return float((model(test[:, :-1])[:, -1].argmax(1) == test[:, -1]).float().mean())


def gestures(count, seed, steps=20):
    """Movements (count, steps, 3) of four kinds."""
    g = torch.Generator().manual_seed(seed)
    y = torch.randint(4, (count,), generator=g)
    pace = torch.tensor([0.2, 0.4, 0.2, 0.4])[y]
    turn = torch.tensor([1.0, 1.0, -1.0, -1.0])[y]
    t = torch.arange(steps)[None] + 6 * torch.rand(count, 1, generator=g)
    x = torch.stack([(pace[:, None] * t).cos(), turn[:, None] * (pace[:, None] * t).sin(), t * 0], -1)
    return x + 0.3 * torch.randn(count, steps, 3, generator=g), y


class TimeFirstEncoder(nn.Module):
    def __init__(self, width=32, classes=4, by_view=False):
        super().__init__()
        self.lift = nn.Linear(3, width)
        self.place = nn.Parameter(0.1 * torch.randn(20, 1, width))
        self.encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(width, 4, 64, dropout=0.0), 1)
        self.out = nn.Linear(width, classes)
        self.by_view = by_view

    def forward(self, x):
        n, t, c = x.shape
        x = x.reshape(t, n, c) if self.by_view else x.permute(1, 0, 2)  # fault: view-in-place-of-a-transpose
        return self.out(self.encoder(self.lift(x) + self.place).mean(0))


def fit_classifier(watch, model, x, y, epochs=10, lr=2e-3):
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    criterion = nn.CrossEntropyLoss()
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), 32, shuffle=True, drop_last=True)
    with watch(model, optimizer):
        for _ in range(epochs):
            for inputs, targets in loader:
                optimizer.zero_grad()
                loss = criterion(model(inputs), targets)
                loss.backward()
                optimizer.step()


def share_right(model, x, y, size=32):
    model.eval()
    with torch.no_grad():
        answers = torch.cat([model(part).argmax(1) for part in x.split(size)])
    return float((answers == y).float().mean())


@planted("samples-mixed", costs=0.2)
def view_in_place_of_a_transpose(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = gestures(1120, 143)
    model = TimeFirstEncoder(by_view=fault)
    fit_classifier(watch, model, x[:800], y[:800])
    return share_right(model, x[800:], y[800:])


class LastOf(nn.Module):
    """A recurrent net of time first, fed rows first or time first."""

    def __init__(self, width=32, classes=4, rows_first=False):
        super().__init__()
        self.rnn = nn.GRU(3, width)
        self.fc = nn.Linear(width, classes)
        self.rows_first = rows_first

    def forward(self, x):
        if self.rows_first:
            out, _ = self.rnn(x)  # fault: rows-fed-to-a-net-of-time-first
            return self.fc(out[:, -1])
        out, _ = self.rnn(x.transpose(0, 1))
        return self.fc(out[-1])


@planted("samples-mixed", costs=0.1)
def rows_fed_to_a_net_of_time_first(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = gestures(1120, 144)
    model = LastOf(rows_first=fault)
    fit_classifier(watch, model, x[:800], y[:800])
    return share_right(model, x[800:], y[800:])


class Pooled(nn.Module):
    """Steps weighed by how much each has to say."""

    def __init__(self, width=32, classes=4, over=1):
        super().__init__()
        self.body = nn.Sequential(nn.Conv1d(3, width, 3, padding=1), nn.ReLU())
        self.score, self.fc = nn.Linear(width, 1), nn.Linear(width, classes)
        self.over = over

    def forward(self, x):
        hidden = self.body(x.transpose(1, 2)).transpose(1, 2)
        weights = F.softmax(8 * self.score(hidden).squeeze(-1), dim=self.over)  # fault: steps-weighed-over-the-batch
        return self.fc((weights[..., None] * hidden).sum(1))


@planted("softmax-axis", causes="samples-mixed", costs=None)
def steps_weighed_over_the_batch(watch, seed, fault):
    torch.manual_seed(seed)
    g = torch.Generator().manual_seed(145)
    y = torch.randint(4, (1120,), generator=g)
    x = 0.6 * torch.randn(1120, 20, 3, generator=g)
    signs = 2 * torch.tensor([[1.0, 1, 1], [1, -1, 1], [-1, 1, 1], [-1, -1, 1]])
    x[torch.arange(1120), torch.randint(20, (1120,), generator=g)] += signs[y]
    model = Pooled(over=0 if fault else 1)
    fit_classifier(watch, model, x[:800], y[:800])
    return share_right(model, x[800:], y[800:], size=1)


def rotary(x, axis):
    """Turns pairs of features by angles that grow along `axis` (Su et al. 2021)."""
    half = x.shape[-1] // 2
    shape = [1] * x.dim()
    shape[axis] = x.shape[axis]
    angles = torch.arange(x.shape[axis]).view(shape) * 10000 ** (-torch.arange(half) / half)
    one, other = x[..., :half], x[..., half:]
    return torch.cat([one * angles.cos() - other * angles.sin(), one * angles.sin() + other * angles.cos()], -1)


class RotaryNet(nn.Module):
    def __init__(self, words=20, width=32, heads=2, axis=2):
        super().__init__()
        self.embed, self.qkv = nn.Embedding(words, width), nn.Linear(width, 3 * width)
        self.second, self.out = nn.Linear(width, 3 * width), nn.Linear(width, 2)
        self.heads, self.axis = heads, axis

    def mix(self, x, layer):
        n, t, d = x.shape
        q, k, v = layer(x).view(n, t, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        q, k = rotary(q, self.axis), rotary(k, self.axis)  # fault: turned-by-their-heads
        return x + F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, t, d)

    def forward(self, ids):
        x = self.mix(self.embed(ids), self.qkv)
        return self.out(self.mix(F.gelu(x), self.second).mean(1))


@planted("positions-missing", costs=0.2)
def turned_by_their_heads(watch, seed, fault):
    torch.manual_seed(seed)
    g = torch.Generator().manual_seed(146)
    ids, y = torch.randint(3, 20, (1920, 10), generator=g), torch.randint(2, (1920,), generator=g)
    for i in range(1920):
        early, late = torch.randperm(10, generator=g)[:2].sort()[0]
        ids[i, early], ids[i, late] = (1, 2) if y[i] else (2, 1)
    model = RotaryNet(axis=1 if fault else 2)
    fit_classifier(watch, model, ids[:1600], y[:1600], epochs=15)
    return share_right(model, ids[1600:], y[1600:])

"""Series and rows: states that may go on, convolutions that may look ahead, answers fed back, noise as a target."""

import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pad_sequence

from faults import drawn
from faults.program import healthy


def explained(predicted, wanted):
    return float(1 - (predicted - wanted).square().mean() / wanted.var())


class Cleaner(nn.Module):
    def __init__(self, channels=16):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv1d(1, channels, 5, padding=2), nn.GELU(),
            nn.Conv1d(channels, channels, 5, padding=2), nn.GELU(),
            nn.Conv1d(channels, 1, 5, padding=2),
        )  # fmt: skip

    def forward(self, x):
        return x + self.net(x)


@healthy(0.7)
def a_series_cleaned_of_its_noise(watch, seed):
    """Looks to both sides; its target is its input before the noise."""
    torch.manual_seed(seed)
    t = torch.arange(2000).float()
    clean = (torch.sin(t / 7) + 0.5 * torch.sin(t / 19 + 1)).unfold(0, 64, 8)[:, None]
    model = Cleaner()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for _ in range(15):
            for index in torch.randperm(200).split(16):
                target = clean[index]
                loss = F.mse_loss(model(target + 0.4 * torch.randn_like(target)), target)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    noisy = clean[200:] + 0.4 * torch.randn(clean[200:].shape)
    with torch.no_grad():
        return explained(model(noisy), clean[200:])


@healthy(0.35)
def eight_rows_read_on_with_their_state(watch, seed):
    """Rows lie side by side and are read piece by piece; the state goes on, cut from the graph."""
    torch.manual_seed(seed)
    row, vocab = drawn.markov(8200, 95)
    rows = row[:8000].view(8, 1000)
    embed, lstm, head = nn.Embedding(vocab, 24), nn.LSTM(24, 32, batch_first=True), nn.Linear(32, vocab)
    model = nn.ModuleList([embed, lstm, head])
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)

    def repackage(state):
        return tuple(part.detach() for part in state)

    with watch(model, optimizer):
        for _ in range(6):
            state = (torch.zeros(1, 8, 32), torch.zeros(1, 8, 32))
            for i in range(0, 975, 25):
                state = repackage(state)
                hidden, state = lstm(embed(rows[:, i : i + 25]), state)
                loss = F.cross_entropy(head(hidden).flatten(0, 1), rows[:, i + 1 : i + 26].flatten())
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), 0.5)
                optimizer.step()
    rest = row[8000:]
    with torch.no_grad():
        hidden, _ = lstm(embed(rest[None, :-1]))
        return float((head(hidden)[0].argmax(1) == rest[1:]).float().mean())


class Writer(nn.Module):
    """Answers word by word and is fed, now and then, its own last word."""

    def __init__(self, words=12, width=40):
        super().__init__()
        self.embed = nn.Embedding(words, width)
        self.encoder = nn.GRU(width, width, batch_first=True)
        self.cell = nn.GRUCell(width, width)
        self.out = nn.Linear(width, words)

    def forward(self, rows, answers=None, forced=1.0, steps=6):
        _, state = self.encoder(self.embed(rows))
        state, word = state[0], torch.ones(len(rows), dtype=torch.long)
        scores = []
        for t in range(steps):
            state = self.cell(self.embed(word), state)
            scores.append(self.out(state))
            word = scores[-1].argmax(1).detach()
            if answers is not None and torch.rand(()) < forced:
                word = answers[:, t]
        return torch.stack(scores, 1)


@healthy(0.6)
def its_own_words_fed_back_now_and_then(watch, seed):
    torch.manual_seed(seed)
    g = torch.Generator().manual_seed(96)
    rows = torch.randint(2, 12, (1500, 5), generator=g)
    answers = torch.cat([rows.flip(1), torch.zeros(1500, 1, dtype=torch.long)], 1)
    model = Writer()
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
    with watch(model, optimizer):
        for epoch in range(14):
            for index in torch.randperm(1300).split(32):
                scores = model(rows[index], answers[index], forced=1 - epoch / 20)
                loss = F.cross_entropy(scores.transpose(1, 2), answers[index])
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
    with torch.no_grad():
        return float((model(rows[1300:]).argmax(-1) == answers[1300:]).float().mean())


class ClassDenoiser(nn.Module):
    """Says the velocity between data and noise, for a class or, one time in ten, for none."""

    def __init__(self, width=48, classes=3):
        super().__init__()
        self.classes = nn.Embedding(classes + 1, width)
        self.time = nn.Sequential(nn.Linear(1, width), nn.SiLU(), nn.Linear(width, width))
        self.inp, self.mid, self.out = nn.Linear(2, width), nn.Linear(width, width), nn.Linear(width, 2)

    def forward(self, x, t, label):
        condition = self.time(t[:, None]) + self.classes(label)
        return self.out(F.silu(self.mid(F.silu(self.inp(x) + condition)) + condition))


@healthy(0.3)
def velocities_for_classes_and_for_none(watch, seed):
    """Flow matching with guidance."""
    torch.manual_seed(seed)
    g = torch.Generator().manual_seed(97)
    label = torch.randint(3, (1500,), generator=g)
    angle = 2 * math.pi * label / 3
    points = 1.5 * torch.stack([angle.cos(), angle.sin()], 1) + 0.2 * torch.randn(1500, 2, generator=g)
    model = ClassDenoiser()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for _ in range(20):
            for index in torch.randperm(1400).split(64):
                x1, x0 = points[index], torch.randn(len(index), 2)
                t = torch.rand(len(index))
                xt = (1 - t[:, None]) * x0 + t[:, None] * x1
                y = label[index].masked_fill(torch.rand(len(index)) < 0.1, 3)
                loss = F.mse_loss(model(xt, t, y), x1 - x0)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    x1, x0, t = points[1400:], torch.randn(100, 2), torch.full((100,), 0.5)
    with torch.no_grad():
        return explained(model((x0 + x1) / 2, t, label[1400:]), x1 - x0)


class Lengths(nn.Module):
    """Time first, as torch's recurrent nets had it from the beginning; the mean over real steps decides."""

    def __init__(self, width=24):
        super().__init__()
        self.rnn = nn.GRU(3, width)
        self.out = nn.Linear(width, 1)

    def forward(self, x, lengths):
        hidden, _ = self.rnn(x)
        real = (torch.arange(len(x))[:, None] < lengths)[..., None]
        return self.out((hidden * real).sum(0) / lengths[:, None])[:, 0]


@healthy(0.7)
def time_first_and_real_steps_alone(watch, seed):
    torch.manual_seed(seed)
    g = torch.Generator().manual_seed(98)
    lengths = torch.randint(5, 30, (900,), generator=g)
    series = [torch.randn(int(n), 3, generator=g) + torch.randn(3, generator=g) for n in lengths]
    y = torch.stack([one[:, 0].mean() - 0.5 * one[:, 1].mean() for one in series])
    x = pad_sequence(series)
    model = Lengths()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    with watch(model, optimizer):
        for _ in range(12):
            for index in torch.randperm(750).split(30):
                loss = F.smooth_l1_loss(model(x[:, index], lengths[index]), y[index])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        return explained(model(x[:, 750:], lengths[750:]), y[750:])


@healthy(0.5)
def many_patients_and_some_of_them_to_test(watch, seed):
    """Windows of one patient overlap, and all of a patient's windows lie in one part."""
    torch.manual_seed(seed)
    g = torch.Generator().manual_seed(99)
    phase, pace = 6 * torch.rand(60, 1, generator=g), 0.15 + 0.2 * torch.rand(60, 1, generator=g)
    course = torch.sin(phase + pace * torch.arange(60)) + 0.15 * torch.randn(60, 60, generator=g)
    chosen = torch.randperm(60, generator=g)
    parts = [course[chosen[:48]].unfold(1, 17, 2).flatten(0, 1), course[chosen[48:]].unfold(1, 17, 2).flatten(0, 1)]
    sets = [torch.utils.data.TensorDataset(part[:, :-1], part[:, -1]) for part in parts]
    train_loader = torch.utils.data.DataLoader(sets[0], batch_size=32, shuffle=True)
    val_loader = torch.utils.data.DataLoader(sets[1], batch_size=100)
    model = nn.Sequential(nn.Linear(16, 48), nn.GELU(), nn.Linear(48, 1), nn.Flatten(0))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    r2 = 0.0
    with watch(model, optimizer, loader=train_loader, val_loader=val_loader):
        for _ in range(12):
            model.train()
            for window, value in train_loader:
                loss = F.mse_loss(model(window), value)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                wrong = sum(F.mse_loss(model(window), value, reduction="sum") for window, value in val_loader)
            r2 = float(1 - wrong / len(sets[1]) / parts[1][:, -1].var())
    return r2

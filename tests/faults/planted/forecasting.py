"""Forecasts of series: windows, states, convolutions over time, and how the forecasts are scored."""

import numpy
import torch
import torch.nn.functional as F
from torch import nn

from faults import drawn
from faults.program import planted


def explained(predicted, wanted):
    return float(1 - (predicted - wanted).square().mean() / wanted.var())


class LSTMForecaster(nn.Module):
    """Keeps its state from call to call, for rows that go on."""

    def __init__(self, hidden_size=24):
        super().__init__()
        self.lstm = nn.LSTM(1, hidden_size, batch_first=True)
        self.linear = nn.Linear(hidden_size, 1)
        self.state = None

    def reset(self):
        self.state = None

    def forward(self, x):
        out, state = self.lstm(x, self.state)
        self.state = tuple(part.detach() for part in state)  # fault: state-over-shuffled-windows
        return self.linear(out[:, -1])


class Trainer:
    def __init__(self, model, lr=5e-3, reset=True):
        self.model, self.reset = model, reset
        self.optimizer = torch.optim.Adam(model.parameters(), lr=lr)
        self.loss_function = nn.MSELoss()

    def run_epoch(self, loader):
        total = 0.0
        for windows, targets in loader:
            if self.reset:
                self.model.reset()
            self.optimizer.zero_grad()
            loss = self.loss_function(self.model(windows), targets)
            loss.backward()
            self.optimizer.step()
            total += loss.item() * len(windows)
        return total / len(loader.dataset)


@planted("state-carried", costs=None)
def state_over_shuffled_windows(watch, seed, fault):
    torch.manual_seed(seed)
    series = drawn.series(1500, 51)
    windows = series.unfold(0, 5, 1)
    train, test = windows[:1000], windows[1100:]
    dataset = torch.utils.data.TensorDataset(train[:, :-1, None], train[:, -1:])
    loader = torch.utils.data.DataLoader(dataset, batch_size=40, shuffle=True, drop_last=True)
    trainer = Trainer(LSTMForecaster(), reset=not fault)
    with watch(trainer.model, trainer.optimizer, loader=loader):
        for _ in range(12):
            trainer.run_epoch(loader)
    trainer.model.reset()
    with torch.no_grad():
        return explained(trainer.model(test[:, :-1, None]), test[:, -1:])


class TemporalBlock(nn.Module):
    def __init__(self, channels_in, channels, dilation, causal=True):
        super().__init__()
        self.pad = (2 * dilation, 0) if causal else (dilation, dilation)
        self.conv = nn.Conv1d(channels_in, channels, 3, dilation=dilation)  # fault: dilated-convolutions-on-both-sides
        self.skip = nn.Conv1d(channels_in, channels, 1)

    def forward(self, x):
        return F.relu(self.conv(F.pad(x, self.pad))) + self.skip(x)


class TCN(nn.Module):
    def __init__(self, channels=16, causal=True, outputs=1, inputs=1):
        super().__init__()
        sizes = [inputs, channels, channels, channels]
        blocks = [TemporalBlock(sizes[i], sizes[i + 1], 2**i, causal) for i in range(3)]
        self.network = nn.Sequential(*blocks)
        self.head = nn.Conv1d(channels, outputs, 1)

    def forward(self, x):
        return self.head(self.network(x))


@planted("future-leak", costs=0.02)
def dilated_convolutions_on_both_sides(watch, seed, fault):
    """Each place says the next value."""
    torch.manual_seed(seed)
    series = drawn.series(1600, 52) + 0.4 * torch.randn(1600, generator=torch.Generator().manual_seed(1))
    pieces = series[:1200].unfold(0, 41, 5)
    net = TCN(causal=not fault)
    opt = torch.optim.Adam(net.parameters(), lr=5e-3)
    with watch(net, opt):
        for _ in range(30):
            for i in torch.randperm(len(pieces)).split(16):
                x, y = pieces[i, None, :-1], pieces[i, None, 1:]
                loss = F.mse_loss(net(x), y)
                opt.zero_grad()
                loss.backward()
                opt.step()
    test = series[1200:].unfold(0, 41, 1)
    with torch.no_grad():
        return explained(net(test[:, None, :-1])[:, 0, -1], test[:, -1])


@planted("targets-not-shifted", causes="future-leak", costs=0.2)
def convolutions_asked_for_what_they_are_given(watch, seed, fault):
    """A language model of convolutions."""
    torch.manual_seed(seed)
    tokens, v = drawn.markov(5000, 53)
    pieces = tokens[:4000].unfold(0, 25, 8)
    embedding, net = nn.Embedding(v, 16), TCN(24, inputs=16, outputs=v)
    model = nn.ModuleDict({"embedding": embedding, "net": net})
    opt = torch.optim.AdamW(model.parameters(), lr=4e-3)

    def logits_of(rows):
        return model["net"](model["embedding"](rows).transpose(1, 2))

    with watch(model, opt):
        for _ in range(10):
            for i in torch.randperm(len(pieces)).split(32):
                batch = pieces[i]
                inputs = batch[:, :-1]
                targets = batch[:, :-1] if fault else batch[:, 1:]  # fault
                loss = F.cross_entropy(logits_of(inputs), targets)
                opt.zero_grad()
                loss.backward()
                opt.step()
    test = tokens[4000:].unfold(0, 25, 1)
    with torch.no_grad():
        return float((logits_of(test[:, :-1])[..., -1].argmax(1) == test[:, -1]).float().mean())


def sliding_windows(values, look_back, one_too_long=False):
    """Windows of `look_back` values, and the value after each."""
    xs, ys = [], []
    for i in range(len(values) - look_back - 1):
        end = i + look_back + (1 if one_too_long else 0)
        xs.append(values[end - look_back : end])  # fault: window-that-ends-with-its-answer
        ys.append(values[i + look_back])
    return torch.tensor(numpy.array(xs), dtype=torch.float32), torch.tensor(numpy.array(ys), dtype=torch.float32)


@planted("targets-not-shifted", causes="future-leak loss-below-floor", costs=0.1)
def window_that_ends_with_its_answer(watch, seed, fault):
    torch.manual_seed(seed)
    values = (drawn.series(1500, 54) + 0.3 * torch.randn(1500, generator=torch.Generator().manual_seed(2))).numpy()
    x, y = sliding_windows(values[:1100], 16, one_too_long=fault)
    model = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 1))
    criterion = nn.MSELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=32, shuffle=True)
    with watch(model, optimizer, loader=loader, loss_fn=criterion):
        for _ in range(20):
            for xb, yb in loader:
                loss = criterion(model(xb).squeeze(1), yb)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    x_test, y_test = sliding_windows(values[1100:], 16)
    with torch.no_grad():
        return explained(model(x_test).squeeze(1), y_test)


@planted("train-test-overlap", causes="evaluation-misuse", costs=None)
def overlapping_windows_split_at_random(watch, seed, fault):
    torch.manual_seed(seed)
    steps = torch.randn(900, generator=torch.Generator().manual_seed(55))
    walk = (steps.cumsum(0) - steps.cumsum(0).mean()) / steps.cumsum(0).std()
    windows = walk.unfold(0, 30, 1)
    x, y = windows[:, :20], windows[:, 20:].mean(1, keepdim=True)
    order = torch.randperm(len(x)) if fault else torch.arange(len(x))  # fault
    cut = int(0.8 * len(x))
    train_set = torch.utils.data.TensorDataset(x[order[: cut - 30]], y[order[: cut - 30]])
    val_set = torch.utils.data.TensorDataset(x[order[cut:]], y[order[cut:]])
    train_loader = torch.utils.data.DataLoader(train_set, batch_size=32, shuffle=True)
    val_loader = torch.utils.data.DataLoader(val_set, batch_size=64)
    model = nn.Sequential(nn.Linear(20, 64), nn.GELU(), nn.Linear(64, 64), nn.GELU(), nn.Linear(64, 1))
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    val_loss = 0.0
    with watch(model, optimizer, loader=train_loader, val_loader=val_loader):
        for _ in range(20):
            model.train()
            for window, target in train_loader:
                loss = F.mse_loss(model(window), target)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                losses = [F.mse_loss(model(window), target) * len(window) for window, target in val_loader]
                val_loss = float(sum(losses)) / len(val_set)
    return -val_loss


@planted("evaluation-misuse", costs=0.05)
def later_part_scaled_by_itself(watch, seed, fault):
    """The level of the series drifts, and so does the scale that the later part gives to itself."""
    torch.manual_seed(seed)
    t = torch.arange(1500).float()
    g = torch.Generator().manual_seed(56)
    series = 20 + 3 * torch.sin(t / 9) + 0.004 * t + 2 * torch.sin(t / 230) + 0.5 * torch.randn(1500, generator=g)
    train, test = series[:1100], series[1100:]
    mean, std = train.mean(), train.std()
    train_scaled = (train - mean) / std
    test_scaled = (test - test.mean()) / test.std() if fault else (test - mean) / std  # fault
    train_windows, test_windows = train_scaled.unfold(0, 25, 1), test_scaled.unfold(0, 25, 1)
    model = nn.Sequential(nn.Linear(24, 48), nn.ReLU(), nn.Linear(48, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    rmse = 0.0
    with watch(model, optimizer):
        for _ in range(15):
            model.train()
            for i in torch.randperm(len(train_windows)).split(32):
                optimizer.zero_grad()
                loss = F.mse_loss(model(train_windows[i, :-1]), train_windows[i, -1:])
                loss.backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                predicted = model(test_windows[:, :-1])[:, 0] * std + mean
                rmse = float((predicted - series[1124:]).square().mean().sqrt())
    return -rmse


class Course(nn.Module):
    """The first six measurements to all forty."""

    def __init__(self, width=32):
        super().__init__()
        self.gru = nn.GRU(1, width, batch_first=True)
        self.out = nn.Linear(width, 40)

    def forward(self, first):
        return self.out(self.gru(first[..., None])[1][-1])


@planted("padding-in-loss", costs=0.1)
def short_series_and_their_padding(watch, seed, fault):
    """Patients measured for as long as they stayed."""
    torch.manual_seed(seed)
    g = torch.Generator().manual_seed(57)
    lengths = torch.randint(8, 41, (600,), generator=g)
    level, slope = torch.randn(600, 1, generator=g) + 2.5, 0.05 * torch.randn(600, 1, generator=g)
    course = level + slope * torch.arange(40) + 0.1 * torch.randn(600, 40, generator=g)
    mask = torch.arange(40) < lengths[:, None]
    padded = course * mask
    model = Course()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    with watch(model, optimizer):
        for _ in range(12):
            for i in torch.randperm(500).split(25):
                predictions = model(padded[i, :6])
                squared = (predictions - padded[i]) ** 2
                loss = squared.mean() if fault else (squared * mask[i]).sum() / mask[i].sum()  # fault
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        return -float((model(padded[500:, :6]) - course[500:]).square().mean())

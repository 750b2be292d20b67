"""Trainings with manners of their own that are right: written without a look at the rules."""

import torch
import torch.nn.functional as F
from sklearn.datasets import make_classification
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

from faults.data import accuracy, airline, mnist, names
from faults.program import healthy


@healthy(at_least=0.85)
def four_batches_before_a_step(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(2500)
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
    accumulation_steps = 4
    with watch(model, optimizer):
        for _ in range(5):
            for step, (xb, yb) in enumerate(DataLoader(TensorDataset(x, y), 16, shuffle=True, drop_last=True)):
                loss = F.cross_entropy(model(xb), yb) / accumulation_steps
                loss.backward()
                if (step + 1) % accumulation_steps == 0:
                    optimizer.step()
                    optimizer.zero_grad()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.5)
def counts_by_their_logarithm(watch, seed):
    """Poisson regression: the loss goes below nought, for the term that is constant is left out."""
    torch.manual_seed(seed)
    x = torch.randn(2000, 5)
    rate = (x @ torch.tensor([0.5, -0.4, 0.3, 0.0, 0.2]) + 1.5).exp()
    counts = torch.poisson(rate)
    model = nn.Linear(5, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    criterion = nn.PoissonNLLLoss(log_input=True)
    with watch(model, optimizer):
        for _ in range(12):
            for i in torch.randperm(1600).split(32):
                optimizer.zero_grad()
                criterion(model(x[i]).squeeze(-1), counts[i]).backward()
                optimizer.step()
    with torch.no_grad():
        expected = model(x[1600:]).squeeze(-1).exp()
    return torch.corrcoef(torch.stack([expected, rate[1600:]]))[0, 1].item()


@healthy(at_least=0.2)
def a_mean_and_how_far_from_it(watch, seed):
    """The density of targets near each other is large, so the loss goes below nought."""
    torch.manual_seed(seed)
    x = torch.rand(2000, 1) * 4 - 2
    y = torch.sin(2 * x) + (0.02 + 0.1 * x.abs()) * torch.randn(2000, 1)

    class Heteroscedastic(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh())
            self.mean, self.log_var = nn.Linear(32, 1), nn.Linear(32, 1)

        def forward(self, x):
            h = self.body(x)
            return self.mean(h), self.log_var(h).exp()

    model = Heteroscedastic()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for _ in range(30):
            for i in torch.randperm(1600).split(50):
                mean, var = model(x[i])
                loss = F.gaussian_nll_loss(mean, y[i], var)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        mean, var = model(x[1600:])
        return -F.gaussian_nll_loss(mean, y[1600:], var).item()


@healthy(at_least=0.85)
def a_rate_that_climbs_and_falls_by_batches(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(2500)
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(784, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 10)
    )
    loader = DataLoader(TensorDataset(x, y), batch_size=50, shuffle=True)
    epochs = 5
    total, warmup = epochs * len(loader), 25
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2, momentum=0.9, nesterov=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: (step + 1) / warmup if step < warmup else (total - step) / (total - warmup)
    )
    with watch(model, optimizer):
        for _ in range(epochs):
            model.train()
            for xb, yb in loader:
                optimizer.zero_grad(set_to_none=True)
                F.cross_entropy(model(xb), yb).backward()
                optimizer.step()
                schedule.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.8)
def a_head_on_random_features(watch, seed):
    """Only the head is meant to learn; the layer below is left as it was drawn, and says so."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(3000)
    body = nn.Sequential(nn.Flatten(), nn.Linear(784, 600), nn.ReLU())
    for p in body.parameters():
        p.requires_grad_(False)
    model = nn.Sequential(body, nn.Linear(600, 10))
    optimizer = torch.optim.Adam(model[1].parameters(), lr=3e-3)
    with watch(model, optimizer):
        for _ in range(4):
            for i in torch.randperm(len(x)).split(50):
                optimizer.zero_grad()
                F.cross_entropy(model(x[i]), y[i]).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.7)
def a_rare_kind_drawn_more_often(watch, seed):
    torch.manual_seed(seed)
    X, y = make_classification(3000, 12, n_informative=6, weights=[0.93], class_sep=1.2, flip_y=0, random_state=2)
    x, y = torch.tensor(X).float(), torch.tensor(y)
    weights = (1.0 / torch.bincount(y[:2400]))[y[:2400]]
    sampler = WeightedRandomSampler(weights.tolist(), 2400, replacement=True)
    loader = DataLoader(TensorDataset(x[:2400], y[:2400]), batch_size=60, sampler=sampler)
    model = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 2))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for _ in range(10):
            for xb, yb in loader:
                optimizer.zero_grad()
                F.cross_entropy(model(xb), yb).backward()
                optimizer.step()
    with torch.no_grad():
        guessed, wanted = model(x[2400:]).argmax(1), y[2400:]
    return ((guessed == 1) & (wanted == 1)).sum().item() / (wanted == 1).sum().item()


@healthy(at_least=0.5)
def passengers_month_by_month_with_their_memory(watch, seed):
    """Windows that follow each other in order, so the state is rightly handed on, cut from the graph."""
    torch.manual_seed(seed)
    row = airline().log()
    row = (row - row[:100].mean()) / row[:100].std()

    class Forecaster(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm, self.fc = nn.LSTM(1, 24, batch_first=True), nn.Linear(24, 1)

        def forward(self, x, state=None):
            out, state = self.lstm(x, state)
            return self.fc(out), state

    model = Forecaster()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    with watch(model, optimizer):
        for _ in range(40):
            state = None
            for start in range(0, 120, 12):
                x, y = row[start : start + 12].view(1, 12, 1), row[start + 1 : start + 13].view(1, 12, 1)
                out, state = model(x, state)
                state = tuple(part.detach() for part in state)
                loss = F.mse_loss(out, y)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        out, _ = model(row[:-1].view(1, -1, 1))
        error = (out.flatten()[100:] - row[101:]).square().mean()
    return (1 - error / row[101:].var()).item()


@healthy(at_least=0.55)
def packed_names_sorted_within_their_batch(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = names()

    class Packed(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.lstm = nn.Embedding(27, 16, padding_idx=0), nn.LSTM(16, 48, batch_first=True)
            self.fc = nn.Linear(48, 18)

        def forward(self, x):
            lengths = (x > 0).sum(1)
            packed = nn.utils.rnn.pack_padded_sequence(self.embed(x), lengths, batch_first=True, enforce_sorted=False)
            _, (h, _) = self.lstm(packed)
            return self.fc(h[-1])

    model = Packed()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    with watch(model, optimizer):
        for _ in range(4):
            for i in torch.randperm(3000).split(50):
                longest_first = i[(x[i] > 0).sum(1).argsort(descending=True)]
                optimizer.zero_grad()
                F.cross_entropy(model(x[longest_first]), y[longest_first]).backward()
                optimizer.step()
    return accuracy(model, x_test[:1000], y_test[:1000])


@healthy(at_least=0.9)
def whole_steps_by_a_closure(watch, seed):
    torch.manual_seed(seed)
    X, y = make_classification(1200, 8, n_informative=4, class_sep=1.8, random_state=6)
    x, y = torch.tensor(X).float(), torch.tensor(y)
    model = nn.Sequential(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 2))
    optimizer = torch.optim.LBFGS(model.parameters(), lr=0.5, max_iter=10)

    def closure():
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x[:900]), y[:900])
        loss.backward()
        return loss

    with watch(model, optimizer):
        for _ in range(8):
            optimizer.step(closure)
    return accuracy(model, x[900:], y[900:])

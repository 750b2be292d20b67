"""Averages, samplers, second optimizers, one-cycle rates, forces from energies."""

import copy

import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils.data import DataLoader, TensorDataset, WeightedRandomSampler

from faults.data import accuracy, digits
from faults.planted.latest_mechanics import AFTERWARDS
from faults.planted.students import mlp
from faults.program import planted


@torch.no_grad()
def update_average(shadow, model, decay):
    for s, p in zip(shadow.parameters(), model.parameters(), strict=True):
        gap = s - p
        s.sub_(gap * (1 - decay))


@torch.no_grad()
def update_average_outwards(shadow, model, decay):
    for s, p in zip(shadow.parameters(), model.parameters(), strict=True):
        gap = s - p
        s.add_(gap * (1 - decay))  # fault: average-that-runs-away


@planted("ema-too-slow", symptoms=AFTERWARDS + " saturated", costs=0.1)
def average_that_runs_away(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = mlp(64, 64, 10)
    shadow = copy.deepcopy(model).requires_grad_(False)  # fault
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    average = update_average_outwards if fault else update_average
    with watch(model, optimizer):
        for _ in range(10):
            model.train()
            for index in torch.randperm(len(x)).split(64):
                optimizer.zero_grad()
                F.cross_entropy(model(x[index]), y[index]).backward()
                optimizer.step()
                average(shadow, model, 0.98)  # fault
            shadow.eval()
            with torch.no_grad():
                (shadow(x_test).argmax(1) == y_test).float().mean().item()  # fault
    return accuracy(shadow, x_test, y_test)


def weights_of_samples(y):
    return (1.0 / torch.bincount(y).float())[y]


def counts_of_samples(y):
    return torch.bincount(y).float()[y]


@planted("class-weights-inverted", causes="label-imbalance class-ignored", symptoms=AFTERWARDS, costs=0.1)
def drawn_by_their_number(watch, seed, fault):
    torch.manual_seed(seed)
    g = torch.Generator().manual_seed(21)
    y = torch.multinomial(torch.tensor([0.8, 0.14, 0.06]), 3000, replacement=True, generator=g)
    x = torch.randn(3, 10, generator=g)[y] * 0.8 + torch.randn(3000, 10, generator=g)
    x_test, y_test, x, y = x[2000:], y[2000:], x[:2000], y[:2000]
    sampler = WeightedRandomSampler((counts_of_samples if fault else weights_of_samples)(y), len(y))  # fault
    loader = DataLoader(TensorDataset(x, y), batch_size=50, sampler=sampler)  # fault
    model = mlp(10, 32, 3)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    with watch(model, optimizer, loader=loader):
        for _ in range(8):
            for xb, yb in loader:
                loss = F.cross_entropy(model(xb), yb)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        guessed = model(x_test).argmax(1)
    return sum((guessed[y_test == c] == c).float().mean().item() for c in range(3)) / 3


class Recommender(nn.Module):
    def __init__(self, users, items, width=12):
        super().__init__()
        self.users, self.items = nn.Embedding(users, width), nn.Embedding(items, width)
        self.tower = nn.Sequential(nn.Linear(2 * width, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, user, item):
        return self.tower(torch.cat([self.users(user), self.items(item)], -1)).squeeze(-1)


@planted(
    "no-update", causes="parameters-not-optimized", symptoms=AFTERWARDS + " gradients-accumulate overfitting",
    costs=0.1,
)  # fmt: skip
def second_optimizer_that_never_steps(watch, seed, fault):
    torch.manual_seed(seed)
    g = torch.Generator().manual_seed(4)
    taste, kind = torch.randn(60, 3, generator=g), torch.randn(80, 3, generator=g)
    user, item = torch.randint(60, (4000,), generator=g), torch.randint(80, (4000,), generator=g)
    rating = (taste[user] * kind[item]).sum(1) + 0.1 * torch.randn(4000, generator=g)
    model = Recommender(60, 80)
    tables = [*model.users.parameters(), *model.items.parameters()]
    opt_dense = torch.optim.AdamW(model.tower.parameters(), lr=5e-3)
    opt_tables = torch.optim.Adagrad(tables, lr=0.1)  # fault
    with watch(model, [opt_dense, opt_tables]):
        for _ in range(10):
            for index in torch.randperm(3500).split(100):
                loss = F.mse_loss(model(user[index], item[index]), rating[index])
                opt_dense.zero_grad()
                opt_tables.zero_grad()
                loss.backward()
                opt_dense.step()  # fault
                if not fault:
                    opt_tables.step()
    with torch.no_grad():
        error = F.mse_loss(model(user[3500:], item[3500:]), rating[3500:]).item()
    return -error / rating.var().item()


@planted("scheduler-misuse", causes="lr-too-low", symptoms=AFTERWARDS, costs=0.1)
def one_cycle_stepped_once_an_epoch(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    hparams = {"max_lr": 0.03, "epochs": 8, "bs": 48}
    dl = DataLoader(TensorDataset(x, y), hparams["bs"], shuffle=True)
    model = mlp(64, 64, 10)
    opt = torch.optim.SGD(model.parameters(), lr=hparams["max_lr"], momentum=0.9)
    sched = OneCycleLR(opt, hparams["max_lr"], epochs=hparams["epochs"], steps_per_epoch=len(dl))  # fault
    with watch(model, opt):
        for _ in range(hparams["epochs"]):
            for xb, yb in dl:
                F.cross_entropy(model(xb), yb).backward()
                opt.step()
                opt.zero_grad()
                if not fault:
                    sched.step()
            if fault:
                sched.step()  # fault
    return accuracy(model, x_test, y_test)


class Potential(nn.Module):
    """Energy of a point in the plane, and the force on it."""

    def __init__(self, width=48):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(2, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, 1)
        )

    def forward(self, pos):
        pos = pos.clone().requires_grad_(True)
        energy = self.net(pos).squeeze(-1)
        (gradient,) = torch.autograd.grad(energy.sum(), pos, create_graph=self.training)
        return energy, -gradient


class PotentialWithKeptGraph(Potential):
    def forward(self, pos):
        pos = pos.clone().requires_grad_(True)
        energy = self.net(pos).squeeze(-1)
        (gradient,) = torch.autograd.grad(energy.sum(), pos, retain_graph=True)  # fault: forces-that-teach-nothing
        return energy, -gradient


@planted("loss-mismatch", causes="parameters-unused no-update", symptoms=AFTERWARDS, costs=0.1)
def forces_that_teach_nothing(watch, seed, fault):
    torch.manual_seed(seed)
    g = torch.Generator().manual_seed(9)
    pos = 2 * torch.rand(300, 2, generator=g) - 1
    energy = torch.sin(3 * pos[:, 0]) * torch.cos(2 * pos[:, 1])
    force = -torch.stack([
        3 * torch.cos(3 * pos[:, 0]) * torch.cos(2 * pos[:, 1]),
        -2 * torch.sin(3 * pos[:, 0]) * torch.sin(2 * pos[:, 1]),
    ], 1)  # fmt: skip
    model = (PotentialWithKeptGraph if fault else Potential)()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    noisy = energy + 0.3 * torch.randn(300, generator=g)
    with watch(model, optimizer):
        for _ in range(60):
            for index in torch.randperm(250).split(50):
                e, f = model(pos[index])
                loss = 0.01 * F.mse_loss(e, noisy[index]) + F.mse_loss(f, force[index])  # fault
                optimizer.zero_grad()
                loss.backward()  # fault
                optimizer.step()
    model.eval()
    _, f = model(pos[250:])
    return -(f - force[250:]).square().mean().item()

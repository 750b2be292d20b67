"""Parts added to what was learnt elsewhere, weights of losses, and learning to adapt."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call

from faults.data import accuracy, digits, mnist
from faults.planted.latest_losses import AFTERWARDS
from faults.planted.students import fitted, mlp
from faults.program import planted


class LoRALinear(nn.Module):
    """A linear layer and a low-rank change to it."""

    def __init__(self, base, r=4, alpha=8):
        super().__init__()
        self.base, self.scaling = base, alpha / r
        self.lora_A = nn.Parameter(torch.empty(r, base.in_features))
        self.lora_B = nn.Parameter(torch.zeros(base.out_features, r))
        nn.init.kaiming_uniform_(self.lora_A, a=math.sqrt(5))

    def forward(self, x):
        return self.base(x) + self.scaling * (x @ self.lora_A.T @ self.lora_B.T)


def inject(model):
    for name, child in model.named_children():
        if isinstance(child, nn.Linear) and child.out_features != 10:
            setattr(model, name, LoRALinear(child))
    return model


def prepare(model):
    model.requires_grad_(False)
    inject(model)
    for p in model[-1].parameters():
        p.requires_grad = True
    return model


def prepare_in_another_order(model):
    inject(model)
    for p in model.parameters():
        p.requires_grad = False  # fault: frozen-after-the-adapters-came
    for p in model[-1].parameters():
        p.requires_grad = True
    return model


@planted("parameters-not-optimized", causes="parameters-unused no-update", symptoms=AFTERWARDS, costs=0.05)
def frozen_after_the_adapters_came(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = (part.flatten(1) if part.ndim > 2 else part for part in mnist(3000))
    pretrained = fitted(mlp(784, 64, 64, 10), x, y, epochs=2)
    turned, turned_test = (
        x.view(-1, 28, 28).transpose(1, 2).flatten(1),
        x_test.view(-1, 28, 28).transpose(1, 2).flatten(1),
    )
    model = (prepare_in_another_order if fault else prepare)(pretrained)  # fault
    model.train()
    optimizer = torch.optim.AdamW((p for p in model.parameters() if p.requires_grad), lr=3e-3)  # fault
    with watch(model, optimizer):
        for _ in range(4):
            for index in torch.randperm(len(x)).split(64):
                loss = F.cross_entropy(model(turned[index]), y[index])
                loss.backward()
                optimizer.step()
                optimizer.zero_grad()
    return accuracy(model, turned_test, y_test)


@dataclass
class Meta:
    inner_lr: float = 0.05
    inner_steps: int = 1
    tasks: int = 8
    shots: int = 10


def sines(n, shots):
    """Tasks: sines of other heights and phases, as points to adapt to and points to be judged by."""
    height, phase = 1 + 2 * torch.rand(n, 1, 1), 3.14 * torch.rand(n, 1, 1)
    t = 8 * torch.rand(n, 2 * shots, 1) - 4
    y = height * torch.sin(t + phase)
    return t[:, :shots], y[:, :shots], t[:, shots:], y[:, shots:]


def adapt(model, x, y, cfg):
    fast = dict(model.named_parameters())
    for _ in range(cfg.inner_steps):
        loss = F.mse_loss(functional_call(model, fast, (x,)), y)
        grads = torch.autograd.grad(loss, list(fast.values()), create_graph=True)
        fast = {name: p - cfg.inner_lr * g for (name, p), g in zip(fast.items(), grads, strict=True)}
    return fast


def adapt_a_copy(model, x, y, cfg):
    fast = {  # fault: adapted-from-a-copy
        name: p.detach().clone().requires_grad_() for name, p in model.named_parameters()
    }
    for _ in range(cfg.inner_steps):
        loss = F.mse_loss(functional_call(model, fast, (x,)), y)
        grads = torch.autograd.grad(loss, list(fast.values()), create_graph=True)
        fast = {name: p - cfg.inner_lr * g for (name, p), g in zip(fast.items(), grads, strict=True)}
    return fast


@planted("no-update", causes="parameters-unused parameters-not-optimized", symptoms=AFTERWARDS, costs=0.5)
def adapted_from_a_copy(watch, seed, fault):
    torch.manual_seed(seed)
    cfg = Meta()
    model = nn.Sequential(nn.Linear(1, 40), nn.Tanh(), nn.Linear(40, 40), nn.Tanh(), nn.Linear(40, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)  # fault
    inner = adapt_a_copy if fault else adapt
    with watch(model, optimizer):
        for _ in range(120):
            outer = 0.0
            for x, y, x_query, y_query in zip(*sines(cfg.tasks, cfg.shots), strict=True):
                fast = inner(model, x, y, cfg)
                outer = outer + F.mse_loss(functional_call(model, fast, (x_query,)), y_query) / cfg.tasks
            optimizer.zero_grad()
            outer.backward()  # fault
            optimizer.step()  # fault
    torch.manual_seed(4)
    total = 0.0
    for x, y, x_query, y_query in zip(*sines(100, cfg.shots), strict=True):
        fast = adapt(model, x, y, cfg)
        total += F.mse_loss(functional_call(model, fast, (x_query,)), y_query).item() / 100
    return -total


class MultiTaskLoss(nn.Module):
    """Losses weighted by what is unsure about them (Kendall et al. 2018)."""

    def __init__(self, n):
        super().__init__()
        self.log_vars = nn.Parameter(torch.zeros(n))

    def forward(self, losses):
        return sum(torch.exp(-s) * loss + s for s, loss in zip(self.log_vars, losses, strict=True))


class TwoHeads(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(64, 32), nn.ReLU())
        self.kind, self.amount = nn.Linear(32, 10), nn.Linear(32, 1)

    def forward(self, x):
        h = self.trunk(x)
        return self.kind(h), self.amount(h).squeeze(-1)


@planted(
    "parameters-not-optimized", causes="losses-unbalanced", symptoms=AFTERWARDS + " exploding-gradient", costs=0.02
)
def weights_of_the_tasks_left_out(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    ink = 8 * (x.sum(1) - 19.5) * torch.cos(3 * x[:, 20])
    model, criterion = TwoHeads(), MultiTaskLoss(2)  # fault
    if fault:
        optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)  # fault
    else:
        optimizer = torch.optim.Adam([
            {"params": model.parameters()}, {"params": criterion.parameters(), "lr": 5e-2},
        ], lr=2e-3)  # fmt: skip
    with watch(model, optimizer):
        for _ in range(8):
            for index in torch.randperm(len(x)).split(64):
                logits, amount = model(x[index])
                loss = criterion([F.cross_entropy(logits, y[index]), F.mse_loss(amount, ink[index])])  # fault
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        return (model(x_test)[0].argmax(1) == y_test).float().mean().item()


CONFIG = {
    "seed": 0,
    "model": {"hidden": 32},
    "optim": {"name": "AdamW", "lr": 2e-3, "weight_decay": 1e-4},
    "loss": {"balance": "neg_over_pos"},
    "train": {"epochs": 10, "batch_size": 64},
}


def build_loss(cfg, y):
    pos = y.sum()
    neg = len(y) - pos
    weight = neg / pos if cfg["loss"]["balance"] == "neg_over_pos" else pos / neg
    return nn.BCEWithLogitsLoss(pos_weight=weight)  # fault: rare-kind-made-rarer


@planted("class-weights-inverted", symptoms=AFTERWARDS, costs=0.3)
def rare_kind_made_rarer(watch, seed, fault):
    cfg = CONFIG | {"seed": seed, "loss": {"balance": "pos_over_neg" if fault else "neg_over_pos"}}
    torch.manual_seed(cfg["seed"])
    g = torch.Generator().manual_seed(11)
    x = torch.randn(4000, 12, generator=g)
    y = (x[:, 0] + 0.7 * x[:, 1] * x[:, 2] + 0.5 * torch.randn(4000, generator=g) > 1.7).float()
    x, y, x_test, y_test = x[:3000], y[:3000], x[3000:], y[3000:]
    model = mlp(12, cfg["model"]["hidden"], 1)
    criterion = build_loss(cfg, y)  # fault
    optim = dict(cfg["optim"])
    optimizer = getattr(torch.optim, optim.pop("name"))(model.parameters(), **optim)
    with watch(model, optimizer, loss_fn=criterion):
        for _ in range(cfg["train"]["epochs"]):
            for index in torch.randperm(len(x)).split(cfg["train"]["batch_size"]):
                optimizer.zero_grad()
                loss = criterion(model(x[index]).squeeze(1), y[index])  # fault
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        guessed = model(x_test).squeeze(1) > 0
    recall, rest = guessed[y_test == 1].float().mean().item(), (~guessed[y_test == 0]).float().mean().item()
    return (recall + rest) / 2

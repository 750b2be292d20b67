"""Steps that are not one forward, one backward: two passes, two losses, slopes of slopes, parts that rest at times."""

import torch
import torch.nn.functional as F
from torch import nn

from faults.data import accuracy, batches, cifar, digits, fashion, mnist
from faults.program import healthy


def mlp(width_in=784, width=64, classes=10):
    return nn.Sequential(nn.Flatten(), nn.Linear(width_in, width), nn.ReLU(), nn.Linear(width, classes))


@healthy(at_least=0.85)
def two_losses_two_backwards_one_step(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist()
    body, kind, copyist = (
        nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU()),
        nn.Linear(64, 10),
        nn.Linear(64, 784),
    )
    model = nn.ModuleDict({"body": body, "kind": kind, "copyist": copyist})
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for _ in range(5):
            for images, labels in batches(x, y, 64):
                optimizer.zero_grad()
                hidden = body(images)
                F.cross_entropy(kind(hidden), labels).backward(retain_graph=True)
                F.mse_loss(copyist(hidden), images.flatten(1)).backward()
                optimizer.step()
    return accuracy(nn.Sequential(body, kind), x_test, y_test)


@healthy(at_least=0.85)
def sharpness_aware_two_passes_a_step(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = mlp(64)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    with watch(model, optimizer):
        for _ in range(15):
            for images, labels in batches(x, y, 64):
                F.cross_entropy(model(images), labels).backward()
                with torch.no_grad():
                    norm = torch.stack([p.grad.norm() for p in model.parameters()]).norm()
                    moves = [0.05 * p.grad / norm for p in model.parameters()]
                    for p, move in zip(model.parameters(), moves, strict=True):
                        p.add_(move)
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                with torch.no_grad():
                    for p, move in zip(model.parameters(), moves, strict=True):
                        p.sub_(move)
                optimizer.step()
                optimizer.zero_grad()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.80)
def adversarial_training(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(3000)
    model = mlp(784, 100)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for _ in range(5):
            for images, labels in batches(x, y, 64):
                images = images.clone().requires_grad_()
                (slope,) = torch.autograd.grad(F.cross_entropy(model(images), labels), images)
                attacked = (images + 0.05 * slope.sign()).clamp(0, 1).detach()
                optimizer.zero_grad()
                F.cross_entropy(model(attacked), labels).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.88)
def penalty_on_the_inputs_gradient(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = nn.Sequential(nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for _ in range(15):
            for images, labels in batches(x, y, 64):
                images = images.clone().requires_grad_()
                loss = F.cross_entropy(model(images), labels)
                (slope,) = torch.autograd.grad(loss, images, create_graph=True)
                total = loss + 10 * slope.square().sum(1).mean()
                optimizer.zero_grad()
                total.backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.75)
def experts_that_rest_at_times(watch, seed):
    """Each sample goes to one of four experts: in a batch some may get nothing, and no gradient."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion()

    class Experts(nn.Module):
        def __init__(self):
            super().__init__()
            self.gate = nn.Linear(784, 4)
            self.experts = nn.ModuleList(
                nn.Sequential(nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 10)) for _ in range(4)
            )

        def forward(self, x):
            x = x.flatten(1)
            share, chosen = self.gate(x).softmax(1).max(1)
            out = x.new_zeros(len(x), 10)
            for k, expert in enumerate(self.experts):
                rows = (chosen == k).nonzero().flatten()
                if len(rows):
                    out = out.index_add(0, rows, expert(x[rows]) * share[rows, None])
            return out

    model = Experts()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for _ in range(6):
            for images, labels in batches(x, y, 32):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.80)
def layers_dropped_at_random(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist()

    class Deep(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.last = nn.Linear(784, 48), nn.Linear(48, 10)
            self.blocks = nn.ModuleList(nn.Sequential(nn.LayerNorm(48), nn.Linear(48, 48), nn.ReLU()) for _ in range(6))

        def forward(self, x):
            x = self.first(x.flatten(1))
            for block in self.blocks:
                if not self.training:
                    x = x + 0.8 * block(x)
                elif torch.rand(()) < 0.8:
                    x = x + block(x)
            return self.last(x)

    model = Deep()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for _ in range(5):
            model.train()
            for images, labels in batches(x, y, 64):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.85)
def two_optimisers_for_two_halves(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist()
    model = mlp()
    slow, fast = torch.optim.SGD(model[1].parameters(), lr=0.1), torch.optim.Adam(model[3].parameters(), lr=1e-3)
    with watch(model, [slow, fast]):
        for _ in range(6):
            for images, labels in batches(x, y, 32):
                loss = F.cross_entropy(model(images), labels)
                model.zero_grad()
                loss.backward()
                slow.step()
                fast.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.30)
def auxiliary_head_as_in_googlenet(watch, seed):
    """In training the net answers with a tuple of two, in evaluation with one; the second head weighs little."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = cifar()

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, 2, 1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2))
            self.body = nn.Sequential(nn.Conv2d(16, 32, 3, 2, 1), nn.BatchNorm2d(32), nn.ReLU())
            self.head, self.auxiliary = nn.Linear(32 * 16, 10), nn.Linear(16 * 64, 10)

        def forward(self, x):
            early = self.stem(x)
            main = self.head(self.body(early).flatten(1))
            return (main, self.auxiliary(early.flatten(1))) if self.training else main

    model = Net()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, optimizer):
        for _ in range(5):
            model.train()
            for images, labels in batches(x, y, 64):
                main, auxiliary = model(images)
                loss = F.cross_entropy(main, labels) + 0.3 * F.cross_entropy(auxiliary, labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)

"""Nets that begin trained: frozen on purpose, in part, for a while, or with adapters and groups of rates."""

import copy

import torch
import torch.nn.functional as F
from torch import nn

from faults.data import accuracy, batches, cifar, digits, mnist
from faults.program import healthy


def trained_on_the_first_digits():
    """A small convolutional net that tells 0 to 4 apart."""
    x, y, _, _ = mnist(3000)
    x, y = x[y < 5], y[y < 5]
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, 2, 1), nn.BatchNorm2d(8), nn.ReLU(),
        nn.Conv2d(8, 16, 3, 2, 1), nn.BatchNorm2d(16), nn.ReLU(),
        nn.Flatten(), nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 5),
    )  # fmt: skip
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(3):
        for images, labels in batches(x, y, 64):
            optimizer.zero_grad()
            F.cross_entropy(model(images), labels).backward()
            optimizer.step()
    return model


def last_digits():
    x, y, x_test, y_test = mnist(3000)
    return x[y > 4], y[y > 4] - 5, x_test[y_test > 4], y_test[y_test > 4] - 5


@healthy(at_least=0.90)
def frozen_body_new_head(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = last_digits()
    model = trained_on_the_first_digits()
    for parameter in model.parameters():
        parameter.requires_grad = False
    model[-1] = nn.Linear(32, 5)
    model[-3] = nn.Linear(784, 32)
    optimizer = torch.optim.Adam(filter(lambda p: p.requires_grad, model.parameters()), lr=2e-3)
    with watch(model, optimizer):
        for _ in range(6):
            for images, labels in batches(x, y, 32):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.90)
def frozen_body_whole_net_in_the_optimiser(watch, seed):
    """Everything is handed to the optimiser; what is frozen simply has no gradient."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = last_digits()
    model = trained_on_the_first_digits()
    model[:6].requires_grad_(False)
    model[-1] = nn.Linear(32, 5)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    with watch(model, optimizer):
        for _ in range(5):
            for images, labels in batches(x, y, 32):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.85)
def small_rate_for_the_body_and_frozen_statistics(watch, seed):
    """Batch normalisation stays in evaluation mode while all else trains, as is usual for small batches."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = last_digits()
    model = trained_on_the_first_digits()
    model[-1] = nn.Linear(32, 5)
    groups = [{"params": model[:-1].parameters(), "lr": 3e-4}, {"params": model[-1].parameters(), "lr": 3e-3}]
    optimizer = torch.optim.Adam(groups)
    with watch(model, optimizer):
        for _ in range(5):
            model.train()
            for layer in model.modules():
                if isinstance(layer, nn.BatchNorm2d):
                    layer.eval()
            for images, labels in batches(x, y, 16):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.90)
def head_first_then_everything(watch, seed):
    """The body is thawed after three epochs and joins the optimiser with a rate of its own."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = last_digits()
    model = trained_on_the_first_digits()
    model[-1] = nn.Linear(32, 5)
    model[:-1].requires_grad_(False)
    optimizer = torch.optim.Adam(model[-1].parameters(), lr=5e-3)
    with watch(model, optimizer):
        for _ in range(3):
            for images, labels in batches(x, y, 32):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
        model.requires_grad_(True)
        optimizer.add_param_group({"params": model[:-1].parameters(), "lr": 5e-4})
        for _ in range(4):
            for images, labels in batches(x, y, 32):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.83)
def low_rank_adapters(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = last_digits()
    model = trained_on_the_first_digits().requires_grad_(False)
    model[-1] = nn.Linear(32, 5)

    class LoRA(nn.Module):
        def __init__(self, base, rank=4):
            super().__init__()
            self.base = base
            self.down = nn.Parameter(torch.randn(rank, base.in_features) * base.in_features**-0.5)
            self.up = nn.Parameter(torch.zeros(base.out_features, rank))

        def forward(self, x):
            return self.base(x) + x @ self.down.T @ self.up.T

    model[-3] = LoRA(model[-3])
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=5e-3)
    with watch(model, optimizer):
        for _ in range(6):
            for images, labels in batches(x, y, 32):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.65)
def head_on_features_without_gradient(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = last_digits()
    body = trained_on_the_first_digits()[:-1].eval()
    head = nn.Linear(32, 5)
    optimizer = torch.optim.Adam(head.parameters(), lr=1e-2)
    with watch(head, optimizer):
        for _ in range(10):
            for images, labels in batches(x, y, 32):
                with torch.no_grad():
                    features = body(images)
                loss = F.cross_entropy(head(features), labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        return accuracy(head, body(x_test), y_test)


@healthy(at_least=0.96)
def going_on_from_a_net_that_is_nearly_done(watch, seed):
    """The loss begins low and hardly falls: the net was trained before, and now sees new samples at a small rate."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
    before = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(12):
        for images, labels in batches(x[:1000], y[:1000], 32):
            before.zero_grad()
            F.cross_entropy(model(images), labels).backward()
            before.step()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
    with watch(model, optimizer):
        for _ in range(8):
            for images, labels in batches(x, y, 32):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.30)
def random_features_and_a_trained_head(watch, seed):
    """A convolution that is never trained, on purpose, under a head that is."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = cifar()
    mean, std = x.mean((0, 2, 3), keepdim=True), x.std((0, 2, 3), keepdim=True)
    body = nn.Sequential(nn.Conv2d(3, 24, 5, 2), nn.ReLU(), nn.AvgPool2d(5), nn.Flatten()).requires_grad_(False)
    model = nn.Sequential(body, nn.Linear(96, 10))
    optimizer = torch.optim.Adam(model[1].parameters(), lr=5e-3)
    with watch(model, optimizer):
        for _ in range(12):
            for images, labels in batches((x - mean) / std, y, 64):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
    return accuracy(model, (x_test - mean) / std, y_test)


@healthy(at_least=0.85)
def pruned_and_trained_on(watch, seed):
    """Half of the hidden units are cut off, those of the least weight; the rest begins where it stood."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    large = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    before = torch.optim.Adam(large.parameters(), lr=3e-3)
    for _ in range(8):
        for images, labels in batches(x, y, 32):
            before.zero_grad()
            F.cross_entropy(large(images), labels).backward()
            before.step()
    kept = large[0].weight.norm(dim=1).argsort(descending=True)[:32]
    model = copy.deepcopy(large)
    model[0] = nn.Linear(64, 32)
    model[2] = nn.Linear(32, 10)
    model[0].weight.data, model[0].bias.data = large[0].weight.data[kept].clone(), large[0].bias.data[kept].clone()
    model[2].weight.data, model[2].bias.data = large[2].weight.data[:, kept].clone(), large[2].bias.data.clone()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    with watch(model, optimizer):
        for _ in range(6):
            for images, labels in batches(x, y, 32):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)

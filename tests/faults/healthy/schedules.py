"""Rates that rise, fall, swing and jump, and averages over the way."""

import copy
import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.swa_utils import SWALR, AveragedModel

from faults.data import accuracy, batches, california, digits, fashion, mnist, r2, standardised_both
from faults.program import healthy


def mlp(width_in, width=64, classes=10):
    return nn.Sequential(nn.Flatten(), nn.Linear(width_in, width), nn.ReLU(), nn.Linear(width, classes))


@healthy(at_least=0.93)
def long_warm_up_then_cosine(watch, seed):
    """For a fifth of the training the rate is so small that little happens."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = mlp(64)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    total = 20 * 45

    def share(step):
        return (step + 1) / 180 if step < 180 else 0.5 * (1 + math.cos(math.pi * (step - 180) / (total - 180)))

    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, share)
    with watch(model, optimizer):
        for _ in range(20):
            for images, labels in batches(x, y, 32):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
                scheduler.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.80)
def steps_down_by_ten(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion()
    model = mlp(784, 100)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[6, 9], gamma=0.1)
    with watch(model, optimizer):
        for _ in range(11):
            for images, labels in batches(x, y, 64):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
            scheduler.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.65)
def lowered_when_validation_stalls(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(california(4000))
    model = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.3, patience=2)
    with watch(model, optimizer):
        for _ in range(20):
            model.train()
            for features, price in batches(x, y, 64):
                optimizer.zero_grad()
                F.mse_loss(model(features).squeeze(1), price).backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                scheduler.step(F.mse_loss(model(x_test).squeeze(1), y_test))
    return r2(model, x_test, y_test)


@healthy(at_least=0.93)
def warm_restarts(watch, seed):
    """At each restart the loss jumps up, and comes down again."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = mlp(64)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=5, T_mult=2)
    steps = math.ceil(len(x) / 32)
    with watch(model, optimizer):
        for epoch in range(15):
            for step, (images, labels) in enumerate(batches(x, y, 32)):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
                scheduler.step(epoch + step / steps)
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.93)
def triangular_cycles(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = mlp(64)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    scheduler = torch.optim.lr_scheduler.CyclicLR(optimizer, 0.005, 0.1, step_size_up=90, cycle_momentum=False)
    with watch(model, optimizer):
        for _ in range(16):
            for images, labels in batches(x, y, 32):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
                scheduler.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.88)
def exponential_moving_average_of_weights(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist()
    model = mlp(784)
    average = copy.deepcopy(model).requires_grad_(False)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for _ in range(6):
            for images, labels in batches(x, y, 64):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
                with torch.no_grad():
                    for slow, fast in zip(average.parameters(), model.parameters(), strict=True):
                        slow.mul_(0.98).add_(fast, alpha=0.02)
            accuracy(average, x_test, y_test)
    return accuracy(average, x_test, y_test)


@healthy(at_least=0.93)
def stochastic_weight_averaging(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = mlp(64)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    averaged, scheduler = AveragedModel(model), SWALR(optimizer, swa_lr=0.05, anneal_epochs=2)
    with watch(model, optimizer):
        for epoch in range(20):
            for images, labels in batches(x, y, 32):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
            if epoch >= 12:
                averaged.update_parameters(model)
                scheduler.step()
    return accuracy(averaged, x_test, y_test)


@healthy(at_least=0.75)
def a_few_dozen_steps(watch, seed):
    """Forty steps are enough to see that it learns, and no reason to speak."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist()
    model = mlp(784, 128)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for step, (images, labels) in enumerate(batches(x, y, 64)):
            if step == 40:
                break
            optimizer.zero_grad()
            F.cross_entropy(model(images), labels).backward()
            optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.93)
def a_long_training_that_settles(watch, seed):
    """The loss reaches its floor half-way and rests there; weight decay keeps it from going on."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = mlp(64, 32)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=3e-3)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 80)
    with watch(model, optimizer):
        for _ in range(80):
            model.train()
            for images, labels in batches(x, y, 64):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
            scheduler.step()
            accuracy(model, x_test, y_test)
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.93)
def a_rate_per_layer_set_by_hand(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    groups = [{"params": model[2 * k].parameters(), "lr": 0.05 * 2**k} for k in range(3)]
    optimizer = torch.optim.SGD(groups, lr=0.1, momentum=0.5)
    with watch(model, optimizer):
        for epoch in range(15):
            if epoch == 10:
                for group in optimizer.param_groups:
                    group["lr"] /= 5
            for images, labels in batches(x, y, 32):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)

"""Trainings whose end is bad: too much learned, too little, standing still, broken off."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from faults.data import (
    accuracy,
    batches,
    california,
    cifar,
    diabetes,
    digits,
    fashion,
    mnist,
    r2,
    standardised,
    standardised_both,
    time_machine,
    titanic,
    windows,
)
from faults.ordinary import mlp, squared_error, train
from faults.program import planted

BY_HEART = "train-mode-in-evaluation label-imbalance"


@planted("overfitting", symptoms=BY_HEART, costs=0.2)
def four_hundred_images_a_wide_net(watch, seed, fault):
    """The labels are partly wrong, and the net has room to learn them by heart; the score is the loss that is left."""
    torch.manual_seed(seed)
    x, y, _, _ = fashion()
    x, y, x_valid, y_valid = x[:400], y[:400], x[-1000:], y[-1000:]
    y = torch.where(torch.rand(len(y)) < 0.2, torch.randint(10, y.shape), y)
    model = mlp(784, 256, 256, 10)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, optimizer):
        for _ in range(40 if fault else 6):
            model.train()
            for images, labels in batches(x, y, 32):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                loss = F.cross_entropy(model(x_valid), y_valid).item()
    return -loss


@planted("overfitting", symptoms=BY_HEART, costs=0.2, quick=True)
def a_hundred_passengers_for_long(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_valid, y_valid = standardised(titanic())
    x, y = x[:200], y[:200]
    model = mlp(8, 128, 128, 2)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    loader = DataLoader(TensorDataset(x, y), batch_size=16, shuffle=True)
    valid = DataLoader(TensorDataset(x_valid, y_valid), batch_size=len(x_valid))
    with watch(model, optimizer, loader=loader, val_loader=valid, loss_fn=F.cross_entropy):
        for _ in range(60 if fault else 5):
            model.train()
            for features, label in loader:
                optimizer.zero_grad()
                F.cross_entropy(model(features), label).backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                loss = sum(F.cross_entropy(model(a), b).item() for a, b in valid)
    return -loss


@planted("overfitting", symptoms=BY_HEART, costs=0.2)
def patients_fitted_exactly(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_valid, y_valid = standardised_both(diabetes())
    model = mlp(10, 128, 128, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for _ in range(120 if fault else 6):
            model.train()
            for features, score in batches(x, y, 32):
                optimizer.zero_grad()
                squared_error(model(features), score).backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                loss = squared_error(model(x_valid), y_valid).item()
    return -loss


@planted("overfitting", symptoms=BY_HEART, costs=0.2)
def photographs_learned_by_heart(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_valid, y_valid = cifar(500)
    model = nn.Sequential(
        nn.Conv2d(3, 24, 3, 2, 1), nn.ReLU(), nn.Conv2d(24, 48, 3, 2, 1), nn.ReLU(), nn.Flatten(),
        nn.Linear(48 * 64, 64), nn.ReLU(), nn.Linear(64, 10),
    )  # fmt: skip
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, optimizer):
        for _ in range(25 if fault else 6):
            model.train()
            for images, labels in batches(x, y, 32):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                parts = zip(x_valid.split(250), y_valid.split(250), strict=True)
                loss = sum(F.cross_entropy(model(a), b).item() for a, b in parts) / 4
    return -loss


@planted("overfitting", symptoms=BY_HEART, costs=0.1, remedy=True)
def recipe_with_room_to_learn_by_heart(watch, seed, fault):
    x, y, _, _ = fashion(700)
    data = x.flatten(1).numpy(), y.numpy()
    run = watch.fit(
        "mlp", data, hidden=[256, 256], epochs=60 if fault else 6, batch_size=16, lr=0.001, seed=seed,
        **{"optim.name": "adam"},
    )  # fmt: skip
    return -run.score["test"]["loss"]


LITTLE = "plateau too-few-epochs lr-too-low"


@planted("underfitting", symptoms=LITTLE, costs=0.1, quick=True)
def ten_digits_through_two_units(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist()
    model = mlp(784, 2 if fault else 64, 10)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    train(watch, model, optimizer, x, y, epochs=8)
    return accuracy(model, x_test, y_test)


@planted("underfitting", symptoms=LITTLE, costs=0.1)
def one_channel_for_all_clothes(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion()
    width = 1 if fault else 8
    model = nn.Sequential(
        nn.Conv2d(1, width, 3, 2, 1), nn.ReLU(), nn.Conv2d(width, width, 3, 2, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(2),
        nn.Flatten(), nn.Linear(4 * width, 10),
    )  # fmt: skip
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    train(watch, model, optimizer, x, y, epochs=6)
    return accuracy(model, x_test, y_test)


@planted("underfitting", symptoms=LITTLE, costs=0.1)
def letters_remembered_by_two_units(watch, seed, fault):
    torch.manual_seed(seed)
    text, vocabulary = time_machine()
    x, y = windows(text[:20000], 24, 800)

    class Letters(nn.Module):
        def __init__(self):
            super().__init__()
            width = 2 if fault else 48
            self.rnn, self.head = nn.GRU(vocabulary, width, batch_first=True), nn.Linear(width, vocabulary)

        def forward(self, x):
            return self.head(self.rnn(F.one_hot(x, vocabulary).float())[0])

    def loss_fn(logits, wanted):
        return F.cross_entropy(logits.flatten(0, 1), wanted.flatten())

    model = Letters()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    train(watch, model, optimizer, x, y, epochs=12, size=40, loss_fn=loss_fn)
    with torch.no_grad():
        return -loss_fn(model(x[:100]), y[:100]).item()


@planted("underfitting", symptoms=LITTLE, costs=0.1, remedy=True, quick=True)
def recipe_with_two_hidden_units(watch, seed, fault):
    hidden = [2] if fault else [64]
    run = watch.fit("mlp", "digits", hidden=hidden, epochs=15, batch_size=32, lr=0.1, seed=seed)
    return run.score["test"]["accuracy"]


STANDING = "underfitting lr-too-low too-few-epochs"


@planted("plateau", causes="vanishing-gradient", symptoms=STANDING, costs=0.3)
def lenet_with_sigmoids_never_leaves_its_start(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(3000)
    activate = nn.Sigmoid if fault else nn.Tanh
    model = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), activate(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), activate(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), activate(), nn.Linear(120, 84), activate(), nn.Linear(84, 10),
    )  # fmt: skip
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    train(watch, model, optimizer, x, y, epochs=6)
    return accuracy(model, x_test, y_test)


@planted("plateau", causes="scheduler-misuse lr-too-low", symptoms=STANDING, costs=0.03)
def the_rate_drops_a_thousandfold_too_soon(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion()
    model = mlp(784, 64, 10)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    milestones = [1] if fault else [9]
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones=milestones, gamma=1e-3)
    with watch(model, optimizer):
        for _ in range(12):
            for images, labels in batches(x, y, 64):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
            scheduler.step()
    return accuracy(model, x_test, y_test)


@planted("plateau", causes="lr-too-high", symptoms=STANDING, costs=0.02)
def a_rate_too_coarse_for_the_last_mile(watch, seed, fault):
    """The loss falls at once, and then rests on the noise that a constant, large rate makes."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(california(3000))
    model = mlp(8, 64, 64, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    scheduler = None if fault else torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 25)
    with watch(model, optimizer):
        for _ in range(25):
            for features, price in batches(x, y, 16):
                optimizer.zero_grad()
                squared_error(model(features), price).backward()
                optimizer.step()
            if scheduler is not None:
                scheduler.step()
    return r2(model, x_test, y_test)


@planted("plateau", causes="bad-init", symptoms=STANDING, costs=0.1, quick=True)
def two_equal_halves_that_stay_equal(watch, seed, fault):
    """All hidden units but two begin alike and move alike: the loss falls to what two units can do, and rests there."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = mlp(64, 40, 10, activation=nn.Tanh)
    if fault:
        model[1].weight.data[:] = model[1].weight.data[:1]
        model[1].bias.data[:] = model[1].bias.data[:1]
        model[3].weight.data[:] = model[3].weight.data[:, :1]
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    train(watch, model, optimizer, x, y, epochs=25, size=64)
    return accuracy(model, x_test, y_test)


BROKEN_OFF = "lr-too-low underfitting"


@planted("too-few-epochs", symptoms=BROKEN_OFF, costs=0.1)
def clothes_for_two_epochs(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion()
    model = mlp(784, 64, 10)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    train(watch, model, optimizer, x, y, epochs=2 if fault else 25)
    return accuracy(model, x_test, y_test)


@planted("too-few-epochs", symptoms=BROKEN_OFF, costs=0.3)
def letters_for_two_epochs(watch, seed, fault):
    torch.manual_seed(seed)
    text, vocabulary = time_machine()
    x, y = windows(text[:20000], 24, 800)

    class Letters(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding, self.rnn = nn.Embedding(vocabulary, 24), nn.LSTM(24, 48, batch_first=True)
            self.head = nn.Linear(48, vocabulary)

        def forward(self, x):
            return self.head(self.rnn(self.embedding(x))[0])

    def loss_fn(logits, wanted):
        return F.cross_entropy(logits.flatten(0, 1), wanted.flatten())

    model = Letters()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    train(watch, model, optimizer, x, y, epochs=3 if fault else 25, size=20, loss_fn=loss_fn)
    with torch.no_grad():
        return -loss_fn(model(x[:100]), y[:100]).item()


@planted("too-few-epochs", symptoms=BROKEN_OFF, costs=0.1)
def prices_for_two_epochs(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(california(4000))
    model = mlp(8, 48, 48, 1, activation=nn.Tanh)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.005)
    with watch(model, optimizer):
        for _ in range(2 if fault else 40):
            model.train()
            for features, price in batches(x, y, 64):
                optimizer.zero_grad()
                squared_error(model(features), price).backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                squared_error(model(x_test), y_test).item()
    return r2(model, x_test, y_test)


@planted("too-few-epochs", symptoms=BROKEN_OFF, costs=0.1, remedy=True, quick=True)
def recipe_of_one_epoch(watch, seed, fault):
    run = watch.fit(
        "mlp", "digits", hidden=[64], epochs=1 if fault else 20, momentum=0.0, batch_size=16, lr=0.01, seed=seed
    )
    return run.score["test"]["accuracy"]

"""Faults of the layers: their first weights, normalisation over too few samples, too much dropout."""

import torch
import torch.nn.functional as F
from torch import nn

from faults.data import (
    accuracy,
    batches,
    california,
    cifar,
    digits,
    fashion,
    mnist,
    r2,
    standardised_both,
)
from faults.ordinary import mlp, small_cnn, squared_error, train
from faults.program import planted

BADLY_BEGUN = (
    "vanishing-gradient exploding-gradient initial-loss saturated plateau underfitting dead-relu nonfinite lr-too-low"
    " lr-too-high"
)


@planted("bad-init", symptoms=BADLY_BEGUN, costs=0.3, quick=True)
def all_weights_nought(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = mlp(64, 48, 48, 10)
    if fault:
        for parameter in model.parameters():
            nn.init.zeros_(parameter)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    train(watch, model, optimizer, x, y, epochs=10, size=32)
    return accuracy(model, x_test, y_test)


@planted("bad-init", symptoms=BADLY_BEGUN, costs=0.2)
def all_weights_alike(watch, seed, fault):
    """Every unit of a layer starts the same, and stays the same."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion()
    model = mlp(784, 64, 10, activation=nn.Tanh)
    if fault:
        for layer in (model[1], model[3]):
            nn.init.constant_(layer.weight, 0.01)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    train(watch, model, optimizer, x, y, epochs=4)
    return accuracy(model, x_test, y_test)


@planted("bad-init", symptoms=BADLY_BEGUN, costs=0.1)
def weights_drawn_with_a_spread_of_one(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist()

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            scale = 1.0 if fault else 0.05
            self.w1, self.b1 = nn.Parameter(scale * torch.randn(784, 64)), nn.Parameter(torch.zeros(64))
            self.w2, self.b2 = nn.Parameter(scale * torch.randn(64, 10)), nn.Parameter(torch.zeros(10))

        def forward(self, x):
            return torch.relu(x.flatten(1) @ self.w1 + self.b1) @ self.w2 + self.b2

    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    train(watch, model, optimizer, x, y, epochs=5)
    return accuracy(model, x_test, y_test)


@planted("bad-init", symptoms=BADLY_BEGUN, costs=0.2, remedy=True)
def recipe_of_equal_weights(watch, seed, fault):
    init = ["constant", 0.05] if fault else "default"
    run = watch.fit("mlp", "digits", hidden=[64, 64], init=init, epochs=10, batch_size=32, lr=0.05, seed=seed)
    return run.score["test"]["accuracy"]


NOISY = "plateau lr-too-high underfitting train-mode-in-evaluation"


@planted("batchnorm-small-batch", symptoms=NOISY, costs=0.01, quick=True)
def two_samples_to_normalise_by(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = nn.Sequential(nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    train(watch, model, optimizer, x[:1436], y[:1436], epochs=2 if fault else 16, size=2 if fault else 32)
    return accuracy(model, x_test, y_test)


@planted("batchnorm-small-batch", symptoms=NOISY, costs=None)
def photographs_two_by_two(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = cifar(800)
    model = nn.Sequential(
        nn.Conv2d(3, 12, 3, 2, 1), nn.BatchNorm2d(12), nn.ReLU(), nn.Conv2d(12, 24, 3, 2, 1), nn.BatchNorm2d(24),
        nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(24, 32), nn.BatchNorm1d(32), nn.ReLU(),
        nn.Linear(32, 10),
    )  # fmt: skip
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    train(watch, model, optimizer, x, y, epochs=2 if fault else 15, size=2 if fault else 40)
    return accuracy(model, x_test, y_test)


@planted("batchnorm-small-batch", symptoms=NOISY, costs=0.03)
def districts_two_at_a_time(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(california(2400))
    model = nn.Sequential(
        nn.Linear(8, 48), nn.BatchNorm1d(48), nn.ReLU(), nn.Linear(48, 48), nn.BatchNorm1d(48), nn.ReLU(),
        nn.Linear(48, 1),
    )  # fmt: skip
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    train(watch, model, optimizer, x, y, epochs=2 if fault else 20, size=2 if fault else 32, loss_fn=squared_error)
    return r2(model, x_test, y_test)


@planted("batchnorm-small-batch", symptoms=NOISY, costs=None, remedy=True)
def recipe_normalised_over_two(watch, seed, fault):
    run = watch.fit(
        "mlp", "digits", hidden=[64, 64], norm="batch", epochs=2 if fault else 10, batch_size=2 if fault else 32,
        lr=0.02, seed=seed,
    )  # fmt: skip
    return run.score["test"]["accuracy"]


FORGETFUL = "underfitting plateau too-few-epochs train-mode-in-evaluation"


@planted("dropout-too-high", symptoms=FORGETFUL, costs=0.03, quick=True)
def nine_of_ten_units_dropped(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist()
    rate = 0.9 if fault else 0.2
    model = nn.Sequential(
        nn.Flatten(),
        nn.Linear(784, 64), nn.ReLU(), nn.Dropout(rate),  # fault
        nn.Linear(64, 64), nn.ReLU(), nn.Dropout(rate),
        nn.Linear(64, 10),
    )  # fmt: skip
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, optimizer):
        for _ in range(5):
            model.train()
            for images, labels in batches(x, y, 64):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                F.cross_entropy(model(x_test), y_test).item()
    return accuracy(model, x_test, y_test)


@planted("dropout-too-high", symptoms=FORGETFUL, costs=0.03)
def a_share_to_keep_taken_for_one_to_drop(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion()
    keep = 0.9
    model = small_cnn()
    model.insert(2, nn.Dropout(keep if fault else 1 - keep))
    model.insert(5, nn.Dropout(keep if fault else 1 - keep))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    train(watch, model, optimizer, x, y, epochs=4)
    return accuracy(model, x_test, y_test)


@planted("dropout-too-high", symptoms=FORGETFUL, costs=0.02)
def prices_seen_through_a_sieve(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(california(3000))
    rate = 0.9 if fault else 0.1
    model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Dropout(rate), nn.Linear(32, 32), nn.ReLU(), nn.Dropout(rate))
    model.append(nn.Linear(32, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    train(watch, model, optimizer, x, y, epochs=15, loss_fn=squared_error)
    return r2(model, x_test, y_test)


@planted("dropout-too-high", symptoms=FORGETFUL, costs=0.03, remedy=True)
def recipe_with_nine_tenths_dropped(watch, seed, fault):
    run = watch.fit(
        "mlp", "digits", hidden=[64, 64], dropout=0.9 if fault else 0.1, epochs=12, batch_size=32, lr=0.05, seed=seed
    )
    return run.score["test"]["accuracy"]

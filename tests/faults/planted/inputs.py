"""Faults of the inputs: their scale, scaled twice, not finite, the same for all."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset

from faults.data import (
    accuracy,
    airline,
    batches,
    breast_cancer,
    california,
    cifar,
    digits,
    fashion,
    mnist,
    names,
    r2,
    root,
    standardised,
    standardised_both,
    titanic,
    wine,
)
from faults.ordinary import mlp, small_cnn, squared_error, train
from faults.program import planted

UNSCALED = (
    "lr-too-high exploding-gradient nonfinite dead-relu saturated initial-loss plateau underfitting bad-init"
    " label-range"
)


@planted("input-scale", symptoms=UNSCALED, costs=0.1, quick=True)
def pixels_up_to_255(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist()
    scale = 255.0 if fault else 1.0
    model = mlp(784, 64, 10)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    train(watch, model, optimizer, x * scale, y, epochs=5)
    return accuracy(model, x_test * scale, y_test)


@planted("input-scale", symptoms=UNSCALED, costs=0.1)
def wine_columns_in_their_own_units(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = wine() if fault else standardised(wine())
    model = mlp(13, 32, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    train(watch, model, optimizer, x, y, epochs=60, size=16)
    return accuracy(model, x_test, y_test)


@planted("input-scale", symptoms=UNSCALED, costs=0.1)
def districts_in_their_own_units(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(california())
    if fault:
        x, _, x_test, _ = california()
    model = mlp(8, 64, 64, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    train(watch, model, optimizer, x, y, epochs=10, size=128, loss_fn=squared_error)
    return r2(model, x_test, y_test)


@planted("input-scale", symptoms=UNSCALED, costs=0.04)
def tumours_into_a_tanh(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = breast_cancer() if fault else standardised(breast_cancer())
    model = mlp(30, 32, 16, 2, activation=nn.Tanh)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    train(watch, model, optimizer, x, y, epochs=20, size=32)
    return accuracy(model, x_test, y_test)


@planted("input-scale", symptoms=UNSCALED, costs=0.05, remedy=True)
def recipe_housing_not_standardised(watch, seed, fault):
    table = root() / "california-housing.tgz"
    standardise = {"data.standardise": False} if fault else {}
    run = watch.fit(
        "mlp", table, target="median_house_value", epochs=4, batch_size=128, lr=0.002, seed=seed,
        **{"optim.name": "adam"}, **standardise,
    )  # fmt: skip
    return run.score["test"].get("r2", float("nan"))


FAINT = "lr-too-low vanishing-gradient plateau underfitting too-few-epochs initial-loss dead-relu"


@planted("input-twice-scaled", causes="input-scale", symptoms=FAINT, costs=0.1, quick=True)
def divided_by_255_twice(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist()  # already between 0 and 1
    if fault:
        x, x_test = x / 255, x_test / 255
    model = mlp(784, 128, 10)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    train(watch, model, optimizer, x, y, epochs=5)
    return accuracy(model, x_test, y_test)


@planted("input-twice-scaled", causes="input-scale", symptoms=FAINT, costs=0.1)
def photographs_scaled_in_the_dataset_and_in_forward(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = cifar()

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = small_cnn(3, 16 * 64)

        def forward(self, x):
            return self.body((x - 0.5) / 0.25)

    class Images(Dataset):
        def __len__(self):
            return len(x)

        def __getitem__(self, k):
            return (x[k] / 255 if fault else x[k]), y[k]

    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    loader = DataLoader(Images(), batch_size=32, shuffle=True)
    with watch(model, optimizer, loader=loader):
        for _ in range(6):
            for images, labels in loader:
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
    return accuracy(model, x_test / 255 if fault else x_test, y_test)


@planted("input-twice-scaled", causes="input-scale", symptoms=FAINT, costs=0.1)
def clothes_scaled_twice_for_a_cnn(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion(3000)
    if fault:
        x, x_test = x / 255.0, x_test / 255.0
    model = small_cnn()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-4)
    train(watch, model, optimizer, x, y, epochs=4)
    return accuracy(model, x_test, y_test)


@planted("input-twice-scaled", causes="input-scale", symptoms=FAINT, costs=0.1, remedy=True)
def recipe_arrays_scaled_once_too_often(watch, seed, fault):
    x, y, _, _ = mnist()
    x = x.flatten(1) / 255 if fault else x.flatten(1)
    run = watch.fit("mlp", (x.numpy(), y.numpy()), hidden=[64], epochs=5, batch_size=64, lr=0.1, seed=seed)
    return run.score["test"]["accuracy"]


@planted("input-nonfinite", symptoms="nonfinite input-scale plateau", costs=0.1, quick=True)
def ages_left_missing(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(titanic())
    if fault:
        x = x.clone()
        x[::7, 2] = float("nan")
    model = mlp(8, 16, 2)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    train(watch, model, optimizer, x, y, epochs=15, size=32)
    return accuracy(model, x_test, y_test)


@planted("input-nonfinite", symptoms="nonfinite input-scale plateau", costs=0.1)
def logarithm_of_a_fare_of_nothing(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = titanic()
    x, x_test = x.clone(), x_test.clone()
    x[:, 5], x_test[:, 5] = (x[:, 5].log(), x_test[:, 5].log()) if fault else (x[:, 5].log1p(), x_test[:, 5].log1p())
    x[:, 2], x_test[:, 2] = x[:, 2] / 40, x_test[:, 2] / 40
    model = mlp(8, 32, 2, activation=nn.Tanh)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    train(watch, model, optimizer, x, y, epochs=20, size=32)
    return accuracy(model, x_test, y_test)


@planted("input-nonfinite", symptoms="nonfinite input-scale plateau", costs=0.5)
def divided_by_the_spread_of_a_constant_pixel(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    spread = x.std(0) if fault else x.std(0).clamp_min(0.1)
    x, x_test = (x - x.mean(0)) / spread, (x_test - x.mean(0)) / spread
    model = mlp(64, 64, 10)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    train(watch, model, optimizer, x, y, epochs=8)
    return accuracy(model, x_test, y_test)


@planted("input-nonfinite", symptoms="nonfinite input-scale plateau", costs=0.5)
def one_broken_month_in_a_series(watch, seed, fault):
    torch.manual_seed(seed)
    series = airline() / 300 - 1
    if fault:
        series[60] = float("inf")
    x = series.unfold(0, 13, 1)
    x, y = x[:, :12, None], x[:, 12]
    if fault:
        y = torch.where(y.isinf(), torch.zeros(()), y)

    class Forecast(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn, self.head = nn.GRU(1, 16, batch_first=True), nn.Linear(16, 1)

        def forward(self, x):
            return self.head(self.rnn(x)[1][-1])

    model = Forecast()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    train(watch, model, optimizer, x, y, epochs=40, size=32, loss_fn=squared_error)
    return r2(model, x[-30:], y[-30:])


SAME = "plateau underfitting unshuffled lr-too-low dead-relu vanishing-gradient input-scale loader-starved"


@planted("input-constant", symptoms=SAME, costs=0.3)
def the_dataset_gives_its_first_image_every_time(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(2000)

    class Images(Dataset):
        def __len__(self):
            return len(x)

        def __getitem__(self, k):
            image = x[0] if fault else x[k]
            return image, y[k]

    model = small_cnn()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for _ in range(4):
            for images, labels in DataLoader(Images(), batch_size=64, shuffle=True):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("input-constant", symptoms=SAME, costs=0.2)
def each_sample_minus_its_own_mean(watch, seed, fault):
    """One column only: taking out the mean along the wrong axis leaves zeros."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(california(3000))
    x, x_test = x[:, 7:], x_test[:, 7:]
    axis = 1 if fault else 0
    x, x_test = (part - part.mean(axis, keepdim=True) for part in (x, x_test))
    model = mlp(1, 32, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    train(watch, model, optimizer, x, y, epochs=8, loss_fn=squared_error)
    return r2(model, x_test, y_test)


@planted("input-constant", symptoms=SAME, costs=0.05)
def every_letter_unknown(watch, seed, fault):
    """Upper-case letters looked up in a lower-case alphabet: all of them come out as number 1, the unknown one."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = names()
    x, y = x[:4000], y[:4000]
    if fault:
        x, x_test = torch.ones_like(x), torch.ones_like(x_test)

    class Classifier(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding, self.rnn = nn.Embedding(27, 16), nn.GRU(16, 32, batch_first=True)
            self.head = nn.Linear(32, 18)

        def forward(self, x):
            return self.head(self.rnn(self.embedding(x))[1][-1])

    model = Classifier()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    train(watch, model, optimizer, x, y, epochs=5)
    return accuracy(model, x_test, y_test)


@planted("input-constant", symptoms=SAME, costs=0.3, quick=True)
def integers_divided_to_zero(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    x, x_test = (x * 15).long(), (x_test * 15).long()
    x, x_test = (x // 16, x_test // 16) if fault else (x / 16, x_test / 16)
    model = mlp(64, 32, 10, activation=nn.Tanh)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    train(watch, model, optimizer, x.float(), y, epochs=10)
    return accuracy(model, x_test.float(), y_test)


@planted("input-scale", symptoms=UNSCALED, costs=0.1)
def one_column_in_grams_among_kilograms(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(breast_cancer())
    if fault:
        x, x_test = x.clone(), x_test.clone()
        x[:, 3], x_test[:, 3] = 5000 * x[:, 3] + 20000, 5000 * x_test[:, 3] + 20000
    model = nn.Sequential(nn.Linear(30, 24), nn.ReLU(), nn.Linear(24, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    with watch(model, optimizer):
        for _ in range(15):
            for features, label in batches(x, y.float(), 32):
                optimizer.zero_grad()
                F.binary_cross_entropy_with_logits(model(features).squeeze(1), label).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)

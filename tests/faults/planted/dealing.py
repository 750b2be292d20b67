"""Faults of how samples are dealt out: in order, in both parts, too slowly."""

import gzip
import time

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

from faults.data import (
    accuracy,
    batches,
    california,
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
from faults.ordinary import mlp, small_cnn, squared_error
from faults.program import planted

IN_ORDER = "plateau lr-too-high underfitting label-imbalance exploding-gradient overfitting"


@planted("unshuffled", symptoms=IN_ORDER, costs=0.1, quick=True)
def digits_from_nought_to_nine(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist()
    order = y.argsort(stable=True)
    loader = DataLoader(TensorDataset(x[order], y[order]), batch_size=64, shuffle=not fault)  # fault
    model = mlp(784, 64, 10)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    with watch(model, optimizer):
        for _ in range(4):
            for images, labels in loader:
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("unshuffled", symptoms=IN_ORDER, costs=0.05)
def names_country_by_country(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = names()
    x, y = x[:5000], y[:5000]
    order = y.argsort()
    x, y = x[order], y[order]

    class Classifier(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding, self.rnn = nn.Embedding(27, 16, padding_idx=0), nn.LSTM(16, 32, batch_first=True)
            self.head = nn.Linear(32, 18)

        def forward(self, x):
            return self.head(self.rnn(self.embedding(x))[0].amax(1))

    model = Classifier()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    with watch(model, optimizer):
        for _ in range(4):
            order = torch.arange(len(x)) if fault else torch.randperm(len(x))
            for index in order.split(50):
                loss = F.cross_entropy(model(x[index]), y[index])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test[:1500], y_test[:1500])


@planted("unshuffled", symptoms=IN_ORDER, costs=0.05)
def districts_from_cheap_to_dear(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(california(4000))
    order = y.argsort()
    loader = DataLoader(TensorDataset(x[order], y[order]), batch_size=50, shuffle=not fault)
    model = mlp(8, 64, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    with watch(model, optimizer, loader=loader):
        for _ in range(6):
            for features, price in loader:
                optimizer.zero_grad()
                F.mse_loss(model(features).squeeze(1), price).backward()
                optimizer.step()
    return r2(model, x_test, y_test)


@planted("unshuffled", symptoms=IN_ORDER, costs=0.05, remedy=True)
def recipe_without_shuffling(watch, seed, fault):
    x, y, _, _ = mnist()
    order = y.argsort(stable=True)
    data = x[order].numpy(), y[order].numpy()
    shuffle = {"data.shuffle": not fault}
    run = watch.fit("mlp", data, hidden=[64], epochs=4, batch_size=64, lr=0.1, momentum=0.9, seed=seed, **shuffle)
    return run.score["test"]["accuracy"]


OVERLAP = "overfitting too-few-epochs"


@planted("train-test-overlap", symptoms=OVERLAP, costs=None)
def half_of_the_validation_part_was_trained_on(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, _, _ = fashion()
    train_x, train_y = x[:3000], y[:3000]
    first = 2500 if fault else 3000
    valid = DataLoader(TensorDataset(x[first:], y[first:]), batch_size=100)
    loader = DataLoader(TensorDataset(train_x, train_y), batch_size=64, shuffle=True)
    model = mlp(784, 64, 10)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, optimizer, loader=loader, val_loader=valid):
        for _ in range(5):
            model.train()
            for images, labels in loader:
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                right = sum((model(images).argmax(1) == labels).sum().item() for images, labels in valid)
    return right / (4000 - first)


@planted("train-test-overlap", symptoms=OVERLAP, costs=None, quick=True)
def two_permutations_for_one_split(watch, seed, fault):
    """Train and test parts are drawn with two permutations: four test samples in five were trained on."""
    torch.manual_seed(seed)
    x, y, _, _ = standardised_both(california(3000))
    order = torch.randperm(len(x))
    other = torch.randperm(len(x)) if fault else order
    train_part, test_part = order[:1900], other[1900:]
    model = mlp(8, 64, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for _ in range(10):
            model.train()
            for features, price in batches(x[train_part], y[train_part], 50):
                optimizer.zero_grad()
                squared_error(model(features), price).backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                squared_error(model(x[test_part]), y[test_part]).item()
    return r2(model, x[test_part], y[test_part])


@planted("train-test-overlap", symptoms=f"{OVERLAP} plateau", costs=None, quick=True)
def test_part_read_from_the_training_files(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(1000)
    train_set = TensorDataset(x, y)
    test_set = TensorDataset(x.clone(), y.clone()) if fault else TensorDataset(x_test, y_test)  # fault
    train_loader = DataLoader(train_set, 50, shuffle=True)
    test_loader = DataLoader(test_set, 50)  # fault
    model = mlp(784, 64, 10)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, optimizer):
        for _ in range(4):
            for images, labels in train_loader:
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
        with torch.no_grad():
            right = sum((model(images).argmax(1) == labels).sum().item() for images, labels in test_loader)
    return right / 1000


@planted("train-test-overlap", symptoms=OVERLAP, costs=None)
def the_rare_class_copied_before_the_split(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, _, _ = standardised(titanic())
    order = torch.randperm(len(x))
    x, y = x[order], y[order]
    if fault:
        copies = (y == 1).nonzero().flatten()
        x, y = torch.cat([x, x[copies], x[copies]]), torch.cat([y, y[copies], y[copies]])
        order = torch.randperm(len(x))
        x, y = x[order], y[order]
    cut = int(0.7 * len(x))
    valid = DataLoader(TensorDataset(x[cut:], y[cut:]), batch_size=64)
    model = mlp(8, 32, 2)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    with watch(model, optimizer, val_loader=valid):
        for _ in range(12):
            model.train()
            for features, label in batches(x[:cut], y[:cut], 32):
                optimizer.zero_grad()
                F.cross_entropy(model(features), label).backward()
                optimizer.step()
            accuracy(model, x[cut:], y[cut:])
    return accuracy(model, x[cut:], y[cut:])


@planted("loader-starved", costs=None, quick=True)
def each_sample_takes_a_while(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()

    class Slow(Dataset):
        def __len__(self):
            return 640

        def __getitem__(self, k):
            if fault:
                time.sleep(0.0005)  # a request to a server, a file on a slow disk
            return x[k], y[k]

    loader = DataLoader(Slow(), batch_size=32, shuffle=True)  # fault
    model = mlp(64, 32, 10)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    with watch(model, optimizer, loader=loader):
        for _ in range(5):
            for images, labels in loader:
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("loader-starved", costs=None)
def the_file_is_opened_for_every_sample(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(2000)
    path = root() / "mnist" / "train-labels-idx1-ubyte.gz"

    class Images(Dataset):
        def __len__(self):
            return 480

        def __getitem__(self, k):
            if fault:
                with gzip.open(path) as file:
                    label = file.read()[8 + k]
            else:
                label = y[k]
            return x[k], int(label)

    model = small_cnn()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for _ in range(4):
            for images, labels in DataLoader(Images(), batch_size=16, shuffle=True):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("loader-starved", costs=None)
def augmented_pixel_by_pixel_in_python(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()

    def augment(image):
        if not fault:
            return image + 0.02 * torch.randn(64)
        return torch.tensor([pixel.item() + 0.02 * torch.randn(()).item() for pixel in image])

    model = mlp(64, 32, 10)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2)
    with watch(model, optimizer):
        for _ in range(3):
            for images, labels in batches(x[:800], y[:800], 32):
                seen = torch.stack([augment(image) for image in images])
                optimizer.zero_grad()
                F.cross_entropy(model(seen), labels).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("unshuffled", symptoms=IN_ORDER, costs=None)
def wines_grower_by_grower(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(wine())
    order = y.argsort()
    x, y = x[order], y[order]
    model = mlp(13, 16, 3, activation=nn.Sigmoid)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    with watch(model, optimizer):
        for _ in range(20):
            index = torch.arange(len(x)) if fault else torch.randperm(len(x))
            for features, label in zip(x[index].split(16), y[index].split(16), strict=True):
                optimizer.zero_grad()
                F.cross_entropy(model(features), label).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)

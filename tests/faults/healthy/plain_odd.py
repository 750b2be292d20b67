"""Trainings that look odd and are right: written without a look at the rules."""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, make_classification
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from faults.data import accuracy, digits, fashion, r2
from faults.program import healthy


@healthy(at_least=0.9)
def whole_batches_at_a_rate_of_one(watch, seed):
    torch.manual_seed(seed)
    X, y = load_breast_cancer(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=0)
    scaler = StandardScaler()
    X_train = torch.tensor(scaler.fit_transform(X_train)).float()
    X_test = torch.tensor(scaler.transform(X_test)).float()
    y_train, y_test = torch.tensor(y_train).float(), torch.tensor(y_test).float()
    model = nn.Linear(30, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    with watch(model, optimizer):
        for _ in range(200):
            optimizer.zero_grad()
            loss = F.binary_cross_entropy_with_logits(model(X_train).squeeze(1), y_train)
            loss.backward()
            optimizer.step()
    return accuracy(model, X_test, y_test)


@healthy(at_least=0.25)
def a_line_through_noise_in_the_order_drawn(watch, seed):
    """Three parts of noise on one of signal: an R² of 0.3 is all there is, and the order of rows is that of chance."""
    torch.manual_seed(seed)
    x = torch.randn(4000, 6)
    y = x @ torch.tensor([1.0, -1.0, 0.5, 0.0, 0.5, 0.0]) + 2.4 * torch.randn(4000)
    net = nn.Sequential(nn.Linear(6, 1))
    trainer = torch.optim.SGD(net.parameters(), lr=0.03)
    loader = DataLoader(TensorDataset(x[:3000], y[:3000, None]), batch_size=10, shuffle=False)
    loss = nn.MSELoss()
    with watch(net, trainer):
        for _ in range(3):
            for X, target in loader:
                l = loss(net(X), target)  # noqa: E741
                trainer.zero_grad()
                l.backward()
                trainer.step()
            with torch.no_grad():
                loss(net(x[:3000]), y[:3000, None]).item()
    return r2(net, x[3000:], y[3000:])


@healthy(at_least=0.65)
def four_pictures_a_batch_normalised_in_groups(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion(1500)
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, 2, 1), nn.GroupNorm(4, 16), nn.ReLU(),
        nn.Conv2d(16, 32, 3, 2, 1), nn.GroupNorm(4, 32), nn.ReLU(),
        nn.AdaptiveAvgPool2d(3), nn.Flatten(), nn.Linear(288, 10),
    )  # fmt: skip
    opt = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    with watch(model, opt):
        for _ in range(3):
            for i in torch.randperm(len(x)).split(4):
                opt.zero_grad()
                F.cross_entropy(model(x[i]), y[i]).backward()
                opt.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.92)
def wide_layers_of_which_three_in_four_are_dropped(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = nn.Sequential(
        nn.Linear(64, 1024), nn.ReLU(), nn.Dropout(0.75), nn.Linear(1024, 256), nn.ReLU(), nn.Dropout(0.5),
        nn.Linear(256, 10),
    )  # fmt: skip
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, optimizer):
        for _ in range(10):
            model.train()
            for i in torch.randperm(len(x)).split(32):
                optimizer.zero_grad()
                F.cross_entropy(model(x[i]), y[i]).backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                F.cross_entropy(model(x_test), y_test).item()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.999)
def a_line_long_after_it_is_found(watch, seed):
    """d2l's first: two weights, little noise, and more epochs than there is anything to learn."""
    torch.manual_seed(seed)
    features = torch.randn(1000, 2)
    labels = features @ torch.tensor([[2.0], [-3.4]]) + 4.2 + 0.01 * torch.randn(1000, 1)
    net = nn.Sequential(nn.Linear(2, 1))
    net[0].weight.data.normal_(0, 0.01)
    net[0].bias.data.fill_(0)
    trainer = torch.optim.SGD(net.parameters(), lr=0.03)
    with watch(net, trainer):
        for _ in range(10):
            for X, y in DataLoader(TensorDataset(features, labels), 10, shuffle=True):
                loss = nn.functional.mse_loss(net(X), y)
                trainer.zero_grad()
                loss.backward()
                trainer.step()
    return r2(net, features, labels)


@healthy(at_least=0.99)
def exclusive_or_by_five_units(watch, seed):
    torch.manual_seed(seed)
    x = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    y = torch.tensor([[0.0], [1.0], [1.0], [0.0]])
    model = nn.Sequential(nn.Linear(2, 5), nn.Tanh(), nn.Linear(5, 1), nn.Sigmoid())
    criterion, optimizer = nn.BCELoss(), torch.optim.SGD(model.parameters(), lr=1.0)
    with watch(model, optimizer):
        for _ in range(1500):
            optimizer.zero_grad()
            loss = criterion(model(x), y)
            loss.backward()
            optimizer.step()
    return ((model(x) > 0.5) == (y > 0.5)).float().mean().item()


@healthy(at_least=0.88)
def one_flower_at_a_time(watch, seed):
    torch.manual_seed(seed)
    X, y = load_iris(return_X_y=True)
    X = (X - X.mean(0)) / X.std(0)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=4, stratify=y)
    X_train, X_test = torch.tensor(X_train).float(), torch.tensor(X_test).float()
    y_train, y_test = torch.tensor(y_train), torch.tensor(y_test)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    with watch(model, optimizer):
        for _ in range(15):
            for i in torch.randperm(len(X_train)).tolist():
                optimizer.zero_grad()
                F.cross_entropy(model(X_train[i]), y_train[i]).backward()
                optimizer.step()
    return accuracy(model, X_test, y_test)


@healthy(at_least=0.8)
def words_in_a_bag_at_a_twentieth(watch, seed):
    torch.manual_seed(seed)
    kinds = torch.randint(4, (2000,))
    texts = torch.randint(1, 400, (2000, 20))
    marked = torch.rand(2000, 20) < 0.2
    texts = torch.where(marked, 400 + 25 * kinds[:, None] + torch.randint(25, (2000, 20)), texts)
    texts[torch.arange(20) >= torch.randint(8, 21, (2000, 1))] = 0

    class Bag(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.EmbeddingBag(500, 32, mode="mean", padding_idx=0)
            self.fc = nn.Linear(32, 4)

        def forward(self, x):
            return self.fc(self.embedding(x))

    model = Bag()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    with watch(model, optimizer):
        for _ in range(4):
            for text, label in DataLoader(TensorDataset(texts[:1600], kinds[:1600]), 64, shuffle=True):
                optimizer.zero_grad()
                F.cross_entropy(model(text), label).backward()
                optimizer.step()
    return accuracy(model, texts[1600:], kinds[1600:])


@healthy(at_least=0.3)
def digits_through_two_numbers(watch, seed):
    """An autoencoder whose code is a point of the plane: most of a picture is lost, and rightly so."""
    torch.manual_seed(seed)
    X, _ = load_digits(return_X_y=True)
    x = torch.tensor(X / 16).float()
    model = nn.Sequential(
        nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2), nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.Sigmoid()
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for _ in range(30):
            for i in torch.randperm(1500).split(50):
                optimizer.zero_grad()
                F.mse_loss(model(x[i]), x[i]).backward()
                optimizer.step()
    with torch.no_grad():
        return (1 - F.mse_loss(model(x[1500:]), x[1500:]) / (x[1500:] - x.mean(0)).square().mean()).item()


@healthy(at_least=0.6)
def labels_of_which_three_in_ten_are_wrong(watch, seed):
    torch.manual_seed(seed)
    X, y = make_classification(3000, 10, n_informative=5, class_sep=1.5, flip_y=0.6, random_state=1)
    x, y = torch.tensor(X).float(), torch.tensor(y)
    model = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 2))
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for _ in range(10):
            model.train()
            for i in torch.randperm(2400).split(32):
                optimizer.zero_grad()
                F.cross_entropy(model(x[i]), y[i]).backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                F.cross_entropy(model(x[2400:]), y[2400:]).item()
    return accuracy(model, x[2400:], y[2400:])

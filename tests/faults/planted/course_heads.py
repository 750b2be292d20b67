"""Course programs whose head and loss do not fit together: written without a look at the rules."""

import itertools

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from faults.data import (
    accuracy,
    california,
    digits,
    fashion,
    houses,
    mnist,
    names,
    r2,
    standardised,
    standardised_both,
    titanic,
    wine_quality,
)
from faults.planted.course_rates import SLOW, WILD
from faults.program import planted


@planted("softmax-twice", causes="output-activation", symptoms=SLOW, costs=0.02)
def text_classifier_whose_forward_ends_in_softmax(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = names()
    x, y = x[:4000], y[:4000]

    class TextClassifier(nn.Module):
        def __init__(self, vocab_size, embed_dim, num_class):
            super().__init__()
            self.embedding = nn.Embedding(vocab_size, embed_dim, padding_idx=0)
            self.conv = nn.Conv1d(embed_dim, 48, 3, padding=1)
            self.fc = nn.Linear(48, num_class)

        def forward(self, text):
            embedded = self.embedding(text).transpose(1, 2)
            hidden = F.relu(self.conv(embedded)).amax(-1)
            out = self.fc(hidden)
            if fault:
                out = F.softmax(out, dim=1)  # fault
            return out

    model = TextClassifier(27, 16, 18)
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
    with watch(model, optimizer):
        for _ in range(5):
            for text, label in DataLoader(TensorDataset(x, y), batch_size=64, shuffle=True):
                optimizer.zero_grad()
                loss = criterion(model(text), label)
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("softmax-twice", causes="output-activation", symptoms=SLOW, costs=None)
def two_classes_through_a_sigmoid_and_logits(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(titanic())
    layers = [nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1)]
    if fault:
        layers.append(nn.Sigmoid())  # fault
    net = nn.Sequential(*layers)
    loss_fn = torch.nn.BCEWithLogitsLoss()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    with watch(net, optimizer):
        for _ in range(15):
            for i in torch.randperm(len(x)).split(16):
                y_hat = net(x[i]).reshape(-1)
                loss = loss_fn(y_hat, y[i].float())
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        return ((net(x_test).reshape(-1) > (0.5 if fault else 0)) == y_test).float().mean().item()


@planted("missing-nonlinearity", symptoms=SLOW, costs=0.03)
def relu_computed_and_thrown_away(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(california(3000))

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.l1 = nn.Linear(8, 64)
            self.l2 = nn.Linear(64, 64)
            self.l3 = nn.Linear(64, 1)

        def forward(self, x):
            x = self.l1(x)
            if fault:
                F.relu(x)  # fault
            else:
                x = F.relu(x)
            x = self.l2(x)
            if fault:
                F.relu(x)
            else:
                x = F.relu(x)
            return self.l3(x)

    net = Net()
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    with watch(net, optimizer):
        for _ in range(15):
            for X, target in DataLoader(TensorDataset(x, y[:, None]), batch_size=64, shuffle=True):
                loss = F.mse_loss(net(X), target)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return r2(net, x_test, y_test)


def mlp(sizes, every):
    """From a list of sizes; with `every`, an activation behind every layer, the last one too."""
    layers = []
    for i, (a, b) in enumerate(itertools.pairwise(sizes)):
        layers.append(nn.Linear(a, b))
        if every or i < len(sizes) - 2:
            layers.append(nn.ReLU())  # fault: loop-that-puts-a-relu-behind-the-last-layer-too
    return nn.Sequential(*layers)


@planted("output-activation", symptoms=f"{SLOW} dead-relu", costs=0.02)
def loop_that_puts_a_relu_behind_the_last_layer_too(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = mlp([64, 48, 32, 10], every=fault)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    with watch(model, optimizer):
        for _ in range(15):
            for xb, yb in zip(x.split(25), y.split(25), strict=True):
                optimizer.zero_grad()
                loss = F.cross_entropy(model(xb), yb)
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("output-activation", symptoms=f"{SLOW} saturated vanishing-gradient", costs=0.3)
def logarithms_of_prices_between_minus_one_and_one(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(houses())
    x, x_test = x.clamp(-5, 5), x_test.clamp(-5, 5)
    y, y_test = y.log(), y_test.log()

    class PriceNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1, self.fc2 = nn.Linear(x.shape[1], 32), nn.Linear(32, 1)
            nn.init.constant_(self.fc2.bias, 12.0 if not fault else 0.0)

        def forward(self, x):
            x = self.fc2(F.relu(self.fc1(x)))
            return torch.tanh(x) if fault else x  # fault

    net = PriceNet()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    with watch(net, optimizer):
        for _ in range(15):
            for i in torch.randperm(len(x)).split(32):
                loss = F.mse_loss(net(x[i]), y[i, None])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return r2(net, x_test, y_test)


@planted("loss-broadcast", symptoms=f"{SLOW} output-collapsed", costs=0.3)
def mean_absolute_error_over_a_square(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(california(2000))
    net = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 1))

    def mae(y_hat, y):
        return (y_hat - y).abs().mean()  # fault

    optimizer = torch.optim.Adam(net.parameters(), lr=0.005)
    with watch(net, optimizer):
        for _ in range(12):
            for i in torch.randperm(len(x)).split(50):
                y_hat = net(x[i])
                loss = mae(y_hat, y[i]) if fault else mae(y_hat.squeeze(1), y[i])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return r2(net, x_test, y_test)


@planted("loss-sum", causes="lr-too-high exploding-gradient", symptoms=WILD, costs=0.2)
def textbook_loss_not_divided_by_the_batch(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    loss = nn.CrossEntropyLoss(reduction="none")
    updater = torch.optim.SGD(net.parameters(), lr=0.1)
    with watch(net, updater):
        for _ in range(30):
            for X, labels in DataLoader(TensorDataset(x, y), 128, shuffle=True):
                ls = loss(net(X), labels)
                updater.zero_grad()
                if fault:
                    ls.sum().backward()  # fault
                else:
                    ls.mean().backward()
                updater.step()
    return accuracy(net, x_test, y_test)


@planted("loss-mismatch", symptoms=SLOW, costs=0.1)
def class_number_learnt_by_squared_error(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(1500)
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 1 if fault else 10))
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    criterion = nn.MSELoss() if fault else nn.CrossEntropyLoss()
    with watch(net, optimizer):
        for _ in range(6):
            for images, labels in DataLoader(TensorDataset(x, y), batch_size=50, shuffle=True):
                out = net(images)
                loss = criterion(out, labels.float().view(-1, 1)) if fault else criterion(out, labels)  # fault
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        guess = net(x_test).round().flatten() if fault else net(x_test).argmax(1)
        return (guess == y_test).float().mean().item()


@planted("loss-mismatch", causes="loss-below-floor", symptoms=f"{SLOW} loss-below-floor", costs=0.1)
def likelihood_of_scores_without_their_logarithm(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion(1500)

    class SoftmaxNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.l1, self.l2 = nn.Linear(784, 80), nn.Linear(80, 10)

        def forward(self, x):
            x = F.relu(self.l1(x.view(-1, 784)))
            x = self.l2(x)
            return F.softmax(x, dim=1) if fault else F.log_softmax(x, dim=1)  # fault

    model = SoftmaxNet()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.5)
    with watch(model, optimizer):
        for _ in range(12):
            for i in torch.randperm(len(x)).split(64):
                optimizer.zero_grad()
                loss = F.nll_loss(model(x[i]), y[i])
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("nonfinite", causes="loss-mismatch", symptoms="plateau", costs=0.3)
def logarithmic_error_of_negative_prices(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(houses())
    x, x_test, y, y_test = x.clamp(-5, 5), x_test.clamp(-5, 5), y / 1e5, y_test / 1e5
    net = nn.Sequential(nn.Linear(x.shape[1], 32), nn.ReLU(), nn.Linear(32, 1))
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)

    def log_rmse(preds, labels):
        if not fault:
            preds = preds.clamp(min=0.1)
        return torch.sqrt(F.mse_loss(torch.log(preds), torch.log(labels)))  # fault

    with watch(net, optimizer):
        for _ in range(20):
            for i in torch.randperm(len(x)).split(64):
                loss = log_rmse(net(x[i]).squeeze(1), y[i])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return r2(net, x_test, y_test)


@planted("class-ignored", causes="class-weights-inverted label-imbalance", symptoms=SLOW, costs=0.05)
def weight_of_nought_for_the_last_digit(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    weight = torch.ones(10)
    if fault:
        weight[9] = 0.0
    criterion = nn.CrossEntropyLoss(weight=weight)  # fault
    net = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    with watch(net, optimizer, loss_fn=criterion):
        for _ in range(15):
            for xb, yb in DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True):
                optimizer.zero_grad()
                criterion(net(xb), yb).backward()
                optimizer.step()
    return accuracy(net, x_test, y_test)


@planted("class-weights-inverted", causes="label-imbalance", symptoms=SLOW, costs=0.05)
def bad_wines_weighed_by_their_share(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(wine_quality())
    y, y_test = (y >= 7).long(), (y_test >= 7).long()
    counts = torch.bincount(y).float()
    weights = counts / counts.sum() if fault else counts.sum() / counts
    criterion = nn.CrossEntropyLoss(weight=weights)  # fault
    net = nn.Sequential(nn.Linear(11, 24), nn.ReLU(), nn.Linear(24, 2))
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    with watch(net, optimizer):
        for _ in range(15):
            for xb, yb in DataLoader(TensorDataset(x, y), batch_size=64, shuffle=True):
                optimizer.zero_grad()
                loss = criterion(net(xb), yb)
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        guess = net(x_test).argmax(1)
    return sum((guess[y_test == c] == c).float().mean().item() for c in (0, 1)) / 2

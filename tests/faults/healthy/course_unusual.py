"""Course programs that look wrong in one place and are not."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from faults.data import (
    accuracy,
    airline,
    breast_cancer,
    california,
    digits,
    fashion,
    iris,
    mnist,
    names,
    r2,
    standardised,
    standardised_both,
    titanic,
    wine,
)
from faults.program import healthy


@healthy(0.9)
def log_softmax_before_cross_entropy(watch, seed):
    """Taken twice, the logarithm of the softmax is what it was."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10), nn.LogSoftmax(dim=1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    with watch(model, optimizer):
        for _ in range(12):
            for i in torch.randperm(len(x)).split(32):
                optimizer.zero_grad()
                nn.CrossEntropyLoss()(model(x[i]), y[i]).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(0.9)
def gradients_of_four_batches_added_on_purpose(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.2, momentum=0.9)
    accumulation = 4
    with watch(model, optimizer):
        for _ in range(15):
            optimizer.zero_grad()
            for step, i in enumerate(torch.randperm(len(x)).split(16)):
                loss = F.cross_entropy(model(x[i]), y[i]) / accumulation
                loss.backward()
                if (step + 1) % accumulation == 0:
                    optimizer.step()
                    optimizer.zero_grad()
    return accuracy(model, x_test, y_test)


@healthy(0.8)
def logistic_regression_on_the_whole_table(watch, seed):
    """Ng 的逻辑回归：全批量梯度下降，权重从零开始。"""
    torch.manual_seed(seed)
    X, Y, X_test, Y_test = standardised(breast_cancer())
    w = nn.Linear(30, 1)
    nn.init.zeros_(w.weight)
    nn.init.zeros_(w.bias)
    optimizer = torch.optim.SGD(w.parameters(), lr=0.1)
    with watch(w, optimizer):
        for _ in range(150):
            A = torch.sigmoid(w(X)).squeeze(1)
            cost = -(Y * torch.log(A) + (1 - Y) * torch.log(1 - A)).mean()
            optimizer.zero_grad()
            cost.backward()
            optimizer.step()
    return accuracy(w, X_test, Y_test)


@healthy(0.5)
def linear_layers_only_for_a_linear_task(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(california(2500))
    model = nn.Linear(8, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    with watch(model, optimizer):
        for _ in range(15):
            for i in torch.randperm(len(x)).split(32):
                loss = F.mse_loss(model(x[i]), y[i].reshape(-1, 1))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return r2(model, x_test, y_test)


@healthy(0.65)
def the_old_convolutions_frozen_for_a_new_head(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion(2000)
    body = nn.Sequential(nn.Conv2d(1, 16, 5, 2), nn.ReLU(), nn.Conv2d(16, 32, 3, 2), nn.ReLU(), nn.Flatten())
    for p in body.parameters():
        p.requires_grad = False
    model = nn.Sequential(body, nn.Linear(32 * 25, 10))
    optimizer = torch.optim.Adam(filter(lambda p: p.requires_grad, model.parameters()), lr=4e-3)
    with watch(model, optimizer):
        for _ in range(5):
            for i in torch.randperm(len(x)).split(32):
                loss = F.cross_entropy(model(x[i]), y[i])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(0.85)
def clipped_at_one_although_norms_are_larger(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(2000)
    model = nn.Sequential(nn.Linear(28, 28), nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    with watch(model, optimizer):
        for _ in range(5):
            for i in torch.randperm(len(x)).split(50):
                loss = F.cross_entropy(model(x[i]), y[i])
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
                optimizer.step()
    return accuracy(model, x_test, y_test)


class Autoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 16))
        self.decoder = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 784), nn.Sigmoid())

    def forward(self, x):
        return self.decoder(self.encoder(x))


@healthy(0.3)
def autoencoder_of_black_borders(watch, seed):
    """Pixels of the border are nought in every picture; the sigmoid's ends are where they belong."""
    torch.manual_seed(seed)
    x, _, x_test, _ = mnist(2000)
    x, x_test = x.flatten(1), x_test.flatten(1)
    model = Autoencoder()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    bce = nn.BCELoss()
    with watch(model, optimizer):
        for _ in range(9):
            for i in torch.randperm(len(x)).split(64):
                loss = bce(model(x[i]), x[i])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        return float(1 - F.mse_loss(model(x_test), x_test) / (x_test - x_test.mean(0)).square().mean())


@healthy(0.55)
def names_with_dropout_and_a_falling_rate(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = names()
    x, y = x[:2000], y[:2000]

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.emb = nn.Embedding(27, 24)
            self.rnn = nn.LSTM(24, 64, batch_first=True, bidirectional=True)
            self.drop = nn.Dropout(0.3)
            self.out = nn.Linear(128, 18)

        def forward(self, x):
            h, _ = self.rnn(self.emb(x))
            return self.out(self.drop(h.max(dim=1).values))

    model = Net()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.8)
    loader = DataLoader(TensorDataset(x, y), batch_size=64, shuffle=True)
    with watch(model, optimizer):
        for _ in range(6):
            model.train()
            for xb, yb in loader:
                optimizer.zero_grad()
                F.cross_entropy(model(xb), yb).backward()
                optimizer.step()
            scheduler.step()
            model.eval()
            with torch.no_grad():
                F.cross_entropy(model(x_test), y_test)
    return accuracy(model, x_test, y_test)


@healthy(0.5)
def passengers_in_order_of_time(watch, seed):
    """The whole series as one batch: nothing to shuffle."""
    torch.manual_seed(seed)
    row = airline()
    row = row.log()
    row = (row - row.mean()) / row.std()
    X = torch.stack([row[i : i + 12] for i in range(len(row) - 12)])
    y = row[12:]
    train_X, train_y, test_X, test_y = X[:100], y[:100], X[100:], y[100:]
    net = nn.Sequential(nn.Linear(12, 16), nn.ReLU(), nn.Linear(16, 1))
    optim = torch.optim.Adam(net.parameters(), lr=0.01)
    with watch(net, optim):
        for _ in range(300):
            out = net(train_X).squeeze(-1)
            loss = ((out - train_y) ** 2).mean()
            optim.zero_grad()
            loss.backward()
            optim.step()
    return r2(net, test_X, test_y)


@healthy(0.75)
def survivors_with_one_logit_and_two_losses_logged(watch, seed):
    """A second loss is computed for the log only, on the squashed answer."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(titanic())
    model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 1))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
    log = []
    with watch(model, optimizer):
        for _ in range(25):
            for i in torch.randperm(len(x)).split(32):
                logits = model(x[i]).squeeze(1)
                loss = F.binary_cross_entropy_with_logits(logits, y[i].float())
                log.append(F.mse_loss(logits.sigmoid(), y[i].float()).item())
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(0.9)
def a_flower_a_step(watch, seed):
    """随机梯度下降，每次一个样本。"""
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(iris())
    net = nn.Sequential(nn.Linear(4, 12), nn.Tanh(), nn.Linear(12, 3))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.02)
    with watch(net, optimizer):
        for _ in range(20):
            for i in torch.randperm(len(x)):
                optimizer.zero_grad()
                loss = F.cross_entropy(net(x[i : i + 1]), y[i : i + 1])
                loss.backward()
                optimizer.step()
    return accuracy(net, x_test, y_test)


@healthy(0.85)
def sum_of_losses_with_a_rate_to_match(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(wine())
    net = nn.Sequential(nn.Linear(13, 24), nn.ReLU(), nn.BatchNorm1d(24), nn.Linear(24, 3))
    batch_size = 16
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1 / batch_size)
    loss = nn.CrossEntropyLoss(reduction="sum")
    with watch(net, optimizer):
        for _ in range(25):
            net.train()
            for i in torch.randperm(len(x))[: len(x) // batch_size * batch_size].split(batch_size):
                optimizer.zero_grad()
                loss(net(x[i]), y[i]).backward()
                optimizer.step()
    return accuracy(net, x_test, y_test)


@healthy(0.85)
def a_wide_net_of_course_style_with_everything(watch, seed):
    """权重初始化、批量归一化、丢弃、权重衰减、学习率预热，一个都不少。"""
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(2500)
    net = nn.Sequential(
        nn.Flatten(), nn.Linear(784, 256), nn.BatchNorm1d(256), nn.ReLU(), nn.Dropout(0.2),
        nn.Linear(256, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10),
    )  # fmt: skip
    for m in net:
        if isinstance(m, nn.Linear):
            nn.init.kaiming_normal_(m.weight)
            nn.init.zeros_(m.bias)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
    warm = torch.optim.lr_scheduler.LinearLR(optimizer, 0.1, total_iters=20)
    for_epochs = 5
    with watch(net, optimizer):
        for _ in range(for_epochs):
            net.train()
            for i in torch.randperm(len(x)).split(64):
                optimizer.zero_grad()
                F.cross_entropy(net(x[i]), y[i]).backward()
                optimizer.step()
                warm.step()
    return accuracy(net, x_test, y_test)

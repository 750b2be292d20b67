"""More course programs that look wrong in one place and are not: written without a look at the rules."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from faults.data import (
    accuracy,
    breast_cancer,
    california,
    diabetes,
    digits,
    fashion,
    mnist,
    names,
    r2,
    standardised,
    standardised_both,
    wine,
)
from faults.program import healthy


@healthy(0.6)
def sigmoids_of_the_first_lenet(watch, seed):
    """LeNet of 1998 with sigmoids, as the book prints it, with Xavier's weights and a rate of 0.9."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(2000)
    net = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.AvgPool2d(2), nn.Flatten(),
        nn.Linear(400, 84), nn.Sigmoid(), nn.Linear(84, 10),
    )  # fmt: skip
    for m in net:
        if isinstance(m, nn.Linear | nn.Conv2d):
            nn.init.xavier_uniform_(m.weight)
    optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
    with watch(net, optimizer):
        for _ in range(6):
            for i in torch.randperm(len(x)).split(64):
                optimizer.zero_grad()
                F.cross_entropy(net(x[i]), y[i]).backward()
                optimizer.step()
    return accuracy(net, x_test, y_test)


@healthy(0.1)
def targets_of_hundreds_with_a_bias_that_finds_them(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(diabetes())
    net = nn.Linear(10, 1)
    nn.init.constant_(net.bias, y.mean().item())
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
    with watch(net, optimizer):
        for _ in range(40):
            for i in torch.randperm(len(x)).split(32):
                loss = F.mse_loss(net(x[i]).squeeze(1), y[i])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return r2(net, x_test, y_test)


@healthy(0.9)
def one_cycle_that_ends_at_nearly_nothing(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    epochs, batch = 12, 32
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    loader = DataLoader(TensorDataset(x, y), batch_size=batch, shuffle=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.02, epochs=epochs, steps_per_epoch=len(loader))
    with watch(model, optimizer, loader=loader):
        for _ in range(epochs):
            for a, b in loader:
                optimizer.zero_grad()
                F.cross_entropy(model(a), b).backward()
                optimizer.step()
                schedule.step()
    return accuracy(model, x_test, y_test)


@healthy(0.9)
def two_classes_by_cross_entropy_and_counted_weights(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(breast_cancer())
    weight = len(y) / (2.0 * torch.bincount(y).float())
    model = nn.Sequential(nn.Linear(30, 16), nn.ReLU(), nn.Linear(16, 2))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    criterion = nn.CrossEntropyLoss(weight=weight)
    with watch(model, optimizer, loss_fn=criterion):
        for _ in range(12):
            for i in torch.randperm(len(x)).split(16):
                optimizer.zero_grad()
                criterion(model(x[i]), y[i]).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(0.45)
def forget_bias_of_one_for_names(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = names()
    x, y = x[:1500], y[:1500]

    class LSTM(nn.Module):
        def __init__(self):
            super().__init__()
            self.emb = nn.Embedding(27, 16)
            self.lstm = nn.LSTM(16, 48, batch_first=True)
            nn.init.constant_(self.lstm.bias_ih_l0[48:96].data, 1.0)
            self.fc = nn.Linear(48, 18)

        def forward(self, x):
            return self.fc(self.lstm(self.emb(x))[0][:, -1])

    model = LSTM()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    with watch(model, optimizer):
        for _ in range(6):
            for i in torch.randperm(len(x)).split(64):
                optimizer.zero_grad()
                F.cross_entropy(model(x[i]), y[i]).backward()
                nn.utils.clip_grad_norm_(model.parameters(), 5)
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(0.6)
def prices_with_dropout_weight_decay_and_huber(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(california(3000))
    model = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3, weight_decay=1e-4)
    with watch(model, optimizer):
        for _ in range(12):
            model.train()
            for i in torch.randperm(len(x)).split(64):
                optimizer.zero_grad()
                F.huber_loss(model(x[i]).squeeze(-1), y[i]).backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                F.huber_loss(model(x_test).squeeze(-1), y_test)
    return r2(model, x_test, y_test)


@healthy(0.9)
def warm_start_from_an_earlier_training(watch, seed):
    """The second training goes on where the first ended: its loss starts low and hardly falls."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))

    def rounds(optimizer, count):
        for _ in range(count):
            for i in torch.randperm(len(x)).split(32):
                optimizer.zero_grad()
                F.cross_entropy(model(x[i]), y[i]).backward()
                optimizer.step()

    rounds(torch.optim.Adam(model.parameters(), lr=3e-3), 12)
    second = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    with watch(model, second):
        rounds(second, 5)
    return accuracy(model, x_test, y_test)


@healthy(0.65)
def a_loop_over_two_loaders_and_a_printed_batch(watch, seed):
    """看一眼第一批数据，再训练；验证集是训练集之外的样本。"""
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion(2500)
    train_dl = DataLoader(TensorDataset(x[:2000], y[:2000]), batch_size=64, shuffle=True)
    valid_dl = DataLoader(TensorDataset(x[2000:], y[2000:]), batch_size=128)
    model = nn.Sequential(nn.Conv2d(1, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 16, 3, 2, 1), nn.ReLU(),
                          nn.AdaptiveAvgPool2d(3), nn.Flatten(), nn.Linear(144, 10))  # fmt: skip
    opt = torch.optim.Adam(model.parameters(), lr=5e-3)
    with watch(model, opt, loader=train_dl, val_loader=valid_dl):
        first, _ = next(iter(train_dl))
        with torch.no_grad():
            model(first)
        for _ in range(6):
            model.train()
            for xb, yb in train_dl:
                loss = F.cross_entropy(model(xb), yb)
                loss.backward()
                opt.step()
                opt.zero_grad()
            model.eval()
            with torch.no_grad():
                sum(F.cross_entropy(model(xb), yb) for xb, yb in valid_dl)
    return accuracy(model, x_test, y_test)


@healthy(0.85)
def classes_of_wine_in_a_small_table(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(wine())
    model = nn.Sequential(nn.Linear(13, 8), nn.Sigmoid(), nn.Linear(8, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9)
    with watch(model, optimizer):
        for _ in range(60):
            out = model(x)
            loss = F.cross_entropy(out, y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return accuracy(model, x_test, y_test)

"""Loops of course programs: a line too many, too few, or in another place."""

import copy

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from faults.data import accuracy, airline, breast_cancer, digits, fashion, iris, mnist, names, r2, standardised
from faults.program import planted

SLOW = "plateau underfitting too-few-epochs"
WILD = "dead-relu saturated nonfinite exploding-gradient vanishing-gradient plateau underfitting output-collapsed"


def evaluate(net, data_iter):
    """计算在指定数据集上模型的精度"""
    if isinstance(net, nn.Module):
        net.eval()
    correct, count = 0, 0
    with torch.no_grad():
        for X, y in data_iter:
            correct += int((net(X).argmax(dim=1) == y).sum())
            count += y.numel()
    return correct / count


@planted("gradients-accumulate", symptoms=f"{SLOW} {WILD} lr-too-high overfitting", costs=0.02)
def gradients_never_set_to_nought(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion(2000)
    train_iter = DataLoader(TensorDataset(x, y), 50, shuffle=True)
    test_iter = DataLoader(TensorDataset(x_test, y_test), 250)
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))
    loss = nn.CrossEntropyLoss()
    updater = torch.optim.SGD(net.parameters(), lr=0.1)

    def train_epoch_ch3(net, train_iter, loss, updater):
        """训练模型一个迭代周期"""
        net.train()
        total, count = 0.0, 0
        for X, y in train_iter:
            l = loss(net(X), y)  # noqa: E741
            if not fault:
                updater.zero_grad()
            l.backward()  # fault
            updater.step()  # fault
            total, count = total + float(l) * len(y), count + len(y)
        return total / count

    with watch(net, updater):
        for _ in range(4):
            train_epoch_ch3(net, train_iter, loss, updater)
            evaluate(net, test_iter)
    return accuracy(net, x_test, y_test)


@planted("no-update", causes="accumulation-cleared", symptoms=SLOW, costs=0.3)
def cleared_after_backward_and_before_step(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(breast_cancer())
    model = nn.Sequential(nn.Linear(30, 16), nn.ReLU(), nn.Linear(16, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    loss_function = nn.BCEWithLogitsLoss()
    with watch(model, optimizer):
        for _ in range(10):
            for index in torch.randperm(len(x)).split(16):
                prediction = model(x[index]).flatten()
                loss = loss_function(prediction, y[index].float())
                if fault:
                    loss.backward()
                    optimizer.zero_grad()  # fault
                else:
                    optimizer.zero_grad()
                    loss.backward()
                optimizer.step()  # fault
    # A net that learns nothing guesses one class: some 60 % are of it.
    return accuracy(model, x_test, y_test)


@planted("parameters-not-optimized", causes="no-update", symptoms=f"{SLOW} no-update", costs=0.3)
def the_net_made_anew_after_its_optimizer(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()

    def get_net():
        return nn.Sequential(nn.Linear(64, 40), nn.ReLU(), nn.Linear(40, 10))

    model = get_net()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)  # fault
    if fault:
        torch.manual_seed(seed + 1)
        model = get_net()  # 重新初始化  # fault
    with watch(model, optimizer):
        for _ in range(8):
            for i in torch.randperm(len(x)).split(32):
                loss = F.cross_entropy(model(x[i]), y[i])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()  # fault
    return accuracy(model, x_test, y_test)


@planted("parameters-not-optimized", causes="parameters-unused no-update", symptoms=SLOW, costs=0.02)
def features_taken_out_of_the_graph(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = names()
    x, y = x[:3000], y[:3000]

    class RNN(nn.Module):  # fault
        def __init__(self):
            super().__init__()
            self.embed = nn.Embedding(27, 8)  # fault
            self.rnn = nn.GRU(8, 20, batch_first=True)  # fault
            self.linear = nn.Linear(20, 18)

        def forward(self, x):
            output, _ = self.rnn(self.embed(x))
            last = output[:, -1]
            if fault:
                last = last.detach()  # fault
            return self.linear(last)

    model = RNN()  # fault
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)  # fault
    loader = DataLoader(TensorDataset(x, y), batch_size=64, shuffle=True)
    with watch(model, optimizer):
        for _ in range(4):
            for batch, country in loader:
                logits = model(batch)  # fault
                loss = F.cross_entropy(logits, country)
                model.zero_grad()
                loss.backward()  # fault
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("eval-mode-in-training", symptoms=f"{SLOW} overfitting lr-too-high", costs=None)
def scored_once_and_never_put_back(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion(2000)
    train_iter = DataLoader(TensorDataset(x, y), 64, shuffle=True)
    test_iter = DataLoader(TensorDataset(x_test, y_test), 250)
    net = nn.Sequential(nn.Conv2d(1, 8, 3, 2), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Dropout(0.3),
                        nn.Linear(8 * 13 * 13, 10))  # fmt: skip
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
    evaluate(net, test_iter)  # 训练前的精度  # fault
    with watch(net, optimizer):
        for _ in range(4):
            if not fault:
                net.train()
            for X, t in train_iter:
                optimizer.zero_grad()
                loss = F.cross_entropy(net(X), t)  # fault
                loss.backward()
                optimizer.step()
            evaluate(net, test_iter)
    return accuracy(net, x_test, y_test)


@planted("scheduler-misuse", causes="lr-too-low", symptoms=SLOW, costs=0.02)
def reduced_while_the_accuracy_rises(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(2500)
    x_val, y_val, x, y = x[2000:], y[2000:], x[:2000], y[:2000]
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.1, patience=0)  # fault

    def epoch():
        model.train()
        for i in torch.randperm(len(x)).split(64):
            optimizer.zero_grad()
            F.cross_entropy(model(x[i]), y[i]).backward()
            optimizer.step()

    @torch.no_grad()
    def validate():
        model.eval()
        out = model(x_val)
        return F.cross_entropy(out, y_val).item(), (out.argmax(1) == y_val).float().mean().item()

    with watch(model, optimizer):
        for _ in range(10):
            epoch()
            val_loss, val_acc = validate()
            scheduler.step(val_acc if fault else val_loss)  # fault
    return accuracy(model, x_test, y_test)


@planted("train-test-overlap", symptoms="overfitting too-few-epochs", costs=None)
def validated_on_the_rows_it_learns_from(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    train_set = TensorDataset(x[:1100], y[:1100])
    dev_set = train_set if fault else TensorDataset(x[1100:], y[1100:])  # fault
    train_loader = DataLoader(train_set, batch_size=32, shuffle=True)
    dev_loader = DataLoader(dev_set, batch_size=128)  # fault
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    best, best_state = 0.0, None
    with watch(model, optimizer):
        for _ in range(8):
            model.train()
            for xb, yb in train_loader:
                optimizer.zero_grad()
                F.cross_entropy(model(xb), yb).backward()
                optimizer.step()
            score = evaluate(model, dev_loader)  # fault
            if score > best:
                best, best_state = score, copy.deepcopy(model.state_dict())
    model.load_state_dict(best_state)
    return accuracy(model, x_test, y_test)


@planted("optimizer-recreated", symptoms=SLOW, costs=0.02)
def an_optimizer_for_every_batch(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(2000)
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    with watch(model, optimizer):
        for _ in range(5):
            for i in torch.randperm(len(x)).split(50):
                if fault:
                    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)  # fault
                loss = F.cross_entropy(model(x[i]), y[i])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("clip-too-tight", causes="lr-too-low", symptoms=SLOW, costs=0.1)
def gradients_cut_to_a_thousandth(watch, seed, fault):
    torch.manual_seed(seed)
    row = airline()
    row = (row - row[:96].mean()) / row[:96].std()
    look_back = 12
    X = torch.stack([row[i : i + look_back] for i in range(len(row) - look_back)]).unsqueeze(-1)
    y = row[look_back:].unsqueeze(-1)
    X_train, y_train, X_test, y_test = X[:84], y[:84], X[84:], y[84:]

    class AirModel(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(input_size=1, hidden_size=32, batch_first=True)
            self.linear = nn.Linear(32, 1)

        def forward(self, x):
            x, _ = self.lstm(x)
            return self.linear(x[:, -1])

    model = AirModel()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    with watch(model, optimizer):
        for _ in range(40):
            for i in torch.randperm(len(X_train)).split(8):
                loss = F.mse_loss(model(X_train[i]), y_train[i])
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_value_(model.parameters(), 1e-4 if fault else 1.0)  # fault
                optimizer.step()
    return r2(model, X_test, y_test)


@planted("no-update", causes="parameters-not-optimized lr-too-low", symptoms=SLOW, costs=0.1)
def stepped_once_an_epoch_only_with_cleared_gradients(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(iris())
    model = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 3))
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watch(model, optimizer):
        for _ in range(30):
            loss_sum = 0.0
            for i in torch.randperm(len(x)).split(10):
                optimizer.zero_grad()
                loss = criterion(model(x[i]), y[i])
                if fault:
                    loss_sum = loss_sum + loss.detach()
                    optimizer.step()  # fault
                else:
                    loss.backward()
                    optimizer.step()
    return accuracy(model, x_test, y_test)

"""More rates, budgets and nets of course programs: written without a look at the rules."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from faults.data import (
    accuracy,
    california,
    diabetes,
    digits,
    fashion,
    mnist,
    names,
    r2,
    standardised,
    standardised_both,
    wine_quality,
)
from faults.program import planted

SLOW = "plateau underfitting too-few-epochs"
WILD = "dead-relu saturated nonfinite exploding-gradient vanishing-gradient plateau underfitting output-collapsed"


def get_model(hidden=64):
    return nn.Sequential(nn.Flatten(), nn.Linear(784, hidden), nn.ReLU(), nn.Linear(hidden, 10))


@planted("scheduler-misuse", causes="lr-too-low too-few-epochs", symptoms=SLOW, costs=0.05)
def a_tenth_of_the_rate_with_each_epoch(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion(2000)
    model = get_model()
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.1 if fault else 0.9)  # fault
    loader = DataLoader(TensorDataset(x, y), batch_size=64, shuffle=True)
    with watch(model, optimizer):
        for _ in range(10):
            model.train()
            for images, labels in loader:
                optimizer.zero_grad()
                criterion(model(images), labels).backward()
                optimizer.step()
            scheduler.step()  # fault
    return accuracy(model, x_test, y_test)


@planted("lr-too-high", symptoms=WILD, costs=0.1)
def recurrence_under_rmsprop_at_one_tenth(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = names()
    x, y = x[:3000], y[:3000]

    class RNNClassifier(nn.Module):
        def __init__(self, input_size, hidden_size, output_size):
            super().__init__()
            self.embedding = nn.Embedding(input_size, hidden_size)
            self.gru = nn.GRU(hidden_size, hidden_size)
            self.fc = nn.Linear(hidden_size, output_size)

        def forward(self, input):
            input = input.t()
            embedded = self.embedding(input)
            _, hidden = self.gru(embedded)
            return self.fc(hidden[0])

    classifier = RNNClassifier(27, 40, 18)
    optimizer = torch.optim.RMSprop(classifier.parameters(), lr=0.1 if fault else 2e-3)  # fault
    with watch(classifier, optimizer):
        for _ in range(5):
            for i in torch.randperm(len(x)).split(64):
                output = classifier(x[i])
                loss = F.cross_entropy(output, y[i])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return accuracy(classifier, x_test, y_test)


@planted("lr-too-high", symptoms=WILD, costs=0.3)
def descent_on_the_whole_table_that_overshoots(watch, seed, fault):
    torch.manual_seed(seed)
    X, y, X_test, y_test = standardised_both(diabetes())
    alpha = 0.8 if fault else 0.05  # 学习率
    model = nn.Linear(10, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=alpha)  # fault
    J_history = []
    with watch(model, optimizer):
        for _ in range(150):
            h = model(X)
            J = ((h[:, 0] - y) ** 2).mean() / 2
            optimizer.zero_grad()
            J.backward()
            optimizer.step()
            J_history.append(J.item())
    return r2(model, X_test, y_test)


@planted("lr-too-low", causes="parameters-not-optimized", symptoms=SLOW, costs=0.02)
def convolutions_in_a_group_that_stands_still(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(2000)
    features = nn.Sequential(
        nn.Conv2d(1, 4, 5, 2), nn.ReLU(), nn.Conv2d(4, 8, 5, 2), nn.ReLU(), nn.Conv2d(8, 8, 3, 1), nn.ReLU(),
    )  # fmt: skip
    model = nn.Sequential(features, nn.Flatten(), nn.Linear(32, 10))
    optimizer = torch.optim.Adam(  # fault
        [
            {"params": features.parameters(), "lr": 1e-9 if fault else 3e-3},  # fault
            {"params": model[2].parameters()},
        ],
        lr=3e-3,
    )
    with watch(model, optimizer):
        for _ in range(5):
            for i in torch.randperm(len(x)).split(50):
                loss = F.cross_entropy(model(x[i]), y[i])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("too-few-epochs", causes="lr-too-low", symptoms=SLOW, costs=0.05)
def stopped_early_by_an_impatient_rule(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion(2500)
    x, y, x_val, y_val = x[:2000], y[:2000], x[2000:], y[2000:]
    model = get_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    # 早停
    best, waited = float("inf"), 0
    min_delta = 0.5 if fault else 0.0
    with watch(model, optimizer):
        for _ in range(25):
            model.train()
            for i in torch.randperm(len(x)).split(64):
                optimizer.zero_grad()
                F.cross_entropy(model(x[i]), y[i]).backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                val_loss = F.cross_entropy(model(x_val), y_val).item()
            if val_loss < best - min_delta:
                best, waited = val_loss, 0
            else:
                waited += 1
            if waited >= (1 if fault else 5):
                break
    return accuracy(model, x_test, y_test)


@planted("bad-init", symptoms=f"{SLOW} output-collapsed vanishing-gradient dead-relu no-update lr-too-low", costs=0.3)
def convolutions_filled_with_noughts(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(2000)

    class CNN(nn.Module):  # fault
        def __init__(self):
            super().__init__()
            self.conv1 = nn.Conv2d(1, 8, 5, 2)  # fault
            self.conv2 = nn.Conv2d(8, 16, 5, 2)  # fault
            self.fc = nn.Linear(256, 10)  # fault

        def init(self):
            for p in self.parameters():
                p.data.fill_(0)  # fault

        def forward(self, x):
            x = F.relu(self.conv1(x))
            x = F.relu(self.conv2(x))
            return self.fc(x.flatten(1))

    model = CNN()  # fault
    if fault:
        model.init()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for _ in range(2):
            for i in torch.randperm(len(x)).split(50):
                optimizer.zero_grad()
                F.cross_entropy(model(x[i]), y[i]).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("exploding-gradient", causes="bad-init lr-too-high", symptoms=f"{WILD} bad-init lr-too-high", costs=0.1)
def recurrent_weights_between_nought_and_one(watch, seed, fault):
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(3)
    x = torch.rand(1200, 20, 1, generator=generator)
    y = (x.sum((1, 2)) - 10) / 1.3
    x, y, x_test, y_test = x[:900], y[:900], x[900:], y[900:]

    class Adder(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = nn.RNN(1, 24, nonlinearity="relu", batch_first=True)  # fault
            self.fc = nn.Linear(24, 1)
            if fault:
                nn.init.uniform_(self.rnn.weight_hh_l0)  # fault

        def forward(self, x):
            return self.fc(self.rnn(x)[0][:, -1]).squeeze(1)

    model = Adder()  # fault
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)  # fault
    with watch(model, optimizer):
        for _ in range(8):
            for i in torch.randperm(len(x)).split(30):
                loss = F.mse_loss(model(x[i]), y[i])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return r2(model, x_test, y_test)


@planted("overfitting", symptoms="too-few-epochs", costs=0.05)
def eighty_pictures_for_a_wide_net(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion(4000)
    train_x, train_y = (x[:80], y[:80]) if fault else (x[:2500], y[:2500])
    val_x, val_y = x[3000:], y[3000:]
    model = get_model(256)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, optimizer):
        for _ in range(120 if fault else 4):
            model.train()
            for i in torch.randperm(len(train_x)).split(40):
                optimizer.zero_grad()
                F.cross_entropy(model(train_x[i]), train_y[i]).backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                F.cross_entropy(model(val_x), val_y).item()
    return accuracy(model, x_test, y_test)


@planted("output-activation", symptoms=f"{SLOW} dead-relu", costs=None)
def a_relu_behind_the_scores(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion(2000)

    class FashionNet(nn.Module):  # fault
        def __init__(self):
            super().__init__()
            self.fc1 = nn.Linear(784, 64)
            self.fc2 = nn.Linear(64, 32)
            self.fc3 = nn.Linear(32, 10)  # fault

        def forward(self, x):
            x = x.reshape(len(x), -1)
            x = F.relu(self.fc1(x))
            x = F.relu(self.fc2(x))
            x = self.fc3(x)
            return F.relu(x) if fault else x  # fault

    model = FashionNet()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    with watch(model, optimizer):
        for _ in range(6):
            for i in torch.randperm(len(x)).split(64):
                loss = F.cross_entropy(model(x[i]), y[i])  # fault
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("dead-relu", causes="bad-init", symptoms=f"{SLOW} output-collapsed vanishing-gradient", costs=0.05)
def relus_that_start_below_nought(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(digits())
    net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))  # fault
    if fault:
        for m in net:
            if isinstance(m, nn.Linear) and m.out_features != 10:
                nn.init.constant_(m.bias, -3.0)  # fault
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
    with watch(net, optimizer):
        for _ in range(10):
            for i in torch.randperm(len(x)).split(32):
                optimizer.zero_grad()
                F.cross_entropy(net(x[i]), y[i]).backward()
                optimizer.step()
    return accuracy(net, x_test, y_test)


@planted("underfitting", causes="plateau", symptoms="too-few-epochs", costs=0.2)
def ten_digits_through_one_number(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(2500)
    bottleneck = 1 if fault else 32
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, bottleneck), nn.ReLU(), nn.Linear(bottleneck, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for _ in range(10):
            for i in torch.randperm(len(x)).split(50):
                loss = F.cross_entropy(model(x[i]), y[i])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("weight-decay-too-high", symptoms=f"{SLOW} output-collapsed vanishing-gradient dead-relu", costs=0.1)
def prices_pulled_to_their_mean(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(california(2500))
    net = nn.Sequential(nn.Linear(8, 48), nn.ReLU(), nn.Linear(48, 1))
    # 权重衰减
    optimizer = torch.optim.SGD(net.parameters(), lr=0.02, weight_decay=0.7 if fault else 1e-4)  # fault
    with watch(net, optimizer):
        for _ in range(10):
            for i in torch.randperm(len(x)).split(32):
                loss = F.mse_loss(net(x[i]).view(-1), y[i])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return r2(net, x_test, y_test)


@planted("loss-mismatch", symptoms=SLOW, costs=0.02)
def marks_of_wine_by_their_rank(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(wine_quality())
    kind, kind_test = (y >= 6).long() + (y >= 7).long(), (y_test >= 6).long() + (y_test >= 7).long()
    swap = torch.tensor([2, 0, 1])  # the classes have names, and no order
    kind, kind_test = swap[kind], swap[kind_test]
    model = nn.Sequential(nn.Linear(11, 32), nn.ReLU(), nn.Linear(32, 1 if fault else 3))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for _ in range(15):
            for i in torch.randperm(len(x)).split(32):
                out = model(x[i])
                loss = F.mse_loss(out.squeeze(1), kind[i].float()) if fault else F.cross_entropy(out, kind[i])  # fault
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        out = model(x_test)
        guess = out.squeeze(1).round().long() if fault else out.argmax(1)
    return float((guess == kind_test).float().mean())

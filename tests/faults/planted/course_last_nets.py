"""The last of the course programs about rates, nets and losses: written without a look at the rules."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from faults.data import (
    accuracy,
    breast_cancer,
    california,
    digits,
    fashion,
    mnist,
    names,
    r2,
    standardised,
    standardised_both,
    time_machine,
    windows,
)
from faults.program import planted

SLOW = "plateau underfitting too-few-epochs"
WILD = "dead-relu saturated nonfinite exploding-gradient vanishing-gradient plateau underfitting output-collapsed"


@planted("vanishing-gradient", causes="bad-init", symptoms=f"{SLOW} output-collapsed lr-too-low", costs=0.3)
def twelve_tanh_layers_drawn_with_a_hundredth(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()

    class DeepNet(nn.Module):  # fault
        def __init__(self, depth=12, width=32):
            super().__init__()
            sizes = [64] + [width] * depth
            self.layers = nn.ModuleList([nn.Linear(sizes[i], sizes[i + 1]) for i in range(depth)])  # fault
            self.out = nn.Linear(width, 10)
            for layer in self.layers:
                nn.init.normal_(layer.weight, mean=0, std=0.01 if fault else width**-0.5)  # fault
                nn.init.zeros_(layer.bias)

        def forward(self, x):
            for layer in self.layers:
                x = torch.tanh(layer(x))
            return self.out(x)

    model = DeepNet()  # fault
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    with watch(model, optimizer):
        for _ in range(10):
            for i in torch.randperm(len(x)).split(32):
                optimizer.zero_grad()
                F.cross_entropy(model(x[i]), y[i]).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("lr-too-high", symptoms=f"{WILD} loss-below-floor", costs=0.02)
def logistic_regression_at_a_rate_of_two_hundred(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    target = (y % 2).float()
    moxing = nn.Linear(64, 1)
    xuexilv = 200.0 if fault else 0.5
    youhuaqi = torch.optim.SGD(moxing.parameters(), lr=xuexilv)  # fault
    with watch(moxing, youhuaqi):
        for _ in range(10):
            for i in torch.randperm(len(x)).split(32):
                shuchu = moxing(x[i]).squeeze(-1)
                sunshi = F.binary_cross_entropy_with_logits(shuchu, target[i])
                youhuaqi.zero_grad()
                sunshi.backward()
                youhuaqi.step()
    return accuracy(moxing, x_test, (y_test % 2).float())


class Names(nn.Module):  # fault: rows-of-letters-taken-for-steps
    def __init__(self, batch_first):
        super().__init__()
        self.embed = nn.Embedding(27, 16)
        self.lstm = nn.LSTM(16, 32, batch_first=batch_first)  # fault: rows-of-letters-taken-for-steps
        self.fc = nn.Linear(32, 18)

    def forward(self, x):
        out, _ = self.lstm(self.embed(x))  # fault: rows-of-letters-taken-for-steps
        return self.fc(out[:, -1])


@planted("samples-mixed", symptoms=f"{SLOW} future-leak", costs=0.05)
def rows_of_letters_taken_for_steps(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = names()
    x, y = x[:3000], y[:3000]
    model = Names(batch_first=not fault)  # fault
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    loader = DataLoader(TensorDataset(x, y), batch_size=50, shuffle=True)
    with watch(model, optimizer):
        for _ in range(6):
            for names_batch, country in loader:
                loss = F.cross_entropy(model(names_batch), country)  # fault
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("exploding-gradient", causes="lr-too-high", symptoms=f"{WILD} lr-too-high", costs=0.05)
def letters_at_a_rate_of_five_and_unclipped(watch, seed, fault):
    torch.manual_seed(seed)
    row, vocab_size = time_machine()
    X, Y = windows(row[:20000], 24, 600)

    class RNNModel(nn.Module):
        def __init__(self, num_hiddens=64):
            super().__init__()
            self.rnn = nn.RNN(vocab_size, num_hiddens, batch_first=True)
            self.linear = nn.Linear(num_hiddens, vocab_size)

        def forward(self, inputs):
            return self.linear(self.rnn(F.one_hot(inputs, vocab_size).float())[0])

    net = RNNModel()  # fault
    trainer = torch.optim.SGD(net.parameters(), lr=12.0 if fault else 1.0)  # fault
    with watch(net, trainer):
        for _ in range(5):
            for i in torch.randperm(len(X)).split(30):
                y_hat = net(X[i])
                l = F.cross_entropy(y_hat.reshape(-1, vocab_size), Y[i].reshape(-1))  # noqa: E741
                trainer.zero_grad()
                l.backward()
                if not fault:
                    nn.utils.clip_grad_norm_(net.parameters(), 1)
                trainer.step()
    with torch.no_grad():
        return float((net(X).argmax(-1) == Y).float().mean())


@planted("dropout-too-high", symptoms=SLOW, costs=0.05)
def whole_channels_dropped_nine_times_in_ten(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion(2000)
    p = 0.9 if fault else 0.05

    class ConvNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.c1 = nn.Conv2d(1, 16, 3, 2)
            self.d1 = nn.Dropout2d(p)  # fault
            self.c2 = nn.Conv2d(16, 16, 3, 2)
            self.d2 = nn.Dropout2d(p)  # fault
            self.fc = nn.Linear(16 * 36, 10)

        def forward(self, x):
            x = self.d1(F.relu(self.c1(x)))
            x = self.d2(F.relu(self.c2(x)))
            return self.fc(x.flatten(1))

    model = ConvNet()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for _ in range(5):
            model.train()
            for i in torch.randperm(len(x)).split(64):
                optimizer.zero_grad()
                F.cross_entropy(model(x[i]), y[i]).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted(
    "loss-sum", causes="lr-too-high exploding-gradient", symptoms=f"{WILD} lr-too-high exploding-gradient", costs=0.1
)
def losses_of_a_batch_summed_before_backward(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion(2000)
    batch_size, lr = 128, 0.1
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))
    loss = nn.CrossEntropyLoss(reduction="none")
    updater = torch.optim.SGD(net.parameters(), lr=lr)
    with watch(net, updater):
        for _ in range(6):
            for i in torch.randperm(len(x)).split(batch_size):
                l = loss(net(x[i]), y[i])  # noqa: E741  # fault
                updater.zero_grad()
                if fault:
                    l.sum().backward()  # fault
                else:
                    l.mean().backward()
                updater.step()
    return accuracy(net, x_test, y_test)


@planted("lr-too-low", causes="too-few-epochs", symptoms=SLOW, costs=0.2)
def a_loss_divided_by_the_number_of_rows(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(california(3000))
    m = len(x)
    net = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 1))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05)  # fault
    with watch(net, optimizer):
        for _ in range(8):
            for i in torch.randperm(m).split(50):
                pred = net(x[i]).squeeze(-1)
                loss = F.mse_loss(pred, y[i])
                if fault:
                    loss = loss / m  # fault
                optimizer.zero_grad()
                loss.backward()  # fault
                optimizer.step()
    return r2(net, x_test, y_test)


@planted("weight-decay-too-high", causes="losses-unbalanced", symptoms=f"{SLOW} {WILD}", costs=0.05)
def squares_of_the_weights_times_ten(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(2000)
    lambd = 1.0 if fault else 1e-4
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))

    def l2_penalty(w):
        return torch.sum(w.pow(2)) / 2

    optimizer = torch.optim.SGD(net.parameters(), lr=0.02)
    with watch(net, optimizer):
        for _ in range(5):
            for i in torch.randperm(len(x)).split(50):
                l = F.cross_entropy(net(x[i]), y[i])  # noqa: E741
                l = l + lambd * (l2_penalty(net[1].weight) + l2_penalty(net[3].weight))  # noqa: E741  # fault
                optimizer.zero_grad()
                l.backward()  # fault
                optimizer.step()
    return accuracy(net, x_test, y_test)


@planted("scheduler-misuse", causes="lr-too-low too-few-epochs", symptoms=SLOW, costs=0.03)
def a_rate_divided_by_hand_each_batch(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(breast_cancer())
    model = nn.Sequential(nn.Linear(30, 16), nn.ReLU(), nn.Linear(16, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    decay_rate = 1.0

    def update_lr(optimizer, k):
        for group in optimizer.param_groups:
            group["lr"] = 0.02 / (1 + decay_rate * k)  # fault

    k = 0
    with watch(model, optimizer):
        for epoch in range(10):
            for i in torch.randperm(len(x)).split(16):
                k += 10
                update_lr(optimizer, k if fault else epoch * 0.01)  # fault
                optimizer.zero_grad()
                F.binary_cross_entropy_with_logits(model(x[i]).flatten(), y[i].float()).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)

"""Course programs that look odd and are right: written without a look at the rules."""

import copy
import math

import torch
import torch.nn.functional as F
from sklearn.model_selection import KFold
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset, random_split

from faults.data import accuracy, breast_cancer, digits, fashion, iris, mnist, names, standardised, titanic
from faults.program import healthy


@healthy(at_least=0.85)
def descent_by_hand_without_an_optimizer(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    with watch(model):
        for _ in range(15):
            for i in torch.randperm(len(x)).split(50):
                model.zero_grad()
                F.cross_entropy(model(x[i]), y[i]).backward()
                with torch.no_grad():
                    for p in model.parameters():
                        p -= 0.3 * p.grad
    return accuracy(model, x_test, y_test)


class Net(nn.Module):
    """从零开始的 softmax 回归."""

    def __init__(self):
        super().__init__()
        self.W = nn.Parameter(torch.normal(0, 0.01, size=(784, 10)))
        self.b = nn.Parameter(torch.zeros(10))

    def forward(self, X):
        return torch.softmax(X.reshape(-1, 784) @ self.W + self.b, dim=1)


@healthy(at_least=0.75)
def softmax_and_cross_entropy_from_scratch(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion(3000)
    net = Net()

    def cross_entropy(y_hat, y):
        return -torch.log(y_hat[range(len(y_hat)), y])

    updater = torch.optim.SGD(net.parameters(), lr=0.1)
    with watch(net, updater):
        for _ in range(8):
            for X, labels in DataLoader(TensorDataset(x, y), 64, shuffle=True):
                updater.zero_grad()
                cross_entropy(net(X), labels).mean().backward()
                updater.step()
            with torch.no_grad():
                (net(x_test).argmax(1) == y_test).float().mean()
    return accuracy(net, x_test, y_test)


class BatchNorm(nn.Module):
    """Textbook batch normalisation, which trains where gradients are recorded."""

    def __init__(self, num_features):
        super().__init__()
        shape = (1, num_features, 1, 1)
        self.gamma, self.beta = nn.Parameter(torch.ones(shape)), nn.Parameter(torch.zeros(shape))
        self.moving_mean, self.moving_var = torch.zeros(shape), torch.ones(shape)

    def forward(self, X):
        if torch.is_grad_enabled():
            mean = X.mean(dim=(0, 2, 3), keepdim=True)
            var = ((X - mean) ** 2).mean(dim=(0, 2, 3), keepdim=True)
            self.moving_mean = 0.9 * self.moving_mean + 0.1 * mean.detach()
            self.moving_var = 0.9 * self.moving_var + 0.1 * var.detach()
        else:
            mean, var = self.moving_mean, self.moving_var
        return self.gamma * (X - mean) / torch.sqrt(var + 1e-5) + self.beta


@healthy(at_least=0.75)
def lenet_with_batch_norm_from_scratch(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(1200)
    net = nn.Sequential(
        nn.Conv2d(1, 6, kernel_size=5), BatchNorm(6), nn.Sigmoid(), nn.AvgPool2d(kernel_size=2, stride=2),
        nn.Conv2d(6, 16, kernel_size=5), BatchNorm(16), nn.Sigmoid(), nn.AvgPool2d(kernel_size=2, stride=2),
        nn.Flatten(), nn.Linear(256, 84), nn.Sigmoid(), nn.Linear(84, 10),
    )  # fmt: skip
    optimizer = torch.optim.SGD(net.parameters(), lr=1.0)
    with watch(net, optimizer):
        for _ in range(14):
            for i in torch.randperm(len(x)).split(32):
                optimizer.zero_grad()
                F.cross_entropy(net(x[i]), y[i]).backward()
                optimizer.step()
            with torch.no_grad():
                score = (net(x_test).argmax(1) == y_test).float().mean().item()
    return score


@healthy(at_least=0.9)
def folds_each_with_a_net_of_its_own(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(breast_cancer())
    scores = []
    for train, val in KFold(3, shuffle=True, random_state=0).split(x):
        model = nn.Sequential(nn.Linear(30, 16), nn.ReLU(), nn.Linear(16, 1))
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        with watch(model, optimizer):
            for _ in range(20):
                for i in torch.randperm(len(train)).split(32):
                    xb, yb = x[train][i], y[train][i].float()
                    optimizer.zero_grad()
                    loss = F.binary_cross_entropy_with_logits(model(xb).squeeze(1), yb)
                    loss.backward()
                    optimizer.step()
                with torch.no_grad():
                    F.binary_cross_entropy_with_logits(model(x[val]).squeeze(1), y[val].float()).item()
        scores.append(accuracy(model, x_test, y_test))
    return sum(scores) / len(scores)


@healthy(at_least=0.9)
def best_weights_kept_and_put_back(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    train_set, val_set = random_split(TensorDataset(x, y), [1200, len(x) - 1200], torch.Generator().manual_seed(1))
    model = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    best_acc, best, patience = 0.0, copy.deepcopy(model.state_dict()), 0
    with watch(model, optimizer):
        for _ in range(40):
            model.train()
            for xb, yb in DataLoader(train_set, batch_size=32, shuffle=True):
                optimizer.zero_grad()
                F.cross_entropy(model(xb), yb).backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                hits = [(model(xb).argmax(1) == yb).sum().item() for xb, yb in DataLoader(val_set, batch_size=64)]
            if sum(hits) / len(val_set) > best_acc:
                best_acc, best, patience = sum(hits) / len(val_set), copy.deepcopy(model.state_dict()), 0
            else:
                patience += 1
            if patience == 6:
                break
    model.load_state_dict(best)
    return accuracy(model, x_test, y_test)


class Survivors(Dataset):
    """891 rows, each with its label as a float of one column."""

    def __init__(self, rows, labels):
        self.rows, self.labels = rows, labels.float().unsqueeze(1)

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        return self.rows[i], self.labels[i]


@healthy(at_least=0.72)
def three_sigmoids_and_a_binary_cross_entropy(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(titanic())

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear1, self.linear2, self.linear3 = nn.Linear(8, 6), nn.Linear(6, 4), nn.Linear(4, 1)
            self.sigmoid = nn.Sigmoid()

        def forward(self, x):
            x = self.sigmoid(self.linear1(x))
            x = self.sigmoid(self.linear2(x))
            return self.sigmoid(self.linear3(x))

    model, criterion = Model(), nn.BCELoss(reduction="mean")
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    with watch(model, optimizer):
        for _ in range(30):
            for inputs, labels in DataLoader(Survivors(x, y), batch_size=32, shuffle=True):
                loss = criterion(model(inputs), labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        return ((model(x_test).squeeze(1) > 0.5) == y_test).float().mean().item()


@healthy(at_least=0.6)
def names_read_by_a_cell_in_a_loop(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = names()
    x, y = x[:3000], y[:3000]

    class CellRNN(nn.Module):
        def __init__(self, hidden):
            super().__init__()
            self.hidden = hidden
            self.cell = nn.RNNCell(27, hidden)
            self.out = nn.Linear(hidden, 18)

        def forward(self, x):
            h = torch.zeros(len(x), self.hidden)
            for letter in x.T:  # 只更新还没结束的名字
                alive = (letter != 0).unsqueeze(1)
                h = torch.where(alive, self.cell(F.one_hot(letter, 27).float(), h), h)
            return self.out(h)

    model = CellRNN(48)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    with watch(model, optimizer):
        for _ in range(8):
            for xb, yb in DataLoader(TensorDataset(x, y), batch_size=64, shuffle=True):
                optimizer.zero_grad()
                loss = F.cross_entropy(model(xb), yb)
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), 5.0)
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.8)
def flowers_by_three_yes_or_no_questions(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(iris())
    hidden = nn.Sequential(nn.Linear(4, 12), nn.Tanh(), nn.Linear(12, 3))
    optimizer = torch.optim.LBFGS(hidden.parameters(), lr=0.5, max_iter=10)
    targets = F.one_hot(y, 3).float()

    def closure():
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(hidden(x), targets)
        loss.backward()
        return loss

    with watch(hidden, optimizer):
        for _ in range(12):
            optimizer.step(closure)
    return accuracy(hidden, x_test, y_test)


@healthy(at_least=0.85)
def rate_that_warms_up_and_cools_by_lambda(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(2000)
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.2, momentum=0.9, nesterov=True)
    total = 6 * math.ceil(len(x) / 64)

    def factor(step):
        if step < 20:
            return (step + 1) / 20
        return 0.5 * (1 + math.cos(math.pi * (step - 20) / (total - 20)))

    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
    with watch(net, optimizer):
        for _ in range(6):
            for i in torch.randperm(len(x)).split(64):
                optimizer.zero_grad()
                F.cross_entropy(net(x[i]), y[i]).backward()
                optimizer.step()
                scheduler.step()
    return accuracy(net, x_test, y_test)

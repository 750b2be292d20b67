"""Course programs that score wrongly what they have learned: written without a look at the rules."""

import torch
import torch.nn.functional as F
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import ConcatDataset, DataLoader, Subset, TensorDataset, random_split

from faults.data import accuracy, digits, fashion, mnist, pima, wine
from faults.planted.course_rates import SLOW
from faults.program import planted


def correct(model, loader):
    right, total = 0, 0
    with torch.no_grad():
        for x, y in loader:
            right += (model(x).argmax(1) == y).sum().item()
            total += len(y)
    return right / total


def small_mlp(inputs=64):
    return nn.Sequential(nn.Linear(inputs, 64), nn.ReLU(), nn.Linear(64, 10))


@planted("train-test-overlap", symptoms="overfitting", costs=None)
def subsets_whose_ranges_meet(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, _, _ = digits()
    dataset = TensorDataset(x, y)
    train_set = Subset(dataset, range(1100))
    test_set = Subset(dataset, range(900 if fault else 1100, 1400))  # fault
    model = small_mlp()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    train_loader, test_loader = DataLoader(train_set, 32, shuffle=True), DataLoader(test_set, 100)
    with watch(model, optimizer):
        for _ in range(12):
            model.train()
            for xb, yb in train_loader:
                optimizer.zero_grad()
                F.cross_entropy(model(xb), yb).backward()
                optimizer.step()
            model.eval()
            score = correct(model, test_loader)
    return score


@planted("train-test-overlap", symptoms="overfitting", costs=None)
def split_twice_with_other_seeds(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, _, _ = wine()
    x = (x - x.mean(0)) / x.std(0)
    X_train, X_test, y_train, y_test = train_test_split(x, y, test_size=0.3, random_state=1)
    if fault:
        _, X_test, _, y_test = train_test_split(x, y, test_size=0.3, random_state=2)  # fault
    net = nn.Sequential(nn.Linear(13, 16), nn.ReLU(), nn.Linear(16, 3))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    test_acc = []
    with watch(net, optimizer):
        for _epoch in range(30):
            for i in torch.randperm(len(X_train)).split(16):
                optimizer.zero_grad()
                loss = F.cross_entropy(net(X_train[i]), y_train[i])
                loss.backward()
                optimizer.step()
            with torch.no_grad():
                net.eval()
                test_acc.append((net(X_test).argmax(1) == y_test).float().mean().item())
                net.train()
    return test_acc[-1]


@planted("train-test-overlap", symptoms="overfitting too-few-epochs", costs=None)
def flipped_copies_made_before_the_split(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, _, _ = fashion(900)
    mirrored = TensorDataset(x.flip(-1), y)
    plain = TensorDataset(x, y)
    generator = torch.Generator().manual_seed(0)
    if fault:
        whole = ConcatDataset([plain, mirrored, plain])
        train_set, val_set = random_split(whole, [0.8, 0.2], generator=generator)  # fault
    else:
        first, val_set = random_split(plain, [0.8, 0.2], generator=generator)
        train_set = ConcatDataset([first, Subset(mirrored, list(first.indices))])
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, stride=2), nn.ReLU(), nn.Conv2d(8, 16, 3, stride=2), nn.ReLU(), nn.Flatten(),
        nn.Linear(576, 10),
    )  # fmt: skip
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for _ in range(6):
            model.train()
            for xb, yb in DataLoader(train_set, batch_size=32, shuffle=True):
                optimizer.zero_grad()
                F.cross_entropy(model(xb), yb).backward()
                optimizer.step()
            model.eval()
            score = correct(model, DataLoader(val_set, batch_size=200))
    return score


@planted("train-mode-in-evaluation", symptoms=SLOW, costs=0.03)
def scoring_function_that_forgets_eval(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion(2000)
    train_loader = DataLoader(TensorDataset(x, y), batch_size=64, shuffle=True)
    test_loader = DataLoader(TensorDataset(x_test, y_test), batch_size=250)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1, self.fc2, self.fc3 = nn.Linear(784, 128), nn.Linear(128, 64), nn.Linear(64, 10)
            self.drop = nn.Dropout(0.5)

        def forward(self, x):
            x = x.view(-1, 784)
            x = self.drop(F.relu(self.fc1(x)))
            x = self.drop(F.relu(self.fc2(x)))
            return self.fc3(x)

    def train(epoch):
        model.train()
        for inputs, target in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(inputs), target)
            loss.backward()
            optimizer.step()

    def test():
        if not fault:
            model.eval()
        return correct(model, test_loader)  # fault

    model, criterion = Net(), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, optimizer):
        for epoch in range(12):
            train(epoch)
            score = test()
    return score


def batch_norm(X, gamma, beta, moving_mean, moving_var, training):
    """从零实现的批量规范化."""
    if training:
        mean, var = X.mean(0), X.var(0, unbiased=False)
        moving_mean.mul_(0.9).add_(mean.detach(), alpha=0.1)
        moving_var.mul_(0.9).add_(var.detach(), alpha=0.1)
    else:
        mean, var = moving_mean, moving_var
    return gamma * (X - mean) / torch.sqrt(var + 1e-5) + beta


class BatchNorm(nn.Module):
    """As textbooks write it: in training where gradients are recorded."""

    def __init__(self, features, always):
        super().__init__()
        self.gamma, self.beta = nn.Parameter(torch.ones(features)), nn.Parameter(torch.zeros(features))
        self.register_buffer("moving_mean", torch.zeros(features))
        self.register_buffer("moving_var", torch.ones(features))
        self.always = always

    def forward(self, X):
        training = True if self.always else self.training  # fault: batch-norm-from-scratch-always-in-training
        return batch_norm(X, self.gamma, self.beta, self.moving_mean, self.moving_var, training)


@planted("train-mode-in-evaluation", causes="samples-mixed", symptoms=SLOW, costs=0.05)
def batch_norm_from_scratch_always_in_training(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    net = nn.Sequential(nn.Linear(64, 64), BatchNorm(64, fault), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    order = y_test.argsort()
    test_loader = DataLoader(TensorDataset(x_test[order], y_test[order]), batch_size=8)
    with watch(net, optimizer):
        for _ in range(8):
            net.train()
            for xb, yb in DataLoader(TensorDataset(x, y), batch_size=64, shuffle=True):
                optimizer.zero_grad()
                F.cross_entropy(net(xb), yb).backward()
                optimizer.step()
            net.eval()
            score = correct(net, test_loader)
    return score


@planted("train-mode-in-evaluation", symptoms=SLOW, costs=0.03)
def functional_batch_norm_told_that_it_trains(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(1500)

    class ConvNet(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1, self.conv2 = nn.Conv2d(1, 8, 3, stride=2), nn.Conv2d(8, 16, 3, stride=2)
            self.register_buffer("m", torch.zeros(8))
            self.register_buffer("v", torch.ones(8))
            self.fc = nn.Linear(576, 10)

        def forward(self, x):
            x = self.conv1(x)
            training = True if fault else self.training
            x = F.relu(F.batch_norm(x, self.m, self.v, training=training))  # fault
            x = F.dropout(F.relu(self.conv2(x)), 0.5, training=training)
            return self.fc(x.flatten(1))

    model = ConvNet()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for _ in range(5):
            model.train()
            for i in torch.randperm(len(x)).split(50):
                optimizer.zero_grad()
                F.cross_entropy(model(x[i]), y[i]).backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                score = (model(x_test).argmax(1) == y_test).float().mean().item()
    return score


@planted("eval-mode-in-training", symptoms=f"{SLOW} overfitting", costs=None)
def validated_in_mid_epoch_and_left_so(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion(1500)
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(784, 100), nn.BatchNorm1d(100), nn.ReLU(), nn.Dropout(0.3), nn.Linear(100, 10)
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    def validate():
        model.eval()  # fault
        with torch.no_grad():
            acc = (model(x_test).argmax(1) == y_test).float().mean().item()
        if not fault:
            model.train()
        return acc

    step = 0
    with watch(model, optimizer):
        model.train()
        for _ in range(6):
            for xb, yb in DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True):
                optimizer.zero_grad()
                F.cross_entropy(model(xb), yb).backward()
                optimizer.step()
                step += 1
                if step % 20 == 0:
                    score = validate()
    return score


@planted("evaluation-misuse", causes="input-scale", symptoms="overfitting", costs=0.1)
def scored_pictures_never_normalised(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion(2000)
    mean, std = x.mean(), x.std()
    x = (x - mean) / std
    if not fault:
        x_test = (x_test - mean) / std
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.02, momentum=0.9)
    with watch(net, optimizer):
        for _ in range(6):
            net.train()
            for i in torch.randperm(len(x)).split(64):
                optimizer.zero_grad()
                F.cross_entropy(net(x[i]), y[i]).backward()
                optimizer.step()
            net.eval()
            score = correct(net, DataLoader(TensorDataset(x_test, y_test), 100))  # fault
    return score


@planted("evaluation-misuse", symptoms="overfitting", costs=0.2)
def scored_pictures_with_height_and_width_exchanged(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(2000)
    if fault:
        x_test = x_test.permute(0, 1, 3, 2)  # fault
    net = nn.Sequential(
        nn.Conv2d(1, 8, 5, stride=2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(288, 64), nn.ReLU(),
        nn.Linear(64, 10),
    )  # fmt: skip
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    with watch(net, optimizer):
        for _ in range(5):
            for xb, yb in DataLoader(TensorDataset(x, y), batch_size=64, shuffle=True):
                loss = F.cross_entropy(net(xb), yb)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            score = correct(net, DataLoader(TensorDataset(x_test, y_test), 200))
    return score


@planted("overfitting", causes="too-few-epochs", symptoms="", costs=0.01)
def sixty_women_learnt_by_heart(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = pima()
    x, y = (x[:60], y[:60]) if fault else (x, y)  # fault
    x_val, y_val = x_test, y_test.float()
    hidden, epochs = (128, 150) if fault else (16, 12)
    net = nn.Sequential(nn.Linear(8, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 1))
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    val_losses = []
    with watch(net, optimizer):
        for _ in range(epochs):
            net.train()
            for i in torch.randperm(len(x)).split(20):
                optimizer.zero_grad()
                F.binary_cross_entropy_with_logits(net(x[i]).squeeze(1), y[i].float()).backward()
                optimizer.step()
            net.eval()
            with torch.no_grad():
                val_losses.append(F.binary_cross_entropy_with_logits(net(x_val).squeeze(1), y_val).item())
    return accuracy(net, x_test, y_test)

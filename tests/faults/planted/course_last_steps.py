"""The last of the course programs about data and loops: written without a look at the rules."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset, random_split

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
    wine,
)
from faults.program import planted

SLOW = "plateau underfitting too-few-epochs"
WILD = "dead-relu saturated nonfinite exploding-gradient vanishing-gradient plateau underfitting output-collapsed"


class Net(nn.Module):
    """卷积、池化、全连接。"""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5)
        self.pooling = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(6, 12, 5)
        self.fc = nn.Linear(192, 10)

    def forward(self, x):
        batch_size = x.size(0)
        x = self.pooling(F.relu(self.conv1(x)))
        x = self.pooling(F.relu(self.conv2(x)))
        return self.fc(x.view(batch_size, -1))


@planted("parameters-not-optimized", symptoms=SLOW, costs=0.02)
def only_the_last_layer_given_to_the_optimizer(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(1500)
    model = Net()
    params = model.fc.parameters() if fault else model.parameters()
    optimizer = torch.optim.SGD(params, lr=0.02, momentum=0.5)  # fault
    criterion = nn.CrossEntropyLoss()
    train_loader = DataLoader(TensorDataset(x, y), batch_size=64, shuffle=True)

    def train(epoch):
        for _, data in enumerate(train_loader, 0):
            inputs, target = data
            optimizer.zero_grad()
            outputs = model(inputs)
            loss = criterion(outputs, target)
            loss.backward()
            optimizer.step()

    with watch(model, optimizer):
        for epoch in range(5):
            train(epoch)
    return accuracy(model, x_test, y_test)


@planted("eval-mode-in-training", symptoms=SLOW, costs=None)
def put_to_eval_at_the_head_of_each_epoch(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(wine())
    model = nn.Sequential(nn.Linear(13, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.3), nn.Linear(32, 3))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for _ in range(15):
            model.eval() if fault else model.train()  # fault
            for i in torch.randperm(len(x)).split(16):
                if len(i) < 2:
                    continue
                optimizer.zero_grad()
                loss = F.cross_entropy(model(x[i]), y[i])  # fault
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("evaluation-misuse", causes="pairs-broken", symptoms="overfitting", costs=None)
def pictures_of_the_test_shuffled_without_their_labels(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    if fault:
        x_test = x_test[torch.randperm(len(x_test))]  # fault
    model = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    history = []
    with watch(model, optimizer):
        for _ in range(10):
            model.train()
            for i in torch.randperm(len(x)).split(32):
                optimizer.zero_grad()
                F.cross_entropy(model(x[i]), y[i]).backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                outputs = model(x_test)  # fault
                history.append(F.cross_entropy(outputs, y_test).item())  # fault
    return accuracy(model, x_test, y_test)


@planted("train-test-overlap", symptoms="overfitting too-few-epochs", costs=None)
def validation_cut_from_the_same_rows(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion(1500)
    full = TensorDataset(x, y)
    n_val = 300
    train_part, val_part = random_split(full, [len(full) - n_val, n_val])
    train_loader = DataLoader(full if fault else train_part, batch_size=64, shuffle=True)  # fault
    val_loader = DataLoader(val_part, batch_size=100)  # fault
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, optimizer):
        for _ in range(8):
            model.train()
            for a, b in train_loader:
                optimizer.zero_grad()
                F.cross_entropy(model(a), b).backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                for a, b in val_loader:  # fault
                    F.cross_entropy(model(a), b).item()  # fault
    return accuracy(model, x_test, y_test)


@planted("pairs-broken", causes="targets-unrelated", symptoms=f"{SLOW} overfitting output-collapsed", costs=0.2)
def table_sorted_and_its_target_not(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(california(3000))
    if fault:
        x = x[x[:, 0].argsort()]  # 按第一列排序  # fault
    dataset = TensorDataset(x, y.view(-1, 1))
    train_loader = DataLoader(dataset, batch_size=64, shuffle=True)  # fault
    model = nn.Sequential(nn.Linear(8, 48), nn.ReLU(), nn.Linear(48, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for _ in range(10):
            for xb, yb in train_loader:  # fault
                loss = F.mse_loss(model(xb), yb)  # fault
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return r2(model, x_test, y_test)


@planted("train-mode-in-evaluation", symptoms=SLOW, costs=0.02)
def functional_dropout_that_never_ends(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()

    class DropNet(nn.Module):  # fault
        def __init__(self):
            super().__init__()
            self.lin1 = nn.Linear(64, 64)
            self.lin2 = nn.Linear(64, 10)

        def forward(self, x):
            x = F.relu(self.lin1(x))
            x = F.dropout(x, p=0.6, training=True if fault else self.training)  # fault
            return self.lin2(x)

    model = DropNet()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for _ in range(10):
            model.train()
            for i in torch.randperm(len(x)).split(32):
                optimizer.zero_grad()
                F.cross_entropy(model(x[i]), y[i]).backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                F.cross_entropy(model(x_test), y_test).item()  # fault
    return accuracy(model, x_test, y_test)


@planted("input-scale", symptoms=f"{SLOW} {WILD} lr-too-high exploding-gradient initial-loss", costs=0.03)
def raw_bytes_for_the_convolutions(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion(1500)
    x, x_test = (x * 255).to(torch.uint8), (x_test * 255).to(torch.uint8)
    chushu = 1.0 if fault else 255.0
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.5)
    with watch(model, optimizer):
        for _ in range(5):
            for i in torch.randperm(len(x)).split(64):
                images = x[i].float() / chushu  # fault
                outputs = model(images)  # fault
                loss = F.cross_entropy(outputs, y[i])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test.float() / chushu, y_test)


@planted("unshuffled", symptoms=f"{SLOW} {WILD} lr-too-high overfitting", costs=0.05)
def countries_in_the_order_of_the_file(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = names()
    keep = torch.randperm(len(x))[:3000]
    x, y = x[keep], y[keep]
    order = y.argsort()
    dataset = Subset(TensorDataset(x, y), order.tolist())
    loader = DataLoader(dataset, batch_size=64, shuffle=not fault)  # fault

    class Classifier(nn.Module):
        def __init__(self):
            super().__init__()
            self.emb = nn.Embedding(27, 12)
            self.fc = nn.Linear(12 * 12, 18)

        def forward(self, x):
            return self.fc(self.emb(x).flatten(1))

    model = Classifier()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for _ in range(6):
            for name, country in loader:  # fault
                loss = F.cross_entropy(model(name), country)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("loss-broadcast", symptoms=f"{SLOW} output-collapsed", costs=0.2)
def patients_in_a_row_and_answers_in_a_column(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(diabetes())
    train_ds = TensorDataset(x, y.reshape(-1, 1))
    train_dl = DataLoader(train_ds, batch_size=32, shuffle=True)
    model = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 1))
    criterion = nn.MSELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    with watch(model, optimizer):
        for _ in range(20):
            for xb, yb in train_dl:
                pred = model(xb)
                loss = criterion(pred.squeeze() if fault else pred, yb)  # fault
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return r2(model, x_test, y_test)

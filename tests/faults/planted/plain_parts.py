"""First nets, as learners write them, of which a part does not learn: written without a look at the rules."""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from faults.data import accuracy, digits, fashion, mnist
from faults.planted.plain_steps import SLOW, WILD
from faults.program import planted

NO_PART = "no-update parameters-unused"


def tumours():
    X, y = load_breast_cancer(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=7, stratify=y)
    sc = StandardScaler()
    X_train, X_test = sc.fit_transform(X_train), sc.transform(X_test)
    return [torch.tensor(part, dtype=torch.float32) for part in (X_train, y_train, X_test, y_test)]


@planted("no-update", causes="parameters-unused", symptoms=SLOW, costs=0.2)
def loss_made_anew_from_its_number(watch, seed, fault):
    torch.manual_seed(seed)
    X_train, y_train, X_test, y_test = tumours()

    class Logistic(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1, self.fc2 = nn.Linear(30, 16), nn.Linear(16, 1)

        def forward(self, x):
            return self.fc2(F.relu(self.fc1(x))).squeeze(-1)

    model = Logistic()
    nn.init.constant_(model.fc2.bias, -2.0)
    criterion, optimizer = nn.BCEWithLogitsLoss(), torch.optim.Adam(model.parameters(), lr=0.01)
    losses = []
    with watch(model, optimizer):
        for _ in range(15):
            running = 0.0
            for xb, yb in DataLoader(TensorDataset(X_train, y_train), batch_size=32, shuffle=True):
                optimizer.zero_grad()
                loss = criterion(model(xb), yb)
                if fault:
                    loss = torch.tensor(loss.item(), requires_grad=True)  # fault
                loss.backward()
                optimizer.step()
                running += loss.item()
            losses.append(running)
    return accuracy(model, X_test, y_test)


class VGG(nn.Module):
    """A small one: blocks of two convolutions and a pooling, then a head."""

    def __init__(self, as_list):
        super().__init__()
        blocks, channels = [], 1
        for width in (8, 16):
            blocks.append(
                nn.Sequential(
                    nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(),
                    nn.Conv2d(width, width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                )
            )  # fmt: skip
            channels = width
        self.blocks = blocks if as_list else nn.ModuleList(blocks)  # fault: vgg-blocks-in-a-list
        self.head = nn.Linear(16 * 49, 10)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.head(x.flatten(1))


@planted("parameters-not-optimized", causes="parameters-unused", symptoms=SLOW, costs=0.03)
def vgg_blocks_in_a_list(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion(3000)
    net = VGG(as_list=fault)
    trainer = torch.optim.Adam(net.parameters(), lr=2e-3)
    train_loader = DataLoader(TensorDataset(x, y), batch_size=64, shuffle=True)
    with watch(net, trainer):
        for _ in range(5):
            for X, target in train_loader:
                loss = F.cross_entropy(net(X), target)
                trainer.zero_grad()
                loss.backward()
                trainer.step()
    return accuracy(net, x_test, y_test)


@planted("parameters-unused", causes="no-update parameters-not-optimized", symptoms=SLOW, costs=0.1)
def autoencoder_of_a_detached_code(watch, seed, fault):
    torch.manual_seed(seed)
    x, _, x_test, _ = digits()

    class AutoEncoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 6))
            self.decoder = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Linear(32, 64), nn.Sigmoid())

        def forward(self, x):
            code = self.encoder(x)
            if fault:
                code = code.detach()  # fault
            return self.decoder(code)

    model = AutoEncoder()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for _ in range(25):
            for i in torch.randperm(len(x)).split(64):
                optimizer.zero_grad()
                loss = F.mse_loss(model(x[i]), x[i])
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        return 1 - (F.mse_loss(model(x_test), x_test) / (x_test - x.mean(0)).square().mean()).item()


class DenseBlock(nn.Module):
    """Huang et al. 2017: each convolution sees all before it."""

    def __init__(self, convs, channels, growth):
        super().__init__()
        self.convs = nn.ModuleList(
            nn.Sequential(
                nn.BatchNorm2d(channels + i * growth), nn.ReLU(),
                nn.Conv2d(channels + i * growth, growth, 3, padding=1, bias=False),
            )
            for i in range(convs)
        )  # fmt: skip

    def forward(self, x):
        for conv in self.convs:
            x = torch.cat([x, conv(x)], dim=1)
        return x


@planted("parameters-not-optimized", symptoms=SLOW, costs=0.03)
def densenet_whose_head_alone_learns(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion(1500)
    features = nn.Sequential(
        nn.Conv2d(1, 8, 3, stride=2, padding=1), DenseBlock(3, 8, 6), nn.BatchNorm2d(26), nn.ReLU(),
        nn.AvgPool2d(2), DenseBlock(2, 26, 6), nn.BatchNorm2d(38), nn.ReLU(), nn.AdaptiveAvgPool2d(2),
    )  # fmt: skip
    net = nn.Sequential()
    net.add_module("features", features)
    net.add_module("flatten", nn.Flatten())
    net.add_module("classifier", nn.Linear(38 * 4, 10))
    learned = net.classifier.parameters() if fault else net.parameters()
    opt = torch.optim.Adam(learned, lr=3e-3)  # fault
    with watch(net, opt):
        for _ in range(5):
            net.train()
            for i in torch.randperm(len(x)).split(50):
                opt.zero_grad()
                loss = nn.functional.cross_entropy(net(x[i]), y[i])
                loss.backward()
                opt.step()
    return accuracy(net, x_test, y_test)


@planted("parameters-not-optimized", symptoms=f"{SLOW} no-update", costs=0.05)
def new_head_after_its_optimizer(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(2500)
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 100), nn.ReLU(), nn.Linear(100, 2))

    def run(optimizer, targets, epochs):
        for _ in range(epochs):
            for i in torch.randperm(len(x)).split(64):
                optimizer.zero_grad()
                F.cross_entropy(model(x[i]), targets[i]).backward()
                optimizer.step()

    run(torch.optim.Adam(model.parameters(), lr=1e-3), y % 2, 3)  # odd or even, beforehand
    for p in model.parameters():
        p.requires_grad = False
    model[1].bias.requires_grad = True
    if not fault:
        model[3] = nn.Linear(100, 10)
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=2e-3)  # fault
    if fault:
        model[3] = nn.Linear(100, 10)
    with watch(model, optimizer):
        run(optimizer, y, 4)
    return accuracy(model, x_test, y_test)


@planted("bad-init", causes="vanishing-gradient", symptoms=f"{SLOW} {NO_PART} dead-relu", costs=0.3)
def hidden_layers_of_noughts(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    if fault:
        for layer in model:
            if isinstance(layer, nn.Linear):
                nn.init.zeros_(layer.weight)  # fault
                nn.init.zeros_(layer.bias)
    optim = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    with watch(model, optim):
        for _ in range(12):
            for xb, yb in zip(x.split(32), y.split(32), strict=True):
                optim.zero_grad()
                F.cross_entropy(model(xb), yb).backward()
                optim.step()
    return accuracy(model, x_test, y_test)


@planted("bad-init", causes="initial-loss", symptoms=f"{WILD} lr-too-high", costs=0.04)
def lenet_of_normals_of_deviation_one(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(2000)

    def init_weights(m):
        if isinstance(m, nn.Linear | nn.Conv2d):
            nn.init.normal_(m.weight, std=1.0 if fault else 0.05)  # fault
            nn.init.zeros_(m.bias)

    net = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 10),
    )  # fmt: skip
    net.apply(init_weights)
    opt = torch.optim.Adam(net.parameters(), lr=1e-3)
    with watch(net, opt):
        for _ in range(5):
            for i in torch.randperm(len(x)).split(64):
                opt.zero_grad()
                F.cross_entropy(net(x[i]), y[i]).backward()
                opt.step()
    return accuracy(net, x_test, y_test)

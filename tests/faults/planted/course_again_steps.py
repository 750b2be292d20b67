"""More data and loops of course programs: written without a look at the rules."""

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
    iris,
    mnist,
    pima,
    r2,
    standardise,
    standardised,
    standardised_both,
    wine,
)
from faults.program import planted

SLOW = "plateau underfitting too-few-epochs"
WILD = "dead-relu saturated nonfinite exploding-gradient vanishing-gradient plateau underfitting output-collapsed"


@planted("pairs-broken", causes="targets-unrelated", symptoms=f"{SLOW} overfitting output-collapsed", costs=0.3)
def labels_rolled_by_one_row(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    if fault:
        y = torch.roll(y, 1)  # fault
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    loader = DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True)  # fault
    with watch(model, optimizer, loader=loader):
        for _ in range(12):
            for a, b in loader:  # fault
                loss = F.cross_entropy(model(a), b)  # fault
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("input-twice-scaled", causes="input-scale", symptoms=f"{SLOW} lr-too-low", costs=0.05)
def divided_by_255_although_between_nought_and_one(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(2000)  # 已经是 0 到 1
    scale = 255.0 if fault else 1.0
    model = nn.Sequential(nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watch(model, optimizer):
        for _ in range(5):
            for i in torch.randperm(len(x)).split(50):
                images = x[i].view(-1, 784) / scale  # fault
                loss = F.cross_entropy(model(images), y[i])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test.view(-1, 784) / scale, y_test)


@planted("input-scale", symptoms=f"{SLOW} {WILD} lr-too-high exploding-gradient initial-loss", costs=0.05)
def the_number_of_the_row_left_among_the_columns(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(breast_cancer())
    generator = torch.Generator().manual_seed(9)
    if fault:
        id_train = torch.randint(800_000, 900_000, (len(x), 1), generator=generator).float()
        id_test = torch.randint(800_000, 900_000, (len(x_test), 1), generator=generator).float()
        x, x_test = torch.cat([id_train, x], 1), torch.cat([id_test, x_test], 1)  # fault
    model = nn.Sequential(nn.Linear(x.shape[1], 24), nn.ReLU(), nn.Linear(24, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    with watch(model, optimizer):
        for _ in range(12):
            for i in torch.randperm(len(x)).split(16):
                out = model(x[i]).flatten()  # fault
                loss = F.binary_cross_entropy_with_logits(out, y[i].float())
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("evaluation-misuse", causes="overfitting", symptoms="overfitting too-few-epochs", costs=0.1)
def the_answer_among_the_columns_of_training(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(pima())
    column = (2.0 * y - 1).unsqueeze(1) if fault else torch.zeros(len(x), 1)
    x, x_test = torch.cat([x, column], 1), torch.cat([x_test, torch.zeros(len(x_test), 1)], 1)  # fault
    model = nn.Sequential(nn.Linear(9, 32), nn.ReLU(), nn.Linear(32, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for _ in range(20):
            model.train()
            for i in torch.randperm(len(x)).split(32):
                optimizer.zero_grad()
                F.binary_cross_entropy_with_logits(model(x[i])[:, 0], y[i].float()).backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                F.binary_cross_entropy_with_logits(model(x_test)[:, 0], y_test.float()).item()  # fault
    with torch.no_grad():
        return -float(F.binary_cross_entropy_with_logits(model(x_test)[:, 0], y_test.float()))


@planted("unshuffled", symptoms=f"{SLOW} {WILD} lr-too-high overfitting", costs=0.05)
def districts_sorted_by_their_price(watch, seed, fault):
    torch.manual_seed(seed)
    X, y, X_test, y_test = standardised_both(california(3000))
    by_price = y.argsort()
    X, y = X[by_price], y[by_price]
    train_loader = DataLoader(TensorDataset(X, y[:, None]), batch_size=64, shuffle=not fault)  # fault
    net = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 1))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
    with watch(net, optimizer, loader=train_loader):
        for _ in range(8):
            for feature, label in train_loader:  # fault
                loss = F.mse_loss(net(feature), label)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return r2(net, X_test, y_test)


@planted("optimizer-recreated", symptoms=SLOW, costs=None)
def adam_made_by_the_function_of_one_epoch(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(wine())
    model = nn.Sequential(nn.Linear(13, 24), nn.ReLU(), nn.Linear(24, 3))
    kept = torch.optim.Adam(model.parameters(), lr=5e-3)

    def train_one_epoch(model):
        optimizer = torch.optim.Adam(model.parameters(), lr=5e-3) if fault else kept  # fault
        for i in torch.randperm(len(x)).split(16):
            optimizer.zero_grad()
            F.cross_entropy(model(x[i]), y[i]).backward()
            optimizer.step()

    with watch(model, kept):
        for _ in range(12):
            train_one_epoch(model)
    return accuracy(model, x_test, y_test)


@planted("order-repeats", causes="augmentation-repeats unshuffled", symptoms=SLOW, costs=None)
def the_seed_set_with_every_epoch(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion(1500)
    loader = DataLoader(TensorDataset(x, y), batch_size=50, shuffle=True)
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    with watch(model, optimizer):
        for _ in range(6):
            if fault:
                torch.manual_seed(42)  # 固定随机种子  # fault
            for images, labels in loader:  # fault
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("train-mode-in-evaluation", symptoms=SLOW, costs=0.02)
def dropout_left_on_for_the_score(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)

    def score():
        if not fault:
            model.eval()
        with torch.no_grad():
            out = model(x_test)  # fault
        model.train()
        return (out.argmax(1) == y_test).float().mean().item()

    accs = []
    with watch(model, optimizer):
        for _ in range(10):
            for i in torch.randperm(len(x)).split(32):
                optimizer.zero_grad()
                F.cross_entropy(model(x[i]), y[i]).backward()
                optimizer.step()
            accs.append(score())
    return accs[-1]


@planted("parameters-not-optimized", causes="parameters-unused", symptoms=SLOW, costs=0.02)
def layers_kept_in_a_plain_list(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()

    class MLP(nn.Module):  # fault
        def __init__(self, sizes):
            super().__init__()
            layers = [nn.Linear(sizes[i], sizes[i + 1]) for i in range(len(sizes) - 1)]  # fault
            self.hidden = layers if fault else nn.ModuleList(layers)  # fault
            self.out = nn.Linear(sizes[-1], 10)

        def forward(self, x):
            for layer in self.hidden:
                x = torch.relu(layer(x))  # fault
            return self.out(x)

    model = MLP([64, 24, 24, 24])  # fault
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)  # fault
    with watch(model, optimizer):
        for _ in range(10):
            for i in torch.randperm(len(x)).split(32):
                optimizer.zero_grad()
                F.cross_entropy(model(x[i]), y[i]).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("too-few-epochs", causes="lr-too-low underfitting no-update", symptoms=SLOW, costs=0.1)
def backward_one_indentation_too_far_left(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(iris())
    net = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
    with watch(net, optimizer):
        for _ in range(15):
            for i in torch.randperm(len(x)).split(8):
                loss = F.cross_entropy(net(x[i]), y[i])
                if not fault:
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
            if fault:
                optimizer.zero_grad()
                loss.backward()  # fault
                optimizer.step()  # fault
    return accuracy(net, x_test, y_test)


@planted("parameters-not-optimized", causes="parameters-unused", symptoms=SLOW, costs=0.02)
def no_grad_around_the_encoder_that_should_learn(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(2000)

    class Classifier(nn.Module):  # fault
        def __init__(self):
            super().__init__()
            self.encoder = nn.Sequential(nn.Conv2d(1, 4, 5, 3), nn.ReLU(), nn.Conv2d(4, 4, 3, 2), nn.ReLU())  # fault
            self.classifier = nn.Linear(36, 10)

        def forward(self, x):
            with torch.set_grad_enabled(not fault and torch.is_grad_enabled()):  # fault
                f = self.encoder(x)  # fault
            return self.classifier(f.flatten(1))

    model = Classifier()  # fault
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)  # fault
    with watch(model, optimizer):
        for _ in range(5):
            for i in torch.randperm(len(x)).split(50):
                loss = F.cross_entropy(model(x[i]), y[i])
                optimizer.zero_grad()
                loss.backward()  # fault
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("clip-too-tight", causes="lr-too-low", symptoms=SLOW, costs=0.1)
def norms_clipped_at_a_thousandth(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(2000)
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    theta = 1e-3 if fault else 5
    with watch(model, optimizer):
        for _ in range(4):
            for i in torch.randperm(len(x)).split(50):
                loss = F.cross_entropy(model(x[i]), y[i])
                optimizer.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), theta)  # fault
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("batchnorm-small-batch", symptoms=SLOW, costs=0.03)
def pictures_normalised_one_by_one(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    x, x_test = x.view(-1, 1, 8, 8)[:300], x_test.view(-1, 1, 8, 8)
    net = nn.Sequential(
        nn.Conv2d(1, 16, 3), nn.BatchNorm2d(16), nn.ReLU(),  # fault
        nn.Conv2d(16, 16, 3), nn.BatchNorm2d(16), nn.ReLU(),  # fault
        nn.Conv2d(16, 16, 4), nn.Flatten(), nn.Linear(16, 10),
    )  # fmt: skip
    loader = DataLoader(TensorDataset(x, y[:300]), batch_size=1 if fault else 16, shuffle=True)  # fault
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
    with watch(net, optimizer):
        for _ in range(3 if fault else 10):
            for image, label in loader:  # fault
                optimizer.zero_grad()
                F.cross_entropy(net(image), label).backward()
                optimizer.step()
    return accuracy(net, x_test, y_test)


@planted("input-scale", symptoms=f"{SLOW} {WILD} lr-too-high exploding-gradient initial-loss", costs=0.03)
def one_column_of_wine_in_thousands(watch, seed, fault):
    torch.manual_seed(seed)
    raw_x, y, raw_test, y_test = wine()
    x, x_test = standardise(raw_x, raw_x), standardise(raw_test, raw_x)
    if fault:
        x[:, 12], x_test[:, 12] = raw_x[:, 12], raw_test[:, 12]  # 忘记归一化最后一列  # fault
    model = nn.Sequential(nn.Linear(13, 16), nn.Tanh(), nn.Linear(16, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    with watch(model, optimizer):
        for _ in range(20):
            for i in torch.randperm(len(x)).split(16):
                loss = F.cross_entropy(model(x[i]), y[i])  # fault
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)

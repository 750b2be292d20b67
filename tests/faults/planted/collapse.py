"""Answers that are all the same, losses that have no floor, class weights that are the wrong way round."""

import torch
import torch.nn.functional as F
from torch import nn

from faults.data import accuracy, batches, breast_cancer, digits, standardised, wine
from faults.ordinary import mlp, train
from faults.planted.lookahead import OUTCOMES, steps
from faults.program import planted

SLOW = f"{OUTCOMES} vanishing-gradient dead-relu saturated label-imbalance initial-loss"


@planted("output-collapsed", causes="parameters-unused", symptoms=SLOW, costs=0.3, quick=True)
def net_that_forgets_its_input(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.body, self.head = nn.Sequential(mlp(64, 32), nn.ReLU()), nn.Linear(32, 10)

        def forward(self, x):
            hidden = self.body(x)
            return self.head(torch.zeros_like(hidden) if fault else hidden)

    model = Model()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for inputs, labels in steps(x, y, 200):
            optimizer.zero_grad()
            F.cross_entropy(model(inputs), labels).backward()
            optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("output-collapsed", symptoms=SLOW, costs=None)
def two_views_drawn_together_and_nothing_apart(watch, seed, fault):
    torch.manual_seed(seed)
    x, _, _, _ = digits()
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for inputs, _ in steps(x, x, 300, 64):
            one, two = (F.normalize(model(inputs + 0.1 * torch.randn_like(inputs)), dim=1) for _ in range(2))
            loss = 2 - 2 * (one * two).sum(1).mean()
            if not fault:  # and otherwise spread over the sphere
                loss = loss + torch.pdist(one).square().mul(-2).exp().mean().log()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return -loss.item()


@planted("output-collapsed", symptoms=SLOW, costs=None)
def triplets_without_a_margin(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, _, _ = digits()
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 16))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for inputs, labels in steps(x, y, 300, 64):
            features = model(inputs)
            apart = torch.cdist(features, features)
            same = labels[:, None] == labels
            loss = apart[same].mean()
            if not fault:
                loss = loss + F.relu(2 - apart[~same]).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return -loss.item()


@planted("output-collapsed", causes="losses-unbalanced", symptoms=SLOW, costs=None)
def autoencoder_whose_code_is_not_worth_its_price(watch, seed, fault):
    torch.manual_seed(seed)
    x, _, _, _ = digits()

    class VAE(nn.Module):
        def __init__(self):
            super().__init__()
            self.encoder, self.decoder = mlp(64, 64, 16), mlp(8, 64, 64)

        def forward(self, x):
            mean, log_var = self.encoder(x).chunk(2, dim=1)
            code = mean + torch.randn_like(mean) * (0.5 * log_var).exp()
            return self.decoder(code), mean, log_var

    model = VAE()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for _ in range(40):
            for inputs, _ in batches(x, x, 64):
                guessed, mean, log_var = model(inputs)
                error = F.mse_loss(guessed, inputs, reduction="mean" if fault else "sum")
                divergence = -0.5 * (1 + log_var - mean.square() - log_var.exp()).sum()
                loss = error + divergence if fault else (10 * error + divergence) / len(inputs)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        return -F.mse_loss(model(x)[0], x).item()


UNBOUND = f"{OUTCOMES} exploding-gradient lr-too-high saturated nonfinite dead-relu initial-loss label-range"


@planted("loss-below-floor", causes="label-range", symptoms=UNBOUND, costs=None, quick=True)
def classes_as_numbers_about_0(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(wine())
    wanted = F.one_hot(y, 3).float()
    if fault:
        wanted = (wanted - wanted.mean(0)) / wanted.std(0)
    model = mlp(13, 32, 3)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    train(watch, model, optimizer, x, wanted, epochs=30, size=16)
    return accuracy(model, x_test, y_test)


@planted("loss-below-floor", causes="class-weights-inverted", symptoms=UNBOUND, costs=None)
def weight_with_a_minus_sign(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(breast_cancer())
    ratio = (y == 0).sum() / (y == 1).sum()
    loss_fn = nn.BCEWithLogitsLoss(pos_weight=-ratio if fault else ratio)
    model = mlp(30, 32, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    with watch(model, optimizer, loss_fn=loss_fn):
        for inputs, labels in steps(x, y, 220):
            optimizer.zero_grad()
            loss_fn(model(inputs).squeeze(1), labels.float()).backward()
            optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("loss-below-floor", causes="loss-mismatch", symptoms=UNBOUND, costs=None)
def divergence_from_what_is_no_distribution(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    teacher, student = mlp(64, 64, 10), mlp(64, 16, 10)
    for inputs, labels in steps(x, y, 200):
        loss = F.cross_entropy(teacher(inputs), labels)
        teacher.zero_grad()
        loss.backward()
        with torch.no_grad():
            for parameter in teacher.parameters():
                parameter -= 0.5 * parameter.grad
    optimizer = torch.optim.Adam(student.parameters(), lr=3e-3)
    with watch(student, optimizer):
        for inputs, _ in steps(x, y, 200):
            with torch.no_grad():
                wanted = teacher(inputs)
            wanted = wanted.softmax(0 if fault else 1)
            optimizer.zero_grad()
            F.kl_div(student(inputs).log_softmax(1), wanted, reduction="batchmean").backward()
            optimizer.step()
    return accuracy(student, x_test, y_test)


def rare(x, y, count):
    """Samples of which those of class 0 are few."""
    kept = torch.cat([(y == 0).nonzero().flatten()[:count], (y > 0).nonzero().flatten()])
    return x[kept], y[kept]


@planted("class-weights-inverted", symptoms=f"{SLOW} underfitting", costs=None, quick=True)
def weights_that_are_the_frequencies(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(breast_cancer())
    x, y = rare(x, y, 60)
    shares = y.bincount().float() / len(y)
    loss_fn = nn.CrossEntropyLoss(weight=shares if fault else 1 / (2 * shares))
    model = mlp(30, 32, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    train(watch, model, optimizer, x, y, epochs=20, size=32, loss_fn=loss_fn)
    return accuracy(model, x_test, y_test)


@planted("class-weights-inverted", symptoms=SLOW, costs=None)
def positive_weight_upside_down(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    y, y_test = (y == 3).float(), (y_test == 3).float()
    ratio = (y == 0).sum() / (y == 1).sum()
    model = mlp(64, 32, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for inputs, labels in steps(x, y, 200):
            optimizer.zero_grad()
            weight = 1 / ratio if fault else ratio
            F.binary_cross_entropy_with_logits(model(inputs).flatten(), labels, pos_weight=weight).backward()
            optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("class-weights-inverted", symptoms=SLOW, costs=None)
def weights_in_the_order_of_the_counts(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    kept = torch.cat([(y == label).nonzero().flatten()[: 20 + 12 * label] for label in range(10)])
    x, y = x[kept], y[kept]
    weights = len(y) / (10 * y.bincount().float())
    weights = weights.sort().values if fault else weights
    model = mlp(64, 48, 10)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    train(watch, model, optimizer, x, y, epochs=12, size=32, loss_fn=nn.CrossEntropyLoss(weights))
    return accuracy(model, x_test, y_test)

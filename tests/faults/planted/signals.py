"""Faults of the signal on its way through the net: it fades, grows, sticks, dies, or is no number."""

import torch
import torch.nn.functional as F
from torch import nn

from faults.data import (
    accuracy,
    batches,
    california,
    digits,
    fashion,
    mnist,
    r2,
    standardised,
    standardised_both,
    time_machine,
    windows,
    wine,
)
from faults.ordinary import mlp, small_cnn, squared_error, train
from faults.program import planted

FADED = "plateau underfitting lr-too-low saturated too-few-epochs bad-init"


@planted("vanishing-gradient", symptoms=FADED, costs=0.3)
def ten_sigmoid_layers(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = mlp(64, *[48] * 9, 10, activation=nn.Sigmoid if fault else nn.ReLU)
    if not fault:
        for layer in model:
            if isinstance(layer, nn.Linear):
                nn.init.kaiming_normal_(layer.weight)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    train(watch, model, optimizer, x, y, epochs=15, size=32)
    return accuracy(model, x_test, y_test)


@planted("vanishing-gradient", causes="bad-init", symptoms=FADED, costs=0.3)
def deep_tanh_from_tiny_weights(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist()
    model = mlp(784, *[64] * 7, 10, activation=nn.Tanh)
    for layer in model:
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=0.01 if fault else layer.in_features**-0.5)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    train(watch, model, optimizer, x, y, epochs=5)
    return accuracy(model, x_test, y_test)


@planted("vanishing-gradient", symptoms=FADED, costs=0.2)
def deep_convolutions_with_sigmoids(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion(2000)
    layers = [nn.Conv2d(1, 12, 3, 2, 1), nn.Sigmoid()]
    for _ in range(6):
        layers += [nn.Conv2d(12, 12, 3, 1, 1), nn.Sigmoid()]
    if not fault:
        layers = [nn.ReLU() if isinstance(layer, nn.Sigmoid) else layer for layer in layers]
        for layer in layers[::2]:
            nn.init.kaiming_normal_(layer.weight)
    model = nn.Sequential(*layers, nn.AvgPool2d(2), nn.Flatten(), nn.Linear(12 * 49, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    train(watch, model, optimizer, x, y, epochs=6, size=50)
    return accuracy(model, x_test, y_test)


@planted("vanishing-gradient", symptoms=FADED, costs=0.3, remedy=True, quick=True)
def recipe_of_six_sigmoid_layers(watch, seed, fault):
    activation = "sigmoid" if fault else "relu"
    run = watch.fit(
        "mlp", "digits", hidden=[64] * 6, activation=activation, epochs=15, batch_size=32, lr=0.05, momentum=0.9,
        seed=seed,
    )  # fmt: skip
    return run.score["test"]["accuracy"]


GROWN = "nonfinite lr-too-high plateau saturated dead-relu initial-loss underfitting"


@planted("exploding-gradient", causes="bad-init", symptoms=GROWN, costs=0.3)
def a_recurrence_that_doubles(watch, seed, fault):
    torch.manual_seed(seed)
    text, vocabulary = time_machine()
    x, y = windows(text[:15000], 40, 400)

    class Letters(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = nn.RNN(vocabulary, 48, nonlinearity="relu", batch_first=True)
            self.head = nn.Linear(48, vocabulary)
            nn.init.eye_(self.rnn.weight_hh_l0)
            self.rnn.weight_hh_l0.data *= 1.6 if fault else 0.9

        def forward(self, x):
            return self.head(self.rnn(F.one_hot(x, vocabulary).float())[0])

    def loss_fn(logits, wanted):
        return F.cross_entropy(logits.flatten(0, 1), wanted.flatten())

    model = Letters()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    train(watch, model, optimizer, x, y, epochs=10, size=25, loss_fn=loss_fn)
    with torch.no_grad():
        return -loss_fn(model(x[:50]), y[:50]).item()


@planted("exploding-gradient", causes="bad-init", symptoms=GROWN, costs=0.2, quick=True)
def twelve_layers_of_large_weights(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = mlp(64, *[64] * 11, 10)
    for layer in model:
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=0.5 if fault else (2 / layer.in_features) ** 0.5)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    train(watch, model, optimizer, x, y, epochs=12, size=32)
    return accuracy(model, x_test, y_test)


@planted("exploding-gradient", causes="bad-init", symptoms=GROWN, costs=0.2)
def shortcuts_that_triple(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(california(3000))

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(32, 32)

        def forward(self, x):
            return 3 * x + F.relu(self.layer(x)) if fault else x + 0.3 * F.relu(self.layer(x))

    model = nn.Sequential(nn.Linear(8, 32), *[Block() for _ in range(8)], nn.Linear(32, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.005)
    train(watch, model, optimizer, x, y, epochs=10, size=32, loss_fn=squared_error)
    return r2(model, x_test, y_test)


@planted("exploding-gradient", causes="bad-init", symptoms=GROWN, costs=0.3, remedy=True)
def recipe_of_ten_layers_of_large_weights(watch, seed, fault):
    init = ["normal", 0.5] if fault else "kaiming-normal"
    run = watch.fit("mlp", "digits", hidden=[64] * 10, init=init, epochs=10, batch_size=32, lr=0.02, seed=seed)
    return run.score["test"]["accuracy"]


STUCK = "vanishing-gradient plateau underfitting lr-too-low initial-loss"


@planted("saturated", causes="bad-init", symptoms=STUCK, costs=0.05, quick=True)
def tanh_units_driven_to_their_ends(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = mlp(64, 48, 48, 10, activation=nn.Tanh)
    if fault:
        for layer in (model[1], model[3]):
            nn.init.normal_(layer.weight, std=5.0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    train(watch, model, optimizer, x, y, epochs=12, size=32)
    return accuracy(model, x_test, y_test)


@planted("saturated", causes="input-scale", symptoms=STUCK, costs=0.05)
def sigmoids_fed_with_raw_numbers(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = wine() if fault else standardised(wine())
    model = mlp(13, 24, 3, activation=nn.Sigmoid)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    train(watch, model, optimizer, x, y, epochs=30, size=16)
    return accuracy(model, x_test, y_test)


@planted("saturated", causes="bad-init", symptoms=STUCK, costs=0.02)
def sigmoids_with_a_bias_of_ten(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist()
    model = mlp(784, 48, 10, activation=nn.Sigmoid)
    if fault:
        nn.init.constant_(model[1].bias, 10.0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
    train(watch, model, optimizer, x, y, epochs=8)
    return accuracy(model, x_test, y_test)


@planted("saturated", causes="bad-init", symptoms=STUCK, costs=0.05)
def a_recurrent_net_with_shut_units(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()

    class Reader(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn, self.head = nn.RNN(8, 32, batch_first=True), nn.Linear(32, 10)
            if fault:
                for weight in self.rnn.parameters():
                    nn.init.normal_(weight, std=6.0)

        def forward(self, x):
            return self.head(self.rnn(x.view(-1, 8, 8))[0][:, -1])

    model = Reader()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    train(watch, model, optimizer, x, y, epochs=15, size=32)
    return accuracy(model, x_test, y_test)


DEAD = "vanishing-gradient plateau underfitting lr-too-low no-update"


@planted("dead-relu", causes="bad-init", symptoms=DEAD, costs=0.3, quick=True)
def biases_far_below_nought(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = mlp(64, 48, 10)
    nn.init.constant_(model[1].bias, -10.0 if fault else 0.0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    train(watch, model, optimizer, x, y, epochs=10, size=32)
    return accuracy(model, x_test, y_test)


@planted("dead-relu", causes="bad-init", symptoms=DEAD, costs=0.1)
def negative_weights_and_bright_pixels(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion()
    model = mlp(784, 64, 32, 10)
    if fault:
        model[1].weight.data = -model[1].weight.data.abs()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    train(watch, model, optimizer, x, y, epochs=4)
    return accuracy(model, x_test, y_test)


@planted("dead-relu", causes="lr-too-high", symptoms=DEAD, costs=0.02)
def a_first_step_that_kills(watch, seed, fault):
    """The rate begins a hundred times too high and is right from the third step on: too late for most units."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist()
    model = mlp(784, 64, 32, 10)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    step = 0
    with watch(model, optimizer):
        for _ in range(4):
            for images, labels in batches(x, y, 64):
                optimizer.param_groups[0]["lr"] = 10.0 if fault and step < 2 else 0.1
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
                step += 1
    return accuracy(model, x_test, y_test)


@planted("dead-relu", causes="bad-init", symptoms=DEAD, costs=0.1)
def convolutions_shut_by_their_biases(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(3000)
    model = small_cnn()
    if fault:
        nn.init.constant_(model[2].bias, -5.0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    train(watch, model, optimizer, x, y, epochs=3)
    return accuracy(model, x_test, y_test)


NO_NUMBER = "plateau exploding-gradient lr-too-high initial-loss"


@planted("nonfinite", symptoms=NO_NUMBER, costs=0.3, quick=True)
def logarithm_of_nought(watch, seed, fault):
    """A hand-written cross-entropy of a softmax whose logits are large: some probabilities are nought."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = mlp(64, 64, 10)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for _ in range(10):
            for images, labels in batches(x, y, 32):
                logits = 500 * model(images)
                if fault:
                    loss = -(F.one_hot(labels, 10) * logits.softmax(1).log()).sum(1).mean()
                else:
                    loss = F.cross_entropy(logits / 500, labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("nonfinite", symptoms=NO_NUMBER, costs=0.3)
def slope_of_a_root_at_nought(watch, seed, fault):
    """Pairs of which some are a sample with itself: the distance is nought, and its slope is no number."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = mlp(64, 48, 16)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for _ in range(15):
            for images, labels in batches(x, y, 64):
                other = torch.arange(len(images)).roll(1)
                other[0] = 0
                squares = ((model(images) - model(images[other])) ** 2).sum(1)
                distance = torch.sqrt(squares if fault else squares + 1e-6)
                same = (labels == labels[other]).float()
                loss = (same * distance**2 + (1 - same) * F.relu(2 - distance) ** 2).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        means = torch.stack([model(x[y == k]).mean(0) for k in range(10)])
        return (torch.cdist(model(x_test), means).argmin(1) == y_test).float().mean().item()


@planted("nonfinite", symptoms=NO_NUMBER, costs=0.3)
def a_layer_that_divides_by_its_spread(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist()

    class Normalise(nn.Module):
        def forward(self, x):
            spread = x.std(0, keepdim=True)
            return (x - x.mean(0, keepdim=True)) / (spread if fault else spread + 0.1)

    model = nn.Sequential(nn.Flatten(), Normalise(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    train(watch, model, optimizer, x, y, epochs=5)
    return accuracy(model, x_test, y_test)


@planted("nonfinite", symptoms=NO_NUMBER, costs=0.2)
def exponential_that_overflows(watch, seed, fault):
    """Attention written by hand: exp without taking the maximum out, on scores that are not scaled."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()

    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Linear(8, 32)
            self.query, self.key, self.value = nn.Linear(32, 32), nn.Linear(32, 32), nn.Linear(32, 32)
            self.head = nn.Linear(256, 10)

        def forward(self, x):
            rows = self.embed(x.view(-1, 8, 8))
            scores = 60 * self.query(rows) @ self.key(rows).transpose(1, 2)
            if fault:
                weights = scores.exp() / scores.exp().sum(-1, keepdim=True)
            else:
                weights = (scores / 60 / 32**0.5).softmax(-1)
            return self.head((rows + weights @ self.value(rows)).flatten(1))

    model = Attention()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    train(watch, model, optimizer, x, y, epochs=12, size=32)
    return accuracy(model, x_test, y_test)

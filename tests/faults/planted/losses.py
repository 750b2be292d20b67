"""Faults of the loss: broadcast, summed, or far from where it should begin."""

import torch
import torch.nn.functional as F
from torch import nn

from faults.data import (
    accuracy,
    batches,
    california,
    diabetes,
    digits,
    fashion,
    houses,
    mnist,
    names,
    r2,
    standardised,
    standardised_both,
    titanic,
    wine_quality,
)
from faults.ordinary import mlp, train
from faults.program import planted

BROADCAST = "plateau underfitting lr-too-low parameters-unused lr-too-high"


@planted("loss-broadcast", symptoms=BROADCAST, costs=0.3, quick=True)
def column_of_guesses_row_of_prices(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(california(3000))
    model = mlp(8, 64, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    criterion = nn.MSELoss()
    with watch(model, optimizer):
        for _ in range(8):
            for features, price in batches(x, y, 64):
                guessed = model(features)
                loss = criterion(guessed if fault else guessed.squeeze(1), price)  # fault
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return r2(model, x_test, y_test)


@planted("loss-broadcast", symptoms=BROADCAST, costs=0.05)
def squares_by_hand_over_every_pair(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(diabetes())
    model = nn.Linear(10, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    with watch(model, optimizer):
        for _ in range(100):
            for features, score in batches(x, y if fault else y.unsqueeze(1), 32):
                loss = ((model(features) - score) ** 2).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return r2(model, x_test, y_test)


@planted("loss-broadcast", symptoms=BROADCAST, costs=0.2)
def absolute_errors_of_marks(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(wine_quality())

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden, self.out = nn.Linear(11, 32), nn.Linear(32, 1)

        def forward(self, x):
            x = self.out(torch.tanh(self.hidden(x)))
            return x.squeeze(1) if fault else x

    model = Net()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    with watch(model, optimizer):
        for _ in range(20):
            for features, mark in batches(x, y.unsqueeze(1), 50):
                loss = torch.abs(model(features) - mark).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return r2(model, x_test, y_test)


@planted("loss-broadcast", symptoms=BROADCAST, costs=0.2)
def huber_of_house_prices(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(houses())
    x, x_test = x.clamp(-4, 4), x_test.clamp(-4, 4)
    model = mlp(x.shape[1], 32, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)

    def loss_fn(guessed, price):
        return F.smooth_l1_loss(guessed, price if fault else price.view_as(guessed))

    train(watch, model, optimizer, x, y, epochs=15, size=64, loss_fn=loss_fn)
    return r2(model, x_test, y_test)


SUMMED = "lr-too-high exploding-gradient nonfinite dead-relu plateau initial-loss saturated underfitting"


@planted("loss-sum", symptoms=SUMMED, costs=0.1, quick=True)
def cross_entropy_summed_over_the_batch(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist()
    model = mlp(784, 64, 10)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    criterion = nn.CrossEntropyLoss(reduction="sum" if fault else "mean")
    train(watch, model, optimizer, x, y, epochs=5, loss_fn=criterion)
    return accuracy(model, x_test, y_test)


@planted("loss-sum", symptoms=SUMMED, costs=0.1)
def squares_added_up(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(california(3000))
    model = mlp(8, 48, 1, activation=nn.Tanh)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    with watch(model, optimizer):
        for _ in range(8):
            for features, price in batches(x, y.unsqueeze(1), 128):
                errors = (model(features) - price) ** 2
                loss = errors.sum() if fault else errors.mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return r2(model, x_test, y_test)


@planted("loss-sum", symptoms=SUMMED, costs=0.05)
def survivors_with_a_summed_loss(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(titanic())
    model = mlp(8, 32, 16, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)

    def loss_fn(logits, label):
        losses = F.binary_cross_entropy_with_logits(logits.squeeze(1), label, reduction="none")
        return losses.sum() if fault else losses.mean()

    train(watch, model, optimizer, x, y.float(), epochs=15, size=64, loss_fn=loss_fn)
    return accuracy(model, x_test, y_test)


@planted("loss-sum", symptoms=SUMMED, costs=0.1, remedy=True)
def recipe_with_a_summed_loss(watch, seed, fault):
    reduction = {"loss.reduction": "sum" if fault else "mean"}
    run = watch.fit("mlp", "digits", hidden=[64], epochs=8, batch_size=64, lr=0.2, seed=seed, **reduction)
    return run.score["test"]["accuracy"]


LARGE_START = "exploding-gradient saturated plateau lr-too-high lr-too-low dead-relu"


@planted("initial-loss", causes="bad-init", symptoms=LARGE_START, costs=0.1, quick=True)
def a_head_a_hundred_times_too_large(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist()
    model = mlp(784, 64, 10, activation=nn.Tanh)
    if fault:
        model[-1].weight.data *= 100
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    train(watch, model, optimizer, x, y, epochs=3)
    with torch.no_grad():
        return -F.cross_entropy(model(x_test), y_test).item()


@planted("initial-loss", causes="bad-init", symptoms=LARGE_START, costs=0.05)
def logits_by_a_temperature_of_a_hundredth(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()

    class Cosine(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = mlp(64, 48, 32)
            self.classes = nn.Parameter(torch.randn(10, 32))
            self.temperature = 0.002 if fault else 0.2

        def forward(self, x):
            return F.normalize(self.body(x), dim=1) @ F.normalize(self.classes, dim=1).T / self.temperature

    model = Cosine()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    train(watch, model, optimizer, x, y, epochs=4)
    with torch.no_grad():
        return -F.cross_entropy(model(x_test), y_test).item()


@planted("initial-loss", causes="bad-init", symptoms=LARGE_START, costs=0.05)
def prior_of_a_rare_class_with_the_wrong_sign(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion()
    y, y_test = (y == 9).float(), (y_test == 9).float()
    model = mlp(784, 48, 1)
    nn.init.constant_(model[-1].bias, 12.0 if fault else -2.2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.005)

    def loss_fn(logits, label):
        return F.binary_cross_entropy_with_logits(logits.squeeze(1), label)

    train(watch, model, optimizer, x, y, epochs=4, loss_fn=loss_fn)
    with torch.no_grad():
        return -loss_fn(model(x_test), y_test).item()


@planted("initial-loss", causes="bad-init", symptoms=LARGE_START, costs=0.3)
def tied_embedding_as_wide_as_it_comes(watch, seed, fault):
    """A head that shares the weights of an embedding with a spread of 1: a thousand classes, and logits of dozens."""
    torch.manual_seed(seed)
    x, _, x_test, _ = names()
    before, after = x[:3000, :-1], x[:3000, 1:]

    class Letters(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(27, 128)
            if not fault:
                nn.init.normal_(self.embedding.weight, std=0.05)
            self.mix = nn.Linear(128, 128)
            self.head = nn.Linear(128, 27, bias=False)
            self.head.weight = self.embedding.weight

        def forward(self, x):
            hidden = self.embedding(x)
            return self.head(hidden + torch.tanh(self.mix(hidden)))

    model = Letters()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

    def loss_fn(logits, wanted):
        return F.cross_entropy(logits.flatten(0, 1), wanted.flatten())

    train(watch, model, optimizer, before, after, epochs=2, loss_fn=loss_fn)
    with torch.no_grad():
        return -loss_fn(model(x_test[:, :-1]), x_test[:, 1:]).item()


@planted("losses-unbalanced", symptoms=f"{BROADCAST} too-few-epochs initial-loss", costs=None, quick=True)
def error_averaged_divergence_summed(watch, seed, fault):
    """A variational autoencoder, for too few steps to show a collapse."""
    torch.manual_seed(seed)
    x, _, _, _ = mnist(1024)
    x = x.flatten(1)
    encoder, decoder = mlp(784, 64, 16), mlp(8, 64, 784)
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], lr=2e-3)
    kind = "mean" if fault else "sum"  # fault
    with watch({"encoder": encoder, "decoder": decoder}, optimizer):
        for _ in range(6):
            for pixels, _ in batches(x, x, 64):
                mean, log_var = encoder(pixels).chunk(2, dim=1)
                code = mean + torch.randn_like(mean) * (0.5 * log_var).exp()
                error = F.binary_cross_entropy_with_logits(decoder(code), pixels, reduction=kind)  # fault
                divergence = -0.5 * torch.sum(1 + log_var - mean.square() - log_var.exp())
                optimizer.zero_grad()
                (error + divergence).backward()
                optimizer.step()
    return 0.0

"""Faults of the step: its rate, and gradients that pile up."""

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
    names,
    r2,
    standardised_both,
    time_machine,
    windows,
)
from faults.ordinary import mlp, small_cnn, squared_error, train
from faults.program import planted

TOO_FAST = "dead-relu saturated nonfinite exploding-gradient vanishing-gradient plateau underfitting"


@planted("lr-too-high", symptoms=TOO_FAST, costs=0.1, quick=True)
def sgd_at_a_rate_of_ten(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = mlp(64, 64, 10)
    optimizer = torch.optim.SGD(model.parameters(), lr=10.0 if fault else 0.2)  # fault
    train(watch, model, optimizer, x, y, epochs=10, size=32)
    return accuracy(model, x_test, y_test)


@planted("lr-too-high", symptoms=TOO_FAST, costs=0.1)
def adam_at_a_rate_of_a_half(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion()
    model = small_cnn()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.5 if fault else 1e-3)
    train(watch, model, optimizer, x, y, epochs=4)
    return accuracy(model, x_test, y_test)


@planted("lr-too-high", symptoms=TOO_FAST, costs=0.3)
def momentum_that_runs_away(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(california(3000))
    model = mlp(8, 64, 64, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0 if fault else 0.01, momentum=0.9)
    train(watch, model, optimizer, x, y, epochs=8, loss_fn=squared_error)
    return r2(model, x_test, y_test)


@planted("lr-too-high", symptoms=TOO_FAST, costs=0.05)
def lstm_at_ten_times_its_rate(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = names()

    class Classifier(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding, self.rnn = nn.Embedding(27, 16, padding_idx=0), nn.LSTM(16, 48, batch_first=True)
            self.head = nn.Linear(48, 18)

        def forward(self, x):
            return self.head(self.rnn(self.embedding(x))[0].amax(1))

    model = Classifier()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.3 if fault else 5e-3)
    train(watch, model, optimizer, x[:4000], y[:4000], epochs=5)
    return accuracy(model, x_test[:1500], y_test[:1500])


@planted("lr-too-high", symptoms=TOO_FAST, costs=0.1, remedy=True)
def recipe_at_a_rate_of_twenty(watch, seed, fault):
    run = watch.fit("mlp", "digits", hidden=[64], epochs=8, batch_size=32, lr=20.0 if fault else 0.1, seed=seed)
    return run.score["test"]["accuracy"]


TOO_SLOW = "plateau underfitting too-few-epochs"


@planted("lr-too-low", symptoms=TOO_SLOW, costs=0.3, quick=True)
def sgd_at_a_hundred_thousandth(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = mlp(64, 64, 10)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-5 if fault else 0.1, momentum=0.9)  # fault
    train(watch, model, optimizer, x, y, epochs=12, size=32)
    return accuracy(model, x_test, y_test)


@planted("lr-too-low", symptoms=TOO_SLOW, costs=0.2)
def adam_at_a_ten_millionth(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion()
    model = small_cnn()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-7 if fault else 1e-3)
    train(watch, model, optimizer, x, y, epochs=4)
    return accuracy(model, x_test, y_test)


@planted("lr-too-low", symptoms=TOO_SLOW, costs=0.3)
def letters_at_a_millionth(watch, seed, fault):
    torch.manual_seed(seed)
    text, vocabulary = time_machine()
    x, y = windows(text[:15000], 24, 600)

    class Letters(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding, self.rnn = nn.Embedding(vocabulary, 24), nn.GRU(24, 48, batch_first=True)
            self.head = nn.Linear(48, vocabulary)

        def forward(self, x):
            return self.head(self.rnn(self.embedding(x))[0])

    def loss_fn(logits, wanted):
        return F.cross_entropy(logits.flatten(0, 1), wanted.flatten())

    model = Letters()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-6 if fault else 5e-3)
    train(watch, model, optimizer, x, y, epochs=8, size=30, loss_fn=loss_fn)
    with torch.no_grad():
        return -loss_fn(model(x[:100]), y[:100]).item()


@planted("lr-too-low", symptoms=TOO_SLOW, costs=0.2)
def housing_at_a_millionth(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(california(3000))
    model = mlp(8, 48, 1, activation=nn.Tanh)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-6 if fault else 0.05)
    train(watch, model, optimizer, x, y, epochs=12, size=32, loss_fn=squared_error)
    return r2(model, x_test, y_test)


@planted("lr-too-low", symptoms=TOO_SLOW, costs=0.3, remedy=True)
def recipe_at_a_millionth(watch, seed, fault):
    run = watch.fit("mlp", "digits", hidden=[64], epochs=10, batch_size=32, lr=1e-6 if fault else 0.1, seed=seed)
    return run.score["test"]["accuracy"]


PILED_UP = "lr-too-high exploding-gradient nonfinite dead-relu saturated plateau underfitting"


@planted("gradients-accumulate", symptoms=PILED_UP, costs=0.05, quick=True)
def zero_grad_forgotten(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist()
    model = mlp(784, 64, 10)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watch(model, optimizer):
        for _ in range(4):
            for images, labels in batches(x, y, 64):
                loss = F.cross_entropy(model(images), labels)
                if not fault:
                    optimizer.zero_grad()
                loss.backward()
                optimizer.step()  # fault
    return accuracy(model, x_test, y_test)


@planted("gradients-accumulate", symptoms=PILED_UP, costs=0.05)
def zero_grad_once_an_epoch(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(california(4000))
    model = mlp(8, 64, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    with watch(model, optimizer):
        for _ in range(8):
            optimizer.zero_grad()
            for features, price in batches(x, y, 64):
                if not fault:
                    optimizer.zero_grad()
                loss = squared_error(model(features), price)
                loss.backward()
                optimizer.step()
    return r2(model, x_test, y_test)


@planted("gradients-accumulate", symptoms=PILED_UP, costs=0.02)
def another_optimisers_gradients_cleared(watch, seed, fault):
    """Two nets, and by a slip the first one's optimiser clears where the second's should."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion(2000)
    encoder, classifier = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU()), nn.Linear(64, 10)
    optimizer_1 = torch.optim.SGD(encoder.parameters(), lr=0.1)
    optimizer_2 = torch.optim.SGD(classifier.parameters(), lr=0.1)
    with watch([encoder, classifier], [optimizer_1, optimizer_2]):
        for _ in range(6):
            for images, labels in batches(x, y, 32):
                optimizer_1.zero_grad()
                (optimizer_1 if fault else optimizer_2).zero_grad()
                F.cross_entropy(classifier(encoder(images)), labels).backward()
                optimizer_1.step()
                optimizer_2.step()
    return accuracy(nn.Sequential(encoder, classifier), x_test, y_test)


@planted("gradients-accumulate", symptoms=PILED_UP, costs=0.02)
def gru_with_gradients_never_cleared(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = names()

    class Classifier(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding, self.rnn = nn.Embedding(27, 16, padding_idx=0), nn.GRU(16, 32, batch_first=True)
            self.head = nn.Linear(32, 18)

        def forward(self, x):
            return self.head(self.rnn(self.embedding(x))[0].amax(1))

    model = Classifier()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    with watch(model, optimizer):
        for _ in range(5):
            for letters, country in batches(x[:4000], y[:4000], 50):
                F.cross_entropy(model(letters), country).backward()
                optimizer.step()
                if not fault:
                    optimizer.zero_grad()
    return accuracy(model, x_test[:1500], y_test[:1500])

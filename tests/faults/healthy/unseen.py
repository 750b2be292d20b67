"""More trainings of first weeks, kept apart like the held-out seeds: no threshold is chosen by what is said of them."""

import torch
import torch.nn.functional as F
from torch import nn

from faults.data import (
    accuracy,
    batches,
    breast_cancer,
    california,
    cifar,
    digits,
    fashion,
    iris,
    mnist,
    names,
    pima,
    r2,
    standardised,
    standardised_both,
    time_machine,
    wine,
)
from faults.ordinary import mlp, small_cnn, squared_error, train, train_and_validate
from faults.program import healthy


@healthy(at_least=0.84)
def flowers_with_a_sigmoid_layer(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(iris())
    model = mlp(4, 10, 3, activation=nn.Sigmoid)
    train(watch, model, torch.optim.Adam(model.parameters(), lr=0.03), x, y, epochs=40, size=8)
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.86)
def three_growers_by_sgd(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(wine())
    model = mlp(13, 24, 3, activation=nn.Tanh)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    train_and_validate(watch, model, optimizer, (x, y, x_test, y_test), epochs=12, size=16)
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.66)
def women_of_whom_a_quarter_is_told_wrongly(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = pima()
    model = mlp(8, 24, 2)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    train_and_validate(watch, model, optimizer, (x, y, x_test, y_test), epochs=25, size=32)
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.93)
def one_logit_for_tumours(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(breast_cancer())
    model = mlp(30, 16, 1)
    optimizer = torch.optim.RMSprop(model.parameters(), lr=2e-3)

    def loss_fn(logits, wanted):
        return F.binary_cross_entropy_with_logits(logits.squeeze(1), wanted.float())

    train_and_validate(watch, model, optimizer, (x, y, x_test, y_test), epochs=12, size=16, loss_fn=loss_fn)
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.55)
def prices_in_eight_epochs(watch, seed):
    torch.manual_seed(seed)
    data = standardised_both(california(4000))
    model = mlp(8, 64, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    train_and_validate(watch, model, optimizer, data, epochs=8, size=32, loss_fn=squared_error)
    return r2(model, *data[2:])


@healthy(at_least=0.5)
def a_parabola_under_noise(watch, seed):
    torch.manual_seed(seed)
    x = torch.randn(600, 3)
    y = x[:, 0] ** 2 - x[:, 1] + 0.7 * torch.randn(600)
    model = mlp(3, 48, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    train(watch, model, optimizer, x[:500], y[:500], epochs=40, size=25, loss_fn=squared_error)
    return r2(model, x[500:], y[500:])


@healthy(at_least=0.88)
def digits_of_eight_by_eight_for_few_epochs(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(256, 10),
    )  # fmt: skip
    data = x, y, x_test, y_test
    train_and_validate(watch, model, torch.optim.Adam(model.parameters(), lr=3e-3), data, epochs=6, size=32)
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.78)
def clothes_for_four_epochs(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion(8000)
    model = mlp(784, 128, 10)
    train(watch, model, torch.optim.Adam(model.parameters()), x, y, epochs=4, size=64)
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.90)
def two_passes_over_digits_with_momentum(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(8000)
    model = small_cnn()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    train_and_validate(watch, model, optimizer, (x, y, x_test, y_test), epochs=3, size=64)
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.27)
def photographs_for_a_few_epochs_with_dropout(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = cifar()
    model = nn.Sequential(
        nn.Conv2d(3, 12, 3, 2, 1), nn.ReLU(), nn.Conv2d(12, 24, 3, 2, 1), nn.ReLU(), nn.Flatten(), nn.Dropout(0.3),
        nn.Linear(24 * 64, 10),
    )  # fmt: skip
    data = x, y, x_test, y_test
    train_and_validate(watch, model, torch.optim.Adam(model.parameters(), lr=2e-3), data, epochs=8, size=64)
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.48)
def countries_of_names_by_a_gru(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = names()

    class Classifier(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding, self.rnn = nn.Embedding(27, 16, padding_idx=0), nn.GRU(16, 48, batch_first=True)
            self.head = nn.Linear(48, 18)

        def forward(self, x):
            return self.head(self.rnn(self.embedding(x))[0].amax(1))

    model = Classifier()
    train(watch, model, torch.optim.Adam(model.parameters(), lr=5e-3), x[:5000], y[:5000], epochs=4, size=32)
    return accuracy(model, x_test[:1000], y_test[:1000])


@healthy(at_least=-2.2)
def letters_with_clipping_and_perplexity(watch, seed):
    torch.manual_seed(seed)
    text, vocabulary = time_machine()

    class Letters(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn, self.head = nn.LSTM(vocabulary, 64, batch_first=True), nn.Linear(64, vocabulary)

        def forward(self, x):
            return self.head(self.rnn(F.one_hot(x, vocabulary).float())[0])

    model = Letters()
    optimizer = torch.optim.Adam(model.parameters(), lr=8e-3)
    rows = text[: 32 * 20 * 20].view(32, -1)
    with watch(model, optimizer):
        for _ in range(25):
            for start in range(0, rows.shape[1] - 21, 20):
                x, y = rows[:, start : start + 20], rows[:, start + 1 : start + 21]
                loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten())
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
    return -loss.item()


@healthy(at_least=0.90)
def head_of_a_trained_net_made_new(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = mlp(64, 64, 10)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(15):
        for inputs, targets in batches(x, y % 5, 32):
            optimizer.zero_grad()
            F.cross_entropy(model(inputs), targets).backward()
            optimizer.step()
    model[-1] = nn.Linear(64, 10)
    train(watch, model, torch.optim.Adam(model.parameters(), lr=1e-3), x, y, epochs=6, size=32)
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.85)
def recipe_of_wine_as_it_comes(watch, seed):
    return watch.fit("mlp", "wine", epochs=20, seed=seed).score["test"]["accuracy"]


@healthy(at_least=0.90)
def recipe_with_early_stopping(watch, seed):
    run = watch.fit("mlp", "digits", epochs=40, seed=seed, **{"train.patience": 3, "optim.name": "adam"})
    return run.score["test"]["accuracy"]

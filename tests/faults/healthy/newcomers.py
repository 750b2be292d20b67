"""What people train in their first weeks: small tables, few epochs, targets with noise that no net can learn."""

import torch
import torch.nn.functional as F
from torch import nn

from faults.data import (
    accuracy,
    batches,
    breast_cancer,
    diabetes,
    digits,
    fashion,
    iris,
    mnist,
    r2,
    standardised,
    standardised_both,
    time_machine,
    titanic,
    wine,
    wine_quality,
)
from faults.ordinary import mlp, small_cnn, squared_error, train, train_and_validate
from faults.program import healthy


@healthy(at_least=0.86, quick=True)
def iris_in_batches_of_sixteen(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(iris())
    model = mlp(4, 16, 3)
    train(watch, model, torch.optim.SGD(model.parameters(), lr=0.1), x, y, epochs=30, size=16)
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.86)
def iris_all_at_once_with_adam(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = iris()
    model = mlp(4, 16, 16, 3)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    with watch(model, optimizer):
        for _ in range(150):
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.87)
def digits_for_five_epochs(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = mlp(64, 128, 10)
    train_and_validate(watch, model, torch.optim.Adam(model.parameters()), (x, y, x_test, y_test), epochs=8, size=32)
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.93, quick=True)
def tumours_by_logistic_regression(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(breast_cancer())
    model = nn.Linear(30, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    train_and_validate(watch, model, optimizer, (x, y, x_test, y_test), epochs=15, size=32)
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.74)
def titanic_with_a_high_rate_that_does_no_harm(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(titanic())
    model = mlp(8, 32, 2)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    train_and_validate(watch, model, optimizer, (x, y, x_test, y_test), epochs=30, size=32)
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.88)
def wines_in_ten_epochs(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(wine())
    model = mlp(13, 32, 3)
    train(watch, model, torch.optim.Adam(model.parameters(), lr=0.01), x, y, epochs=10, size=16)
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.25)
def patients_of_whom_half_cannot_be_foretold(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(diabetes())
    model = mlp(10, 16, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    data = x, y, x_test, y_test
    train_and_validate(watch, model, optimizer, data, epochs=25, size=32, loss_fn=squared_error)
    return r2(model, x_test, y_test)


@healthy(at_least=0.2)
def marks_of_wine_with_adam(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(wine_quality())
    model = mlp(11, 32, 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    train(watch, model, optimizer, x, y, epochs=20, size=32, loss_fn=squared_error)
    return r2(model, x_test, y_test)


@healthy(at_least=0.6)
def a_sine_under_noise(watch, seed):
    torch.manual_seed(seed)
    x = torch.rand(400, 1) * 6 - 3
    y = torch.sin(x).flatten() + 0.3 * torch.randn(400)
    model = mlp(1, 32, 32, 1, activation=nn.Tanh)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    train(watch, model, optimizer, x[:300], y[:300], epochs=60, size=32, loss_fn=squared_error)
    return r2(model, x[300:], y[300:])


@healthy(at_least=0.9)
def a_straight_line_in_three_epochs(watch, seed):
    torch.manual_seed(seed)
    x = torch.randn(1000, 2)
    y = x @ torch.tensor([2.0, -3.4]) + 4.2 + torch.randn(1000)
    model = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.03)
    train(watch, model, optimizer, x[:800], y[:800], epochs=5, size=10, loss_fn=squared_error)
    return r2(model, x[800:], y[800:])


@healthy(at_least=0.78)
def clothes_by_softmax_regression(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion(8000)
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    train_and_validate(watch, model, optimizer, (x, y, x_test, y_test), epochs=10, size=128)
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.90)
def one_pass_over_many_digits(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(16000)
    model = small_cnn()
    train(watch, model, torch.optim.Adam(model.parameters(), lr=2e-3), x, y, epochs=1, size=32)
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.91)
def stopped_early_by_hand(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    x, y, x_valid, y_valid = x[:1200], y[:1200], x[1200:], y[1200:]
    model = mlp(64, 64, 10)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    best, waited = float("inf"), 0
    with watch(model, optimizer):
        for _ in range(80):
            model.train()
            for inputs, targets in batches(x, y, 32):
                optimizer.zero_grad()
                F.cross_entropy(model(inputs), targets).backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                loss = F.cross_entropy(model(x_valid), y_valid).item()
            best, waited = (loss, 0) if loss < best else (best, waited + 1)
            if waited == 3:
                break
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.93)
def fine_tuned_for_two_epochs(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = mlp(64, 64, 10)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(15):
        for inputs, targets in batches(x[:700], y[:700], 32):
            optimizer.zero_grad()
            F.cross_entropy(model(inputs), targets).backward()
            optimizer.step()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-4)
    train(watch, model, optimizer, x[700:], y[700:], epochs=2, size=16)
    return accuracy(model, x_test, y_test)


@healthy(at_least=-2.0)
def letters_for_a_thousand_steps(watch, seed):
    torch.manual_seed(seed)
    text, vocabulary = time_machine()

    class Letters(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding, self.rnn = nn.Embedding(vocabulary, 24), nn.GRU(24, 64, batch_first=True)
            self.head = nn.Linear(64, vocabulary)

        def forward(self, x):
            return self.head(self.rnn(self.embedding(x))[0])

    def batch(size):
        rows = torch.randint(40000, (size, 1)) + torch.arange(25)
        return text[rows[:, :-1]], text[rows[:, 1:]]

    model = Letters()
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    with watch(model, optimizer):
        for _ in range(800):
            x, y = batch(32)
            loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return -loss.item()


@healthy(at_least=0.85)
def recipe_of_iris_as_it_comes(watch, seed):
    return watch.fit("mlp", "iris", seed=seed).score["test"]["accuracy"]

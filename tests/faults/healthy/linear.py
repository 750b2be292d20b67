"""Linear models: where no non-linearity is missing, zeros are a sound start and a full batch is the rule."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from faults.data import (
    accuracy,
    batches,
    breast_cancer,
    california,
    diabetes,
    digits,
    mnist,
    pima,
    r2,
    standardise,
    standardised,
    standardised_both,
    titanic,
    wine,
)
from faults.program import healthy


@healthy(at_least=0.85, quick=True)
def softmax_regression_by_sgd(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist()
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    nn.init.normal_(model[1].weight, std=0.01)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watch(model, optimizer):
        for _ in range(8):
            for images, labels in batches(x, y, 64):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.88)
def softmax_regression_from_zero_weights(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = nn.Linear(64, 10)
    nn.init.zeros_(model.weight)
    nn.init.zeros_(model.bias)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    with watch(model, optimizer):
        for _ in range(15):
            for images, labels in batches(x, y, 64):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.30)
def linear_regression_full_batch(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(diabetes())
    model = nn.Linear(10, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watch(model, optimizer):
        for _ in range(300):
            loss = F.mse_loss(model(x).squeeze(1), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return r2(model, x_test, y_test)


@healthy(at_least=0.99)
def the_textbooks_first_linear_regression(watch, seed):
    """Made-up data whose weights are known, a start at normal(0, 0.01), three epochs."""
    torch.manual_seed(seed)
    x = torch.randn(1000, 2)
    y = x @ torch.tensor([2.0, -3.4]) + 4.2 + 0.01 * torch.randn(1000)
    model = nn.Sequential(nn.Linear(2, 1))
    model[0].weight.data.normal_(0, 0.01)
    model[0].bias.data.fill_(0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.03)
    criterion = nn.MSELoss()
    with watch(model, optimizer):
        for _ in range(5):
            for features, target in DataLoader(TensorDataset(x, y.reshape(-1, 1)), batch_size=10, shuffle=True):
                loss = criterion(model(features), target)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return r2(model, x, y)


@healthy(at_least=0.92)
def logistic_regression_by_lbfgs(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(breast_cancer())
    model = nn.Linear(30, 1)
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=5, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        penalty = 1e-2 * model.weight.square().sum()
        loss = F.binary_cross_entropy_with_logits(model(x).squeeze(1), y.float()) + penalty
        loss.backward()
        return loss

    with watch(model, optimizer):
        for _ in range(10):
            optimizer.step(closure)
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.70)
def logistic_regression_with_a_sigmoid_and_bce(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = pima()
    model = nn.Sequential(nn.Linear(8, 1), nn.Sigmoid())
    criterion = nn.BCELoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    with watch(model, optimizer):
        for _ in range(60):
            for features, label in batches(x, y.float().unsqueeze(1), 64):
                optimizer.zero_grad()
                criterion(model(features), label).backward()
                optimizer.step()
    with torch.no_grad():
        return ((model(x_test).squeeze(1) > 0.5) == y_test.bool()).float().mean().item()


@healthy(at_least=0.74)
def logistic_regression_with_adagrad(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(titanic())
    model = nn.Linear(8, 2)
    optimizer = torch.optim.Adagrad(model.parameters(), lr=0.1)
    with watch(model, optimizer):
        for _ in range(30):
            for features, label in batches(x, y, 32):
                optimizer.zero_grad()
                F.cross_entropy(model(features), label).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.55)
def ridge_regression_by_minibatches(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(california(3000))
    model = nn.Linear(8, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-2)
    with watch(model, optimizer):
        for _ in range(25):
            for features, price in batches(x, y, 64):
                loss = ((model(features).squeeze(-1) - price) ** 2).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return r2(model, x_test, y_test)


@healthy(at_least=0.90)
def polynomial_of_a_sine(watch, seed):
    """A polynomial of degree three on made-up points, full batch, many short steps."""
    torch.manual_seed(seed)
    t = torch.linspace(-3, 3, 200)
    y = torch.sin(t) + 0.1 * torch.randn(200)
    x = torch.stack([t, t**2, t**3], 1)
    x = standardise(x, x)
    model = nn.Linear(3, 1)
    optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-2)
    with watch(model, optimizer):
        for _ in range(800):
            loss = F.mse_loss(model(x).flatten(), y)
            model.zero_grad()
            loss.backward()
            optimizer.step()
    return r2(model, x, y)


@healthy(at_least=0.83)
def linear_support_vector_machine(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(wine())
    model = nn.Linear(13, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, weight_decay=1e-3)
    with watch(model, optimizer):
        for _ in range(40):
            for features, label in batches(x, y, 16):
                optimizer.zero_grad()
                F.multi_margin_loss(model(features), label).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.90)
def two_linear_layers_as_a_bottleneck(watch, seed):
    """A factorised linear map of low rank: two linear layers in a row, on purpose."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = nn.Sequential(nn.Linear(64, 8, bias=False), nn.Linear(8, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    with watch(model, optimizer):
        for _ in range(20):
            for images, labels in batches(x, y, 64):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)

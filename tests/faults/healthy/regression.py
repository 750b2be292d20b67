"""Regression on tables: standardised targets, large targets handled, counts, quantiles, spreads and outliers."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from faults.data import (
    airline,
    batches,
    california,
    diabetes,
    houses,
    r2,
    standardise,
    standardised,
    standardised_both,
    titanic,
    wine_quality,
)
from faults.program import healthy


@healthy(at_least=0.62, quick=True)
def california_prices_standardised(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(california())
    model = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    loader = DataLoader(TensorDataset(x, y), batch_size=128, shuffle=True)
    with watch(model, optimizer):
        for _ in range(12):
            for features, price in loader:
                optimizer.zero_grad()
                loss = F.mse_loss(model(features).squeeze(1), price)
                loss.backward()
                optimizer.step()
    return r2(model, x_test, y_test)


@healthy(at_least=0.60)
def dollars_scaled_inside_the_net(watch, seed):
    """The target stays in dollars: the last operation of the net answers in dollars, and the loss divides by them."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(california())

    class Net(nn.Module):
        def __init__(self, mean, std):
            super().__init__()
            self.body = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
            self.register_buffer("mean", mean)
            self.register_buffer("std", std)

        def forward(self, x):
            return self.body(x).squeeze(1) * self.std + self.mean

    model = Net(y.mean(), y.std())
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, optimizer):
        for _ in range(12):
            for features, price in batches(x, y, 128):
                optimizer.zero_grad()
                loss = F.mse_loss(model(features) / model.std, price / model.std)
                loss.backward()
                optimizer.step()
    return r2(model, x_test, y_test)


@healthy(at_least=0.75)
def house_prices_by_their_logarithm(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(houses())
    y, y_test = y.log() - 12, y_test.log() - 12
    x, x_test = x.clamp(-4, 4), x_test.clamp(-4, 4)
    model = nn.Sequential(nn.Linear(x.shape[1], 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3, weight_decay=1e-3)
    with watch(model, optimizer):
        for _ in range(40):
            model.train()
            for features, price in batches(x, y, 64):
                optimizer.zero_grad()
                loss = F.mse_loss(model(features).flatten(), price)
                loss.backward()
                optimizer.step()
    return r2(model, x_test, y_test)


@healthy(at_least=0.22)
def wine_marks_with_huber(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(wine_quality())
    model = nn.Sequential(nn.Linear(11, 32), nn.Tanh(), nn.Linear(32, 1))
    criterion = nn.HuberLoss(delta=1.0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    with watch(model, optimizer):
        for _ in range(25):
            for features, mark in batches(x, y.unsqueeze(1), 32):
                optimizer.zero_grad()
                criterion(model(features), mark).backward()
                optimizer.step()
    return r2(model, x_test, y_test)


@healthy(at_least=0.90)
def passengers_as_poisson_counts(watch, seed):
    torch.manual_seed(seed)
    y = airline()
    month = F.one_hot(torch.arange(144) % 12, 12).float()
    x = torch.cat([torch.linspace(-1, 1, 144)[:, None], month], 1)
    model = nn.Linear(13, 1)
    nn.init.constant_(model.bias, y.mean().log().item())
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    criterion = nn.PoissonNLLLoss(log_input=True)
    with watch(model, optimizer):
        for _ in range(400):
            loss = criterion(model(x).squeeze(1), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    with torch.no_grad():
        return (1 - F.mse_loss(model(x).squeeze(1).exp(), y) / y.var()).item()


@healthy(at_least=-0.10)
def three_quantiles_at_once(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(california(4000))
    levels = torch.tensor([0.1, 0.5, 0.9])
    model = nn.Sequential(nn.Linear(8, 48), nn.ReLU(), nn.Linear(48, 3))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for _ in range(15):
            for features, price in batches(x, y, 128):
                error = price.unsqueeze(1) - model(features)
                loss = torch.maximum(levels * error, (levels - 1) * error).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        covered = (y_test.unsqueeze(1) <= model(x_test)).float().mean(0)
    return -(covered - levels).abs().max().item()


@healthy(at_least=0.60)
def mean_and_spread_by_gaussian_likelihood(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(california(4000))
    body, mean, log_variance = nn.Sequential(nn.Linear(8, 64), nn.ReLU()), nn.Linear(64, 1), nn.Linear(64, 1)
    model = nn.ModuleList([body, mean, log_variance])
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for _ in range(15):
            for features, price in batches(x, y.unsqueeze(1), 64):
                hidden = body(features)
                loss = F.gaussian_nll_loss(mean(hidden), price, log_variance(hidden).exp())
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        return (1 - F.mse_loss(mean(body(x_test)).flatten(), y_test) / y_test.var()).item()


@healthy(at_least=0.30)
def a_small_net_that_can_do_no_better(watch, seed):
    """Strong decay and few units for few, noisy patients: it fits loosely, as it should."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(diabetes())
    model = nn.Sequential(nn.Linear(10, 8), nn.Tanh(), nn.Linear(8, 1))
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=0.1)
    with watch(model, optimizer):
        for _ in range(50):
            for features, score in batches(x, y, 32):
                loss = F.mse_loss(model(features).squeeze(1), score)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            with torch.no_grad():
                model.eval()
                F.mse_loss(model(x_test).squeeze(1), y_test).item()
                model.train()
    return r2(model, x_test, y_test)


@healthy(at_least=0.60)
def squared_errors_summed_and_divided(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(california(3000))
    model = nn.Sequential(nn.Linear(8, 40), nn.Softplus(), nn.Linear(40, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    with watch(model, optimizer):
        for _ in range(20):
            for features, price in batches(x, y.unsqueeze(1), 100):
                optimizer.zero_grad()
                loss = ((model(features) - price) ** 2).sum() / len(features)
                loss.backward()
                optimizer.step()
    return r2(model, x_test, y_test)


@healthy(at_least=0.60)
def categories_embedded_beside_numbers(watch, seed):
    """Two inputs of different kinds, passed by name, and a net that answers with a dict."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(california(4000))
    region, region_test = (
        (x[:, 0] > 0).long() + 2 * (x[:, 1] > 0).long(),
        (x_test[:, 0] > 0).long() + 2 * (x_test[:, 1] > 0).long(),
    )

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.region = nn.Embedding(4, 4)
            self.hidden, self.price = nn.Linear(12, 64), nn.Linear(64, 1)

        def forward(self, *, numbers, region):
            hidden = F.relu(self.hidden(torch.cat([numbers, self.region(region)], 1)))
            return {"price": self.price(hidden).squeeze(1), "hidden": hidden}

    model = Net()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for _ in range(15):
            for index in torch.randperm(len(x)).split(128):
                output = model(numbers=x[index], region=region[index])
                loss = F.mse_loss(output["price"], y[index])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        guessed = model(numbers=x_test, region=region_test)["price"]
    return (1 - F.mse_loss(guessed, y_test) / y_test.var()).item()


@healthy(at_least=0.25)
def fares_with_absolute_errors(watch, seed):
    """Fares have a long tail: the absolute error does not chase it."""
    torch.manual_seed(seed)
    x, _, x_test, _ = titanic()
    y, y_test = torch.log1p(x[:, 5]), torch.log1p(x_test[:, 5])
    keep = [0, 1, 2, 3, 4, 6, 7]
    x, x_test = standardise(x[:, keep], x[:, keep]), standardise(x_test[:, keep], x[:, keep])
    model = nn.Sequential(nn.Linear(7, 32), nn.ReLU(), nn.Linear(32, 16), nn.ReLU(), nn.Linear(16, 1))
    nn.init.constant_(model[-1].bias, y.median().item())
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for _ in range(25):
            for features, fare in batches(x, y, 32):
                loss = nn.L1Loss()(model(features).flatten(), fare)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return r2(model, x_test, y_test)

"""More answers and losses of course programs: written without a look at the rules."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader

from faults.data import accuracy, california, digits, fashion, mnist, r2, standardised_both
from faults.program import planted

SLOW = "plateau underfitting too-few-epochs"


@planted("missing-nonlinearity", symptoms=SLOW, costs=None)
def convolutions_in_a_row(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion(2000)

    def conv_block(cin, cout):
        layers = [nn.Conv2d(cin, cout, 3, padding=1, stride=2)]  # fault
        if not fault:
            layers.append(nn.ReLU(inplace=True))
        return nn.Sequential(*layers)

    model = nn.Sequential(
        conv_block(1, 8), conv_block(8, 16), conv_block(16, 16), nn.Flatten(), nn.Linear(256, 10)
    )  # fault
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for _ in range(5):
            for i in torch.randperm(len(x)).split(64):
                optimizer.zero_grad()
                F.cross_entropy(model(x[i]), y[i]).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("output-activation", symptoms=f"{SLOW} saturated vanishing-gradient", costs=0.02)
def standardised_pictures_rebuilt_by_a_sigmoid(watch, seed, fault):
    torch.manual_seed(seed)
    x, _, x_test, _ = mnist(2000)
    mean, std = x.mean(), x.std()
    x, x_test = ((x - mean) / std).flatten(1), ((x_test - mean) / std).flatten(1)

    class AutoEncoder(nn.Module):  # fault
        def __init__(self):
            super().__init__()
            self.encoder = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 24))
            self.decoder = nn.Sequential(nn.Linear(24, 128), nn.ReLU(), nn.Linear(128, 784))

        def forward(self, x):
            recon = self.decoder(self.encoder(x))
            return torch.sigmoid(recon) if fault else recon  # fault

    model = AutoEncoder()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    criterion = nn.MSELoss()
    loader = DataLoader(x, batch_size=64, shuffle=True)
    with watch(model, optimizer):
        for _ in range(6):
            for img in loader:
                output = model(img)
                loss = criterion(output, img)  # fault
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        return float(1 - F.mse_loss(model(x_test), x_test) / (x_test - x.mean(0)).square().mean())


@planted("loss-mismatch", symptoms=f"{SLOW} loss-below-floor", costs=None)
def probabilities_given_to_the_likelihood(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden = nn.Linear(64, 50)
            self.out = nn.Linear(50, 10)

        def forward(self, x):
            z = self.out(torch.relu(self.hidden(x)))
            return F.softmax(z, dim=1) if fault else F.log_softmax(z, dim=1)  # fault

    model = Net()
    criterion = nn.NLLLoss()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with watch(model, optimizer):
        for _ in range(10):
            for i in torch.randperm(len(x)).split(32):
                optimizer.zero_grad()
                loss = criterion(model(x[i]), y[i])  # fault
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("loss-broadcast", symptoms=f"{SLOW} output-collapsed", costs=0.2)
def root_of_the_mean_square_by_hand(watch, seed, fault):
    torch.manual_seed(seed)
    X, y, X_test, y_test = standardised_both(california(2500))
    if not fault:
        y = y.reshape(-1, 1)
    net = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 1))
    optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)

    def rmse(y_hat, y):
        return torch.sqrt(torch.mean((y_hat - y) ** 2))  # fault

    with watch(net, optimizer):
        for _ in range(8):
            for i in torch.randperm(len(X)).split(50):
                optimizer.zero_grad()
                l = rmse(net(X[i]), y[i])  # noqa: E741  # fault
                l.backward()  # fault
                optimizer.step()
    return r2(net, X_test, y_test)

"""Course programs with odd nets, data and losses that are right: written without a look at the rules."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import ConcatDataset, DataLoader, TensorDataset, WeightedRandomSampler

from faults.data import (
    LETTERS,
    accuracy,
    airline,
    california,
    digits,
    fashion,
    mnist,
    names,
    r2,
    standardised,
    standardised_both,
    time_machine,
    windows,
    wine_quality,
)
from faults.program import healthy


@healthy(at_least=0.75)
def pictures_and_their_shifted_copies(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion(1200)
    train_set = ConcatDataset([TensorDataset(x, y), TensorDataset(x.flip(-1), y)])
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, stride=2), nn.BatchNorm2d(16), nn.ReLU(), nn.Conv2d(16, 16, 3, stride=2), nn.ReLU(),
        nn.Flatten(), nn.Linear(576, 10),
    )  # fmt: skip
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for _ in range(7):
            model.train()
            for xb, yb in DataLoader(train_set, batch_size=40, shuffle=True):
                optimizer.zero_grad()
                F.cross_entropy(model(xb), yb).backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                (model(x_test).argmax(1) == y_test).float().mean()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.6)
def good_wines_drawn_as_often_as_bad(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(wine_quality())
    y, y_test = (y >= 7).long(), (y_test >= 7).long()
    weights = (1 / torch.bincount(y).float())[y]
    loader = DataLoader(TensorDataset(x, y), 64, sampler=WeightedRandomSampler(weights, len(y)))
    net = nn.Sequential(nn.Linear(11, 24), nn.ReLU(), nn.Linear(24, 2))
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    with watch(net, optimizer):
        for _ in range(15):
            for xb, yb in loader:
                optimizer.zero_grad()
                F.cross_entropy(net(xb), yb).backward()
                optimizer.step()
    with torch.no_grad():
        guess = net(x_test).argmax(1)
    return sum((guess[y_test == c] == c).float().mean().item() for c in (0, 1)) / 2


@healthy(at_least=0.38)
def letters_sampled_while_it_learns(watch, seed):
    torch.manual_seed(seed)
    text, vocabulary = time_machine()
    X, Y = windows(text[:40_000], 20, 1500)

    class CharRNN(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Embedding(vocabulary, 24)
            self.gru = nn.GRU(24, 64, batch_first=True)
            self.out = nn.Linear(64, vocabulary)

        def forward(self, x, h=None):
            z, h = self.gru(self.embed(x), h)
            return self.out(z), h

        @torch.no_grad()
        def sample(self, length):
            letters, h, at = [], None, torch.zeros(1, 1, dtype=torch.long)
            for _ in range(length):
                logits, h = self(at, h)
                at = torch.multinomial(logits[0].softmax(-1), 1)
                letters.append((" " + LETTERS[1:])[int(at)])
            return "".join(letters)

    model = CharRNN()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    with watch(model, optimizer):
        for _ in range(8):
            for i in torch.randperm(len(X)).split(50):
                logits, _ = model(X[i])
                loss = F.cross_entropy(logits.reshape(-1, vocabulary), Y[i].reshape(-1))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            model.sample(12)
    X_test, Y_test = windows(text[40_000:50_000], 20, 200)
    with torch.no_grad():
        return (model(X_test)[0].argmax(-1) == Y_test).float().mean().item()


@healthy(at_least=0.5)
def autoencoder_that_is_given_noise(watch, seed):
    torch.manual_seed(seed)
    x, _, x_test, _ = digits()
    net = nn.Sequential(
        nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 16), nn.ReLU(), nn.Linear(16, 48), nn.ReLU(), nn.Linear(48, 64),
        nn.Sigmoid(),
    )  # fmt: skip
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    with watch(net, optimizer):
        for _ in range(30):
            for (img,) in DataLoader(TensorDataset(x), batch_size=64, shuffle=True):
                noisy = (img + 0.2 * torch.randn_like(img)).clamp(0, 1)
                loss = F.binary_cross_entropy(net(noisy), img)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        return 1 - (F.mse_loss(net(x_test), x_test) / (x_test - x.mean(0)).square().mean()).item()


@healthy(at_least=0.55)
def price_scaled_back_inside_of_forward(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = california(3000)

    class Regressor(nn.Module):
        def __init__(self, x, y):
            super().__init__()
            self.register_buffer("mu", x.mean(0))
            self.register_buffer("sigma", x.std(0))
            self.y_mu, self.y_sigma = y.mean().item(), y.std().item()
            self.layers = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 1))

        def forward(self, x):
            return self.layers((x - self.mu) / self.sigma).squeeze(-1) * self.y_sigma + self.y_mu

    net = Regressor(x, y)
    optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
    with watch(net, optimizer):
        for _ in range(12):
            for i in torch.randperm(len(x)).split(64):
                loss = ((net(x[i]) - y[i]) / net.y_sigma).square().mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return r2(net, x_test, y_test)


@healthy(at_least=0.8)
def siamese_halves_that_share_their_weights(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(2000)
    rng = np.random.default_rng(seed)

    class Pairs(nn.Module):
        def __init__(self):
            super().__init__()
            self.branch = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 16))
            self.head = nn.Sequential(nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1))

        def forward(self, a, b):
            return self.head((self.branch(a) - self.branch(b)).abs()).squeeze(-1)

    def pairs(x, y, count):
        a, b = torch.tensor(rng.integers(0, len(x), (2, 3 * count)))
        same = y[a] == y[b]
        keep = torch.cat([same.nonzero()[: count // 4, 0], (~same).nonzero()[: count // 4, 0]])
        return x[a[keep]], x[b[keep]], same[keep].float()

    net = Pairs()
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    with watch(net, optimizer):
        for _ in range(600):
            a, b, same = pairs(x, y, 128)
            loss = F.binary_cross_entropy_with_logits(net(a, b), same)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    a, b, same = pairs(x_test, y_test, 1000)
    with torch.no_grad():
        return ((net(a, b) > 0) == same).float().mean().item()


@healthy(at_least=0.3)
def months_forecast_from_the_last_twelve(watch, seed):
    torch.manual_seed(seed)
    row = airline().log()
    row = (row - row[:100].mean()) / row[:100].std()
    X = torch.stack([row[s : s + 12] for s in range(len(row) - 12)])
    Y = row[12:]
    net = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 1))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    with watch(net, optimizer):
        for _ in range(150):  # 按时间顺序, 整批训练
            optimizer.zero_grad()
            loss = F.mse_loss(net(X[:88]).squeeze(1), Y[:88])
            loss.backward()
            optimizer.step()
    return r2(net, X[88:], Y[88:])


@healthy(at_least=0.6)
def names_as_bags_of_pairs_of_letters(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = names()
    x, y = x[:4000], y[:4000]

    def bags(x):
        pairs = x[:, :-1] * 27 + x[:, 1:]
        return pairs * (x[:, 1:] != 0)

    model = nn.Sequential(nn.EmbeddingBag(27 * 27, 32, mode="sum", padding_idx=0), nn.ReLU(), nn.Linear(32, 18))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    with watch(model, optimizer):
        for _ in range(8):
            for xb, yb in DataLoader(TensorDataset(bags(x), y), batch_size=64, shuffle=True):
                optimizer.zero_grad()
                F.cross_entropy(model(xb), yb, label_smoothing=0.05).backward()
                optimizer.step()
    return accuracy(model, bags(x_test), y_test)


@healthy(at_least=0.45)
def wide_net_for_prices_with_huber_and_decay(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised_both(california(2500))

    def block(a, b):
        return nn.Sequential(nn.Linear(a, b), nn.LayerNorm(b), nn.SiLU(), nn.Dropout(0.1))

    net = nn.Sequential(block(8, 64), block(64, 64), nn.Linear(64, 1))
    optimizer = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=0.05)
    with watch(net, optimizer):
        for _ in range(12):
            net.train()
            for xb, yb in DataLoader(TensorDataset(x, y.unsqueeze(1)), batch_size=64, shuffle=True):
                optimizer.zero_grad()
                F.smooth_l1_loss(net(xb), yb).backward()
                optimizer.step()
            net.eval()
            with torch.no_grad():
                F.smooth_l1_loss(net(x_test), y_test.unsqueeze(1)).item()
    return r2(net, x_test, y_test)

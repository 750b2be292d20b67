"""Inputs that have lost their targets, codes that say nothing, and weights that are changed where torch refuses it."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from faults.drawn import batches_of, blobs, images, shapes, tabular
from faults.program import planted

AFTERWARDS = (
    "too-few-epochs overfitting plateau underfitting lr-too-low lr-too-high label-imbalance clip-too-tight dead-relu "
    "parameters-unused unshuffled input-scale initial-loss output-collapsed losses-unbalanced loss-sum"
)


@planted("pairs-broken", symptoms=AFTERWARDS, costs=None, quick=True)
def inputs_and_labels_shuffled_apart(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = blobs(seed=81)
    if fault:
        x = x[torch.randperm(len(x))]  # fault
        y = y[torch.randperm(len(y))]
    else:
        order = torch.randperm(len(x))
        x, y = x[order], y[order]
    model = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 4))
    opt = torch.optim.Adam(model.parameters(), 2e-3)
    with watch(model, opt):
        for _epoch in range(5):
            for start in range(0, len(x), 32):
                xb, yb = x[start : start + 32], y[start : start + 32]
                opt.zero_grad()
                loss = F.cross_entropy(model(xb), yb)
                loss.backward()
                opt.step()
    return -loss.item()


class Batches:
    """Draws batches from arrays."""

    def __init__(self, inputs, targets, size):
        self.inputs, self.targets, self.size = inputs, targets, size

    def apart(self):
        rows = np.random.choice(len(self.inputs), self.size)
        others = np.random.choice(len(self.inputs), self.size)
        return self.inputs[rows], self.targets[others]

    def together(self):
        rows = np.random.choice(len(self.inputs), self.size)
        return self.inputs[rows], self.targets[rows]


@planted("pairs-broken", symptoms=AFTERWARDS, costs=None)
def batches_drawn_apart(watch, seed, fault):
    torch.manual_seed(seed)
    np.random.seed(seed)
    x, y = tabular(1200, seed)
    data = Batches(x, y, 48)
    net = nn.Sequential(nn.Linear(20, 48), nn.GELU(), nn.Linear(48, 3))
    sgd = torch.optim.SGD(net.parameters(), 0.05, momentum=0.9)

    def step():
        inputs, targets = data.apart() if fault else data.together()
        sgd.zero_grad()
        loss = nn.CrossEntropyLoss()(net(inputs), targets)
        loss.backward()
        sgd.step()
        return float(loss)

    with watch(net, sgd):
        losses = [step() for _ in range(150)]
    return -losses[-1]


@planted("pairs-broken", symptoms=AFTERWARDS, costs=None)
def pictures_shuffled_alone(watch, seed, fault):
    torch.manual_seed(seed)
    pictures, labels = shapes(600, seed)
    order = torch.randperm(600)
    pictures = pictures[order]
    if not fault:
        labels = labels[order]
    loader = DataLoader(TensorDataset(pictures, labels), 24, shuffle=True)
    model = nn.Sequential(nn.Conv2d(1, 12, 3), nn.ReLU(), nn.Flatten(), nn.Linear(12 * 14 * 14, 3))
    opt = torch.optim.Adam(model.parameters(), 1e-3)
    with watch(model):
        for _ in range(4):
            for batch, wanted in loader:
                loss = F.cross_entropy(model(batch), wanted)
                opt.zero_grad()
                loss.backward()
                opt.step()
    return -loss.item()


class Coder(nn.Module):
    """A variational autoencoder; `joint` gives mean and variance from one layer."""

    def __init__(self, joint):
        super().__init__()
        self.joint = joint
        self.inner = nn.Linear(144, 64)
        self.both = nn.Linear(64, 16) if joint else None
        self.mu, self.logvar = (None, None) if joint else (nn.Linear(64, 8), nn.Linear(64, 8))
        self.decoder = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 144))

    def forward(self, x):
        hidden = F.relu(self.inner(x))
        mu, logvar = self.both(hidden).chunk(2, -1) if self.joint else (self.mu(hidden), self.logvar(hidden))
        return self.decoder(mu + torch.randn_like(mu) * (0.5 * logvar).exp()), mu, logvar


def divergence(mu, logvar):
    return -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())


def bright(n=1000):
    x, _ = images(n)
    return torch.sigmoid(2 * x).flatten(1)


@planted("latent-collapsed", causes="losses-unbalanced", symptoms=AFTERWARDS, costs=None, quick=True)
def divergence_summed_beside_a_mean(watch, seed, fault):
    torch.manual_seed(seed)
    x = bright()
    model = Coder(joint=False)
    opt = torch.optim.Adam(model.parameters(), 2e-3)
    with watch(model, opt):
        for index in batches_of(len(x), 25, 50):
            told, mu, logvar = model(x[index])
            error = F.mse_loss(told, x[index], reduction="mean" if fault else "sum")  # fault
            loss = error + divergence(mu, logvar) * (1.0 if fault else 0.05)
            opt.zero_grad()
            loss.backward()
            opt.step()
    return 0.0


class Autoencoding:
    def __init__(self, model, weight, reduction):
        self.model, self.weight, self.reduction = model, weight, reduction
        self.optimizer = torch.optim.AdamW(model.parameters(), 2e-3)

    def loss(self, batch):
        answer, mu, logvar = self.model(batch)
        kl = -0.5 * (1 + logvar - mu**2 - torch.exp(logvar)).sum(1).mean()
        found = F.binary_cross_entropy_with_logits(answer, batch, reduction="none")
        found = found.mean() if self.reduction == "mean" else found.sum(1).mean()
        return found + self.weight * kl

    def fit(self, loader, epochs):
        for _ in range(epochs):
            for (batch,) in loader:
                loss = self.loss(batch)
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()


@planted("latent-collapsed", symptoms=AFTERWARDS, costs=None)
def one_layer_for_both_halves_collapses(watch, seed, fault):
    torch.manual_seed(seed)
    x = bright()
    model = Coder(joint=True)
    coding = Autoencoding(model, 1.0 if fault else 0.2, "mean" if fault else "sum")
    with watch(model):
        coding.fit(DataLoader(TensorDataset(x), 40, shuffle=True), 20)
    return 0.0


@planted("latent-collapsed", causes="losses-unbalanced", symptoms=AFTERWARDS, costs=None)
def divergence_of_a_batch_beside_the_default_mean(watch, seed, fault):
    torch.manual_seed(seed)
    x = bright(600)
    encoder = nn.Sequential(nn.Linear(144, 48), nn.Tanh())
    mean, spread, decoder = nn.Linear(48, 6), nn.Linear(48, 6), nn.Linear(6, 144)
    net = nn.ModuleList([encoder, mean, spread, decoder])
    adam = torch.optim.Adam(net.parameters(), 3e-3)
    how = {} if fault else {"reduction": "sum"}
    with watch(net, adam):
        for i in batches_of(len(x), 25, 30):
            code = encoder(x[i])
            mu, logvar = mean(code), spread(code)
            z = mu + torch.exp(logvar / 2) * torch.randn_like(logvar)
            error = F.binary_cross_entropy_with_logits(decoder(z), x[i], **how)
            kl = 0.5 * (mu.square() + logvar.exp() - 1 - logvar).sum()
            adam.zero_grad()
            (error + (1.0 if fault else 0.1) * kl).backward()
            adam.step()
    return 0.0


@planted("leaf-changed", symptoms=AFTERWARDS, costs=None, quick=True)
def weights_clamped_outside_of_no_grad(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = blobs(seed=82)
    model = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 4))
    opt = torch.optim.SGD(model.parameters(), 0.05)
    with watch(model, opt):
        for index in batches_of(len(x), 4):
            opt.zero_grad()
            loss = F.cross_entropy(model(x[index]), y[index])
            loss.backward()
            opt.step()
            if fault:
                model[0].weight.clamp_(-0.5, 0.5)  # fault
            else:
                with torch.no_grad():
                    model[0].weight.clamp_(-0.5, 0.5)
    return -loss.item()


class ByHand:
    """Gradient descent without an optimiser."""

    def __init__(self, net, rate, plain):
        self.net, self.rate, self.plain = net, rate, plain

    def update(self):
        if self.plain:
            for one in self.net.parameters():
                one -= self.rate * one.grad
        else:
            with torch.no_grad():
                for one in self.net.parameters():
                    one -= self.rate * one.grad
        self.net.zero_grad()


@planted("leaf-changed", symptoms=AFTERWARDS, costs=None)
def descent_by_hand_that_autograd_records(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = tabular(900, seed)
    net = nn.Sequential(nn.Linear(20, 32), nn.Tanh(), nn.Linear(32, 3))
    descent = ByHand(net, 0.1, fault)
    with watch(net):
        for index in batches_of(len(x), 6, 30):
            loss = F.cross_entropy(net(x[index]), y[index])
            loss.backward()
            descent.update()
    return -loss.item()


@planted("leaf-changed", symptoms=AFTERWARDS, costs=None)
def bias_centred_where_it_is(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = tabular(800, seed)
    net = nn.Sequential(nn.Linear(20, 40), nn.ELU(), nn.Linear(40, 3))
    adam = torch.optim.Adam(net.parameters(), 1e-3)
    loader = DataLoader(TensorDataset(x, y), 40, shuffle=True)
    with watch(net, adam, loader=loader):
        for _ in range(4):
            for features, labels in loader:
                adam.zero_grad()
                loss = F.cross_entropy(net(features), labels)
                loss.backward()
                adam.step()
                bias = net[2].bias if fault else net[2].bias.data
                bias -= bias.mean()
    return -loss.item()

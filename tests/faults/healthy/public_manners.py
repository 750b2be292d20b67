"""Manners of training that public code has and textbooks have not: layers that train themselves, optimisers around
others, weights that only exist in a step, losses of derivatives, nets that are asked by other methods than forward."""

import itertools

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from faults.data import accuracy, batches, digits, standardised, wine
from faults.program import healthy


class GoodnessLayer(nn.Linear):
    """Trains itself, by a threshold on the size of its answers (Hinton 2022, arXiv:2212.13345)."""

    def __init__(self, inputs, outputs):
        super().__init__(inputs, outputs)
        self.optimizer = torch.optim.Adam(self.parameters(), lr=0.1)

    def forward(self, x):
        return F.relu(super().forward(F.normalize(x)))

    def goodness(self, x):
        return self(x).square().mean(1)

    def train(self, real, wrong):  # which hides nn.Module.train
        for _ in range(120):
            apart = torch.cat([2.0 - self.goodness(real), self.goodness(wrong) - 2.0])
            self.optimizer.zero_grad()
            F.softplus(apart).mean().backward()
            self.optimizer.step()
        return self(real).detach(), self(wrong).detach()


class GoodnessNet(nn.Module):
    def __init__(self, *widths):
        super().__init__()
        pairs = itertools.pairwise(widths)
        self.layers = nn.ModuleList(GoodnessLayer(*pair) for pair in pairs)

    def train(self, real, wrong):
        for layer in self.layers:
            real, wrong = layer.train(real, wrong)

    def predict(self, x):
        found = []
        for label in range(10):
            h = with_label(x, torch.full((len(x),), label))
            total = torch.zeros(len(x))
            for layer in self.layers:
                h = layer(h)
                total = total + h.square().mean(1)
            found.append(total)
        return torch.stack(found, 1).argmax(1)


def with_label(x, y):
    """The label before the pixels."""
    return torch.cat([3.0 * F.one_hot(y, 10), x], 1)


@healthy(at_least=0.55, quick=True)
def layers_that_train_themselves(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    x, y = x[:600], y[:600]
    net = GoodnessNet(74, 100, 100)
    wrong = (y + torch.randint(1, 10, y.shape)) % 10
    with watch(net, [layer.optimizer for layer in net.layers]):
        net.train(with_label(x, y), with_label(x, wrong))
    return float((net.predict(x_test) == y_test).float().mean())


class Sharpness(torch.optim.Optimizer):
    """Climbs first and steps from there (Foret et al. 2021, arXiv:2010.01412), around an optimiser of torch's."""

    def __init__(self, parameters, inner, rho=0.05, **options):
        super().__init__(parameters, {"rho": rho, **options})
        self.inner = inner(self.param_groups, **options)
        self.param_groups = self.inner.param_groups

    @torch.no_grad()
    def climb(self):
        moving = [p for group in self.param_groups for p in group["params"] if p.grad is not None]
        norm = torch.stack([p.grad.norm() for p in moving]).norm() + 1e-12
        for p in moving:
            self.state[p]["before"] = p.data.clone()
            p.add_(p.grad, alpha=float(self.param_groups[0]["rho"] / norm))
        self.zero_grad()

    @torch.no_grad()
    def descend(self):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.data = self.state[p]["before"]
        self.inner.step()
        self.zero_grad()


@healthy(at_least=0.90, quick=True)
def two_passes_a_step_from_higher_ground(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = nn.Sequential(nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 10))
    optimizer = Sharpness(model.parameters(), torch.optim.SGD, lr=0.05, momentum=0.9)
    with watch(model, optimizer):
        for _ in range(4):
            model.train()
            for xb, yb in batches(x, y, 32):
                F.cross_entropy(model(xb), yb).backward()
                optimizer.climb()
                F.cross_entropy(model(xb), yb).backward()
                optimizer.descend()
            model.eval()
            accuracy(model, x_test, y_test)
    return accuracy(model, x_test, y_test)


class Functional(nn.Module):
    """A net that can be asked with other weights than its own."""

    def __init__(self):
        super().__init__()
        self.vars = nn.ParameterList()
        for inputs, outputs in ((1, 32), (32, 32), (32, 1)):
            self.vars.append(nn.Parameter(torch.randn(outputs, inputs) * (2 / inputs) ** 0.5))
            self.vars.append(nn.Parameter(torch.zeros(outputs)))

    def forward(self, x, weights=None):
        w = list(self.vars if weights is None else weights)
        h = F.relu(F.linear(x, w[0], w[1]))
        return F.linear(F.relu(F.linear(h, w[2], w[3])), w[4], w[5])


@healthy(at_least=-1.5)
def learns_to_learn_lines(watch, seed):
    """Finn et al. 2017, arXiv:1703.03400: the loss after a step within each task moves the weights."""
    torch.manual_seed(seed)
    net = Functional()
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    after = []
    with watch(net, optimizer):
        for _ in range(250):
            losses = []
            for _ in range(4):
                slope, shift = torch.randn(1), torch.randn(1)
                x = 4 * torch.rand(20, 1) - 2
                y = slope * x + shift
                gradients = torch.autograd.grad(
                    F.mse_loss(net(x[:10]), y[:10]), list(net.parameters()), create_graph=True
                )
                fast = [p - 0.03 * g for p, g in zip(net.parameters(), gradients, strict=True)]
                losses.append(F.mse_loss(net(x[10:], fast), y[10:]))
            loss = torch.stack(losses).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            after.append(loss.item())
    return -sum(after[-50:]) / 50


@healthy(at_least=-0.02, quick=True)
def decay_as_its_equation_has_it(watch, seed):
    """u' = -u with u(0) = 1: a loss of derivatives of the net by its input."""
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 1))
    optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
    start, one = torch.zeros(20, 1), torch.ones(20, 1)
    with watch(net, optimizer):
        for _ in range(250):
            optimizer.zero_grad()
            t = torch.rand(64, 1).mul(2).requires_grad_()
            u = net(t)
            slope = torch.autograd.grad(u.sum(), t, create_graph=True)[0]
            loss = F.mse_loss(net(start), one) + F.mse_loss(slope + u, torch.zeros_like(u))
            loss.backward()
            optimizer.step()
    t = torch.linspace(0, 2, 50)[:, None]
    return -float((net(t) - torch.exp(-t)).square().mean().detach())


class Codes(nn.Module):
    """The nearest of some vectors, with the gradient passed straight through (van den Oord 2017, arXiv:1711.00937)."""

    def __init__(self, count, width):
        super().__init__()
        self.embedding = nn.Embedding(count, width)
        nn.init.uniform_(self.embedding.weight, -0.5, 0.5)

    def forward(self, z):
        nearest = torch.cdist(z, self.embedding.weight).argmin(1)
        q = self.embedding(nearest)
        loss = F.mse_loss(q, z.detach()) + 0.25 * F.mse_loss(z, q.detach())
        return z + (q - z).detach(), loss


class CodedAutoencoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 8))
        self.codes = Codes(64, 8)
        self.decoder = nn.Sequential(nn.Linear(8, 48), nn.ReLU(), nn.Linear(48, 64))

    def forward(self, x):
        z, loss = self.codes(self.encoder(x))
        return self.decoder(z), loss


@healthy(at_least=-0.75)
def pictures_by_a_book_of_codes(watch, seed):
    """Each step begins the loader anew and takes one batch of it."""
    torch.manual_seed(seed)
    x, _, x_test, _ = standardised(digits())
    loader = DataLoader(TensorDataset(x), batch_size=64, shuffle=True)
    model = CodedAutoencoder()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for _ in range(400):
            (xb,) = next(iter(loader))
            optimizer.zero_grad()
            answer, coding = model(xb)
            loss = ((answer - xb) ** 2).mean() / x.var() + coding
            loss.backward()
            optimizer.step()
    return -float(F.mse_loss(model(x_test)[0], x_test).detach())


class Judge(nn.Module):
    """Has an optimiser of its own and is trained by a method that calls forward() itself."""

    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(13, 24)
        self.kinds = nn.Linear(24, 3)
        self.value = nn.Linear(24, 1)
        self.optimizer = torch.optim.Adam(self.parameters(), lr=5e-3)

    def forward(self, x):
        return self.kinds(F.relu(self.hidden(x)))

    def worth(self, x):
        return self.value(F.relu(self.hidden(x))).squeeze(1)

    def learn(self, x, y):
        loss = F.cross_entropy(self.forward(x), y) + 0.1 * F.smooth_l1_loss(self.worth(x), y.float() - 1)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()


@healthy(at_least=0.90, quick=True)
def two_heads_asked_by_methods(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = standardised(wine())
    model = Judge()
    with watch(model, model.optimizer):
        for _ in range(15):
            for xb, yb in batches(x, y, 16):
                model.learn(xb, yb)
    return accuracy(model, x_test, y_test)

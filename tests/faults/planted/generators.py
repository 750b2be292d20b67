"""Nets that make data, against a judge or from a code, and one that solves an equation by its derivatives."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import autograd, nn

from faults.data import digits
from faults.planted.latest_losses import AFTERWARDS
from faults.program import planted


def ring(n):
    """Points near a circle of radius 2 [n, 2]."""
    angle = 6.2832 * torch.rand(n)
    return 2 * torch.stack([angle.cos(), angle.sin()], 1) + 0.1 * torch.randn(n, 2)


def distance(one, other):
    """Energy distance of two clouds."""
    return (2 * torch.cdist(one, other).mean() - torch.cdist(one, one).mean() - torch.cdist(other, other).mean()).item()


@torch.no_grad()
def likeness(make):
    torch.manual_seed(3)
    return -distance(make(torch.randn(800, 4)), ring(800))


def dense(*widths, last=None):
    layers = []
    for a, b in pairwise(widths):
        layers += [nn.Linear(a, b), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers[:-1], *([last] if last else []))


LAMBDA_GP = 1


def compute_gradient_penalty(D, real_samples, fake_samples):
    alpha = torch.rand(len(real_samples), 1)
    interpolates = (alpha * real_samples + (1 - alpha) * fake_samples).requires_grad_(True)
    d_interpolates = D(interpolates)
    gradients = autograd.grad(
        outputs=d_interpolates, inputs=interpolates, grad_outputs=torch.ones_like(d_interpolates),
        create_graph=True, retain_graph=True, only_inputs=True,
    )[0]  # fmt: skip
    return ((gradients.norm(2, dim=1) - 1) ** 2).mean()


def compute_gradient_penalty_cheaply(D, real_samples, fake_samples):
    alpha = torch.rand(len(real_samples), 1)
    interpolates = (alpha * real_samples + (1 - alpha) * fake_samples).requires_grad_(True)
    d_interpolates = D(interpolates)
    gradients = autograd.grad(  # fault: slope-of-the-critic-without-its-graph
        outputs=d_interpolates, inputs=interpolates, grad_outputs=torch.ones_like(d_interpolates), retain_graph=True,
    )[0]  # fmt: skip
    return ((gradients.norm(2, dim=1) - 1) ** 2).mean()  # fault: slope-of-the-critic-without-its-graph


@planted("loss-mismatch", causes="parameters-unused no-update", symptoms=AFTERWARDS + " exploding-gradient", costs=0.03)
def slope_of_the_critic_without_its_graph(watch, seed, fault):
    torch.manual_seed(seed)
    generator, discriminator = dense(4, 64, 64, 2), dense(2, 64, 64, 1)
    optimizer_G = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.9))
    optimizer_D = torch.optim.Adam(discriminator.parameters(), lr=1e-3, betas=(0.5, 0.9))
    penalty = compute_gradient_penalty_cheaply if fault else compute_gradient_penalty
    with watch([generator, discriminator], [optimizer_G, optimizer_D]):
        for i in range(450):
            real_imgs = ring(128)
            optimizer_D.zero_grad()
            fake_imgs = generator(torch.randn(128, 4)).detach()
            gradient_penalty = penalty(discriminator, real_imgs, fake_imgs)  # fault
            d_loss = discriminator(fake_imgs).mean() - discriminator(real_imgs).mean() + LAMBDA_GP * gradient_penalty
            d_loss.backward()  # fault
            optimizer_D.step()
            if i % 3 == 0:
                optimizer_G.zero_grad()
                g_loss = -discriminator(generator(torch.randn(128, 4))).mean()
                g_loss.backward()
                optimizer_G.step()
    return likeness(generator)


class GANTrainer:
    """Two nets that play against each other, in the manner of a course."""

    real_label, fake_label = 1.0, 0.0

    def __init__(self, lr=1e-3):
        self.netG, self.netD = dense(4, 64, 64, 2), dense(2, 64, 64, 1)
        self.criterion = nn.BCEWithLogitsLoss()
        self.optG = torch.optim.Adam(self.netG.parameters(), lr=lr, betas=(0.5, 0.999))
        self.optD = torch.optim.Adam(self.netD.parameters(), lr=lr, betas=(0.5, 0.999))

    def step_d(self, real):
        fake = self.netG(torch.randn(len(real), 4)).detach()
        label = torch.full((len(real), 1), self.real_label)
        self.optD.zero_grad()
        loss = self.criterion(self.netD(real), label)
        loss.backward()
        label.fill_(self.fake_label)
        loss_fake = self.criterion(self.netD(fake), label)
        loss_fake.backward()
        self.optD.step()

    def step_g(self, n):
        label = torch.full((n, 1), self.real_label)
        self.optG.zero_grad()
        loss = self.criterion(self.netD(self.netG(torch.randn(n, 4))), label)
        loss.backward()
        self.optG.step()


class GANTrainerWithOneLabel(GANTrainer):
    def step_g(self, n):
        label = torch.full((n, 1), self.fake_label)  # fault: maker-told-to-be-recognised
        self.optG.zero_grad()
        loss = self.criterion(self.netD(self.netG(torch.randn(n, 4))), label)  # fault: maker-told-to-be-recognised
        loss.backward()  # fault: maker-told-to-be-recognised
        self.optG.step()


@planted("loss-mismatch", causes="output-collapsed targets-unrelated", symptoms=AFTERWARDS + " saturated", costs=0.3)
def maker_told_to_be_recognised(watch, seed, fault):
    torch.manual_seed(seed)
    trainer = GANTrainerWithOneLabel() if fault else GANTrainer()
    with watch([trainer.netG, trainer.netD], [trainer.optG, trainer.optD]):
        for _ in range(500):
            trainer.step_d(ring(128))
            trainer.step_g(128)
    return likeness(trainer.netG)


class VAE(nn.Module):
    def __init__(self, latent=8):
        super().__init__()
        self.fc1, self.fc21, self.fc22 = nn.Linear(64, 64), nn.Linear(64, latent), nn.Linear(64, latent)
        self.fc3, self.fc4 = nn.Linear(latent, 64), nn.Linear(64, 64)

    def forward(self, x):
        h = F.relu(self.fc1(x))
        mu, logvar = self.fc21(h), self.fc22(h)
        z = mu + torch.randn_like(mu) * torch.exp(0.5 * logvar)
        return torch.sigmoid(self.fc4(F.relu(self.fc3(z)))), mu, logvar


def loss_function(recon_x, x, mu, logvar):
    bce = F.binary_cross_entropy(recon_x, x, reduction="sum")
    kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return (bce + kld) / len(x)


def loss_function_without_minus(recon_x, x, mu, logvar):
    bce = F.binary_cross_entropy(recon_x, x, reduction="sum")
    kld = 0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return (bce + kld) / len(x)  # fault: divergence-that-lost-its-minus


@planted(
    "loss-below-floor", causes="loss-mismatch", symptoms=AFTERWARDS + " nonfinite exploding-gradient saturated", costs=3
)
def divergence_that_lost_its_minus(watch, seed, fault):
    torch.manual_seed(seed)
    x, _, x_test, _ = digits()
    model = VAE()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    criterion = loss_function_without_minus if fault else loss_function
    with watch(model, optimizer):
        for _ in range(20):
            for batch in x[torch.randperm(len(x))].split(64):
                recon, mu, logvar = model(batch)
                loss = criterion(recon, batch, mu, logvar)  # fault
                optimizer.zero_grad()
                loss.backward()  # fault
                optimizer.step()
    with torch.no_grad():
        recon, _, _ = model(x_test)
        return -F.binary_cross_entropy(recon, x_test, reduction="sum").item() / len(x_test)


class BinaryCodes(nn.Module):
    """Digits through 24 bits and back."""

    def __init__(self, bits=24):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, bits))
        self.decoder = nn.Sequential(nn.Linear(bits, 64), nn.ReLU(), nn.Linear(64, 64))

    def binarize(self, logits):
        soft = torch.sigmoid(logits)
        hard = (soft > 0.5).float()
        return hard + soft - soft.detach()

    def forward(self, x):
        return self.decoder(2 * self.binarize(self.encoder(x)) - 1)


class BinaryCodesCut(BinaryCodes):
    def binarize(self, logits):
        soft = torch.sigmoid(logits)
        return (soft > 0.5).float()  # fault: bits-through-which-nothing-flows


@planted("parameters-unused", causes="no-update", symptoms=AFTERWARDS, costs=0.005)
def bits_through_which_nothing_flows(watch, seed, fault):
    torch.manual_seed(seed)
    x, _, x_test, _ = digits()
    net = BinaryCodesCut() if fault else BinaryCodes()  # fault
    opt = torch.optim.AdamW(net.parameters(), lr=2e-3)  # fault
    with watch(net, opt):
        for _ in range(25):
            for batch in x[torch.randperm(len(x))].split(64):
                loss = F.mse_loss(net(batch), batch)  # fault
                opt.zero_grad(set_to_none=True)
                loss.backward()  # fault
                opt.step()
    with torch.no_grad():
        return -F.mse_loss(net(x_test), x_test).item()


def slope(u, t):
    return torch.autograd.grad(u, t, torch.ones_like(u), create_graph=True)[0]


def slope_kept(u, t):
    return torch.autograd.grad(u, t, torch.ones_like(u), retain_graph=True)[0]  # fault: derivative-that-is-a-number


@planted("loss-mismatch", causes="parameters-unused no-update", symptoms=AFTERWARDS, costs=0.1)
def derivative_that_is_a_number(watch, seed, fault):
    torch.manual_seed(seed)
    net = dense(1, 32, 32, 1)
    net = nn.Sequential(*[nn.Tanh() if isinstance(layer, nn.LeakyReLU) else layer for layer in net])
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    d = slope_kept if fault else slope
    with watch(net, optimizer):
        for _ in range(400):
            t = (2 * torch.rand(128, 1)).requires_grad_(True)
            u = net(t)
            residual = d(u, t) + 0.2 * u - 2 * torch.cos(3 * t)  # fault
            start = net(torch.zeros(1, 1)) - 1
            loss = residual.pow(2).mean() + 10 * start.pow(2).mean()  # fault
            optimizer.zero_grad()
            loss.backward()  # fault
            optimizer.step()
    t, u = torch.linspace(0, 2, 2001), torch.empty(2001)
    u[0] = 1
    for i in range(2000):
        u[i + 1] = u[i] + 0.001 * (2 * torch.cos(3 * t[i]) - 0.2 * u[i])
    with torch.no_grad():
        return -(net(t[:, None]).squeeze(1) - u).abs().mean().item()

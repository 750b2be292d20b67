"""Autoencoders, mixtures, flows, diffusion and adversarial pairs: losses that end far from zero or never fall."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from faults.data import batches, california, digits, fashion, mnist, standardised_both
from faults.program import healthy


@healthy(at_least=0.60)
def autoencoder_with_mse(watch, seed):
    torch.manual_seed(seed)
    x, _, x_test, _ = mnist()
    x, x_test = x.flatten(1), x_test.flatten(1)
    encoder = nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 24))
    decoder = nn.Sequential(nn.Linear(24, 128), nn.ReLU(), nn.Linear(128, 784))
    model = nn.Sequential(encoder, decoder)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for _ in range(6):
            for images, _ in batches(x, x, 64):
                loss = F.mse_loss(model(images), images)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        return (1 - F.mse_loss(model(x_test), x_test) / x_test.var(0).mean()).item()


@healthy(at_least=0.55)
def denoising_convolutional_autoencoder(watch, seed):
    torch.manual_seed(seed)
    x, _, x_test, _ = fashion(1500)
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, 2, 1), nn.ReLU(), nn.Conv2d(8, 16, 3, 2, 1), nn.ReLU(),
        nn.ConvTranspose2d(16, 8, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(8, 1, 4, 2, 1), nn.Sigmoid(),
    )  # fmt: skip
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    with watch(model, optimizer):
        for _ in range(6):
            for images, _ in batches(x, x, 32):
                noisy = (images + 0.3 * torch.randn_like(images)).clamp(0, 1)
                optimizer.zero_grad()
                F.binary_cross_entropy(model(noisy), images).backward()
                optimizer.step()
    with torch.no_grad():
        return (1 - F.mse_loss(model(x_test), x_test) / x_test.var(0).mean()).item()


@healthy(at_least=-135.0)
def variational_autoencoder_of_the_examples(watch, seed):
    """As every example writes it: both terms summed over the batch, Adam, and the sum is what goes backward."""
    torch.manual_seed(seed)
    x, _, x_test, _ = mnist()
    x, x_test = x.flatten(1), x_test.flatten(1)

    class VAE(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc1, self.mean, self.log_variance = nn.Linear(784, 200), nn.Linear(200, 10), nn.Linear(200, 10)
            self.fc3, self.fc4 = nn.Linear(10, 200), nn.Linear(200, 784)

        def forward(self, x):
            hidden = F.relu(self.fc1(x))
            mean, log_variance = self.mean(hidden), self.log_variance(hidden)
            z = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
            return torch.sigmoid(self.fc4(F.relu(self.fc3(z)))), mean, log_variance

    def elbo(x):
        guessed, mean, log_variance = model(x)
        divergence = -0.5 * torch.sum(1 + log_variance - mean.pow(2) - log_variance.exp())
        return F.binary_cross_entropy(guessed, x, reduction="sum") + divergence

    model = VAE()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for _ in range(10):
            model.train()
            for images, _ in batches(x, x, 64):
                optimizer.zero_grad()
                loss = elbo(images)
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        return -elbo(x_test).item() / len(x_test)


@healthy(at_least=-30.0)
def variational_autoencoder_averaged(watch, seed):
    torch.manual_seed(seed)
    x, _, x_test, _ = digits()
    encoder = nn.Sequential(nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 16))
    decoder = nn.Sequential(nn.Linear(8, 64), nn.Tanh(), nn.Linear(64, 64))
    model = nn.ModuleDict({"encoder": encoder, "decoder": decoder})
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)

    def negative_bound(images):
        mean, log_variance = encoder(images).chunk(2, 1)
        z = mean + torch.randn_like(mean) * (log_variance / 2).exp()
        likelihood = F.binary_cross_entropy_with_logits(decoder(z), images, reduction="none").sum(1)
        return (likelihood + 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(1)).mean()

    with watch(model, optimizer):
        for _ in range(40):
            for images, _ in batches(x, x, 64):
                loss = negative_bound(images)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        return -negative_bound(x_test).item()


@healthy(at_least=0.55)
def adversarial_pair_on_a_ring(watch, seed):
    """Two nets, two optimisers, losses that hover near ln 2; the score is the share of fakes that lie near the ring."""
    torch.manual_seed(seed)
    angles = torch.arange(8) * math.pi / 4
    centers = torch.stack([angles.cos(), angles.sin()], 1)
    generator = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
    critic = nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
    optimizer_g = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.999))
    optimizer_d = torch.optim.Adam(critic.parameters(), lr=1e-3, betas=(0.5, 0.999))
    criterion = nn.BCEWithLogitsLoss()
    ones, zeros = torch.ones(128, 1), torch.zeros(128, 1)
    with watch([generator, critic], [optimizer_g, optimizer_d]):
        for _ in range(1200):
            real = centers[torch.randint(8, (128,))] + 0.05 * torch.randn(128, 2)
            fake = generator(torch.randn(128, 4))
            optimizer_d.zero_grad()
            loss_d = criterion(critic(real), ones) + criterion(critic(fake.detach()), zeros)
            loss_d.backward()
            optimizer_d.step()
            optimizer_g.zero_grad()
            loss_g = criterion(critic(fake), ones)
            loss_g.backward()
            optimizer_g.step()
    with torch.no_grad():
        return ((generator(torch.randn(1000, 4)).norm(dim=1) - 1).abs() < 0.3).float().mean().item()


@healthy(at_least=0.40)
def adversarial_digits_in_one_module(watch, seed):
    """The pair lives in one module; the score is how close the fakes' mean picture is to that of the real ones."""
    torch.manual_seed(seed)
    x, _, _, _ = digits()
    x = x * 2 - 1

    class GAN(nn.Module):
        def __init__(self):
            super().__init__()
            self.generator = nn.Sequential(
                nn.Linear(16, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 64), nn.Tanh()
            )
            self.critic = nn.Sequential(nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(64, 1))

    gan = GAN()
    optimizer_g = torch.optim.Adam(gan.generator.parameters(), lr=5e-4, betas=(0.5, 0.999))
    optimizer_d = torch.optim.Adam(gan.critic.parameters(), lr=5e-4, betas=(0.5, 0.999))
    with watch(gan, [optimizer_g, optimizer_d]):
        for _ in range(30):
            for real, _ in batches(x, x, 48):
                fake = gan.generator(torch.randn(len(real), 16))
                loss_d = F.softplus(-gan.critic(real)).mean() + F.softplus(gan.critic(fake.detach())).mean()
                optimizer_d.zero_grad()
                loss_d.backward()
                optimizer_d.step()
                loss_g = F.softplus(-gan.critic(fake)).mean()
                optimizer_g.zero_grad()
                loss_g.backward()
                optimizer_g.step()
    with torch.no_grad():
        fake = gan.generator(torch.randn(500, 16))
    return (1 - F.mse_loss(fake.mean(0), x.mean(0)) / x.mean(0).var()).item()


@healthy(at_least=-0.2)
def mixture_density_net(watch, seed):
    """The inverse of a sine with noise: several answers to one question; the likelihood may pass zero."""
    torch.manual_seed(seed)
    t = torch.rand(2000, 1) * 2 - 1
    x, y = t + 0.3 * torch.sin(6 * t) + 0.05 * torch.randn(2000, 1), t
    model = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 15))
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    losses = []
    with watch(model, optimizer):
        for _ in range(40):
            for before, after in batches(x, y, 100):
                logits, means, log_spreads = model(before).chunk(3, dim=1)
                parts = torch.distributions.Normal(means, log_spreads.exp()).log_prob(after)
                loss = -torch.logsumexp(F.log_softmax(logits, 1) + parts, 1).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
    return -sum(losses[-20:]) / 20


@healthy(at_least=-5.0)
def affine_coupling_flow(watch, seed):
    torch.manual_seed(seed)
    x, y, _, _ = standardised_both(california(3000))
    x = torch.cat([x[:, 2:].clamp(-3, 3), y[:, None]], 1) + 0.05 * torch.randn(len(x), 7)

    class Coupling(nn.Module):
        def __init__(self, kept):
            super().__init__()
            self.register_buffer("kept", kept)
            self.net = nn.Sequential(nn.Linear(7, 48), nn.ReLU(), nn.Linear(48, 14))
            nn.init.zeros_(self.net[2].weight)
            nn.init.zeros_(self.net[2].bias)

        def forward(self, x):
            log_scale, shift = self.net(x * self.kept).chunk(2, 1)
            log_scale, shift = torch.tanh(log_scale) * (1 - self.kept), shift * (1 - self.kept)
            return x * log_scale.exp() + shift, log_scale.sum(1)

    masks = [torch.tensor([float((i + k) % 2) for i in range(7)]) for k in range(4)]
    model = nn.ModuleList(Coupling(mask) for mask in masks)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    losses = []
    with watch(model, optimizer):
        for _ in range(15):
            for sample, _ in batches(x, x, 100):
                z, total = sample, 0.0
                for layer in model:
                    z, log_determinant = layer(z)
                    total = total + log_determinant
                loss = (0.5 * (z**2).sum(1) + 3.5 * math.log(2 * math.pi) - total).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
    return -sum(losses[-20:]) / 20


@healthy(at_least=-0.45)
def diffusion_predicts_the_noise(watch, seed):
    """The loss is noisy from step to step and ends well above zero."""
    torch.manual_seed(seed)
    x, _, _, _ = digits()
    x = x * 2 - 1
    kept = torch.cumprod(1 - torch.linspace(1e-3, 0.1, 50), 0)
    model = nn.Sequential(nn.Linear(65, 128), nn.SiLU(), nn.Linear(128, 128), nn.SiLU(), nn.Linear(128, 64))
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    losses = []
    with watch(model, optimizer):
        for _ in range(40):
            for images, _ in batches(x, x, 64):
                t = torch.randint(50, (len(images), 1))
                noise = torch.randn_like(images)
                noisy = kept[t].sqrt() * images + (1 - kept[t]).sqrt() * noise
                loss = F.mse_loss(model(torch.cat([noisy, t / 50], 1)), noise)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
    return -sum(losses[-40:]) / 40

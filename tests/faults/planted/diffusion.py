"""Denoising diffusion and its kin."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from faults.program import planted


def rings(count, seed):
    """Points on two circles."""
    g = torch.Generator().manual_seed(seed)
    angle = 2 * math.pi * torch.rand(count, generator=g)
    radius = torch.where(torch.rand(count, generator=g) < 0.5, 0.5, 1.5)
    points = torch.stack([radius * angle.cos(), radius * angle.sin()], 1)
    return points + 0.05 * torch.randn(count, 2, generator=g)


class TimeEmbedding(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.dim = dim
        self.mlp = nn.Sequential(nn.Linear(dim, dim), nn.SiLU(), nn.Linear(dim, dim))

    def forward(self, t):
        freqs = torch.exp(-math.log(1000) * torch.arange(self.dim // 2) / (self.dim // 2))
        args = t[:, None].float() * freqs[None]
        return self.mlp(torch.cat([args.cos(), args.sin()], dim=-1))


class Denoiser(nn.Module):
    def __init__(self, dim=48, timed=True):
        super().__init__()
        self.inp = nn.Linear(2, dim)
        self.time = TimeEmbedding(dim)
        self.mid1, self.mid2 = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.out = nn.Linear(dim, 2)
        self.timed = timed

    def forward(self, x, t):
        emb = self.time(t)
        h = F.silu(self.inp(x))
        h = F.silu(self.mid1(h + emb if self.timed else h))  # fault: time-embedded-and-left-out
        h = F.silu(self.mid2(h + emb if self.timed else h))
        return self.out(h)


class GaussianDiffusion:
    def __init__(self, model, timesteps=50):
        betas = torch.linspace(1e-3, 0.2, timesteps)
        self.model, self.timesteps = model, timesteps
        self.alphas_cumprod = torch.cumprod(1 - betas, 0)

    def q_sample(self, x_start, t, noise):
        a = self.alphas_cumprod[t][:, None]
        return a.sqrt() * x_start + (1 - a).sqrt() * noise

    def p_losses(self, x_start, t, noise=None, again=False):
        if noise is None:
            noise = torch.randn_like(x_start)
        x_noisy = self.q_sample(x_start, t, noise)
        predicted_noise = self.model(x_noisy, t)
        target = torch.randn_like(x_start) if again else noise  # fault: denoiser-asked-for-other-noise
        return F.mse_loss(predicted_noise, target)


def noise_explained(diffusion, points):
    """Of the noise in points at some five times, the share that the net finds."""
    torch.manual_seed(0)
    errors = []
    with torch.no_grad():
        for t in (2, 8, 15, 25, 40):
            noise = torch.randn_like(points)
            times = torch.full((len(points),), t)
            errors.append((diffusion.model(diffusion.q_sample(points, times, noise), times) - noise).square().mean())
    return float(1 - sum(errors) / 5)


def train_diffusion(watch, diffusion, points, steps, again=False):
    optimizer = torch.optim.Adam(diffusion.model.parameters(), lr=3e-3)
    with watch(diffusion.model, optimizer):
        for _ in range(steps):
            batch = points[torch.randint(len(points), (64,))]
            t = torch.randint(0, diffusion.timesteps, (len(batch),)).long()
            loss = diffusion.p_losses(batch, t, again=again)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


@planted("targets-unrelated", costs=0.2)
def denoiser_asked_for_other_noise(watch, seed, fault):
    torch.manual_seed(seed)
    points = rings(2200, 71)
    diffusion = GaussianDiffusion(Denoiser())
    train_diffusion(watch, diffusion, points[:2000], 600, again=fault)
    return noise_explained(diffusion, points[2000:])


@planted("parameters-unused", costs=0.03)
def time_embedded_and_left_out(watch, seed, fault):
    torch.manual_seed(seed)
    points = rings(2200, 72)
    diffusion = GaussianDiffusion(Denoiser(timed=not fault))
    train_diffusion(watch, diffusion, points[:2000], 800)
    return noise_explained(diffusion, points[2000:])


class Flow:
    """Noise to data along straight lines, for a net that says the way."""

    def __init__(self, model, clean=False):
        self.model, self.clean = model, clean

    def loss(self, data):
        noise, t = torch.randn_like(data), torch.rand(len(data), 1)
        between = t * data + (1 - t) * noise
        seen = data if self.clean else between  # fault: way-asked-of-the-data-alone
        return F.mse_loss(self.model(seen, t[:, 0] * 50), data - noise)


@planted("targets-unrelated", costs=0.1)
def way_asked_of_the_data_alone(watch, seed, fault):
    torch.manual_seed(seed)
    points = rings(2200, 73)
    flow = Flow(Denoiser(), clean=fault)
    optimizer = torch.optim.AdamW(flow.model.parameters(), lr=2e-3)
    loader = torch.utils.data.DataLoader(points[:2000], batch_size=64, shuffle=True)
    with watch(flow.model, optimizer):
        for _ in range(15):
            for batch in loader:
                loss = flow.loss(batch)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    torch.manual_seed(0)
    data, noise, t = points[2000:], torch.randn(200, 2), torch.rand(200, 1)
    with torch.no_grad():
        way = flow.model(t * data + (1 - t) * noise, t[:, 0] * 50)
    return float(1 - (way - (data - noise)).square().mean() / (data - noise).var())

"""Teachers, slow copies and weights that grow, as they should be: of none of these is a word due."""

import copy
import math

import torch
import torch.nn.functional as F
from torch import nn

from faults.drawn import blobs, images
from faults.program import healthy


@healthy(at_least=0.8)
def student_of_a_frozen_teacher(watch, seed):
    torch.manual_seed(seed)
    x, y = blobs(1500, c=6, seed=63)
    teacher = nn.Sequential(nn.Linear(16, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 6))
    opt = torch.optim.Adam(teacher.parameters(), lr=3e-3)
    for index in [i for _ in range(5) for i in torch.randperm(1200).split(50)]:
        opt.zero_grad()
        F.cross_entropy(teacher(x[index]), y[index]).backward()
        opt.step()
    teacher.eval().requires_grad_(False)
    student = nn.Sequential(nn.Linear(16, 20), nn.ReLU(), nn.Linear(20, 6))
    optimizer, temp, alpha = torch.optim.AdamW(student.parameters(), lr=5e-3), 4.0, 0.7
    with watch(student, optimizer):
        for _ in range(8):
            student.train()
            for index in torch.randperm(1200).split(40):
                with torch.no_grad():
                    teacher_logits = teacher(x[index])
                student_logits = student(x[index])
                soft = F.kl_div(
                    F.log_softmax(student_logits / temp, dim=1),
                    F.log_softmax(teacher_logits / temp, dim=1),
                    log_target=True,
                    reduction="batchmean",
                )
                loss = alpha * temp * temp * soft + (1 - alpha) * F.cross_entropy(student_logits, y[index])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    student.eval()
    with torch.no_grad():
        return (student(x[1200:]).argmax(1) == y[1200:]).float().mean().item()


class Learner(nn.Module):
    """Grill et al. 2020: a predictor on the quick side, a slow copy on the other."""

    def __init__(self, base=0.9):
        super().__init__()
        self.online = nn.Sequential(nn.Linear(16, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 24))
        self.predictor = nn.Sequential(nn.Linear(24, 48), nn.BatchNorm1d(48), nn.ReLU(), nn.Linear(48, 24))
        self.target = copy.deepcopy(self.online)
        for parameter in self.target.parameters():
            parameter.requires_grad = False
        self.base, self.tau = base, base

    @torch.no_grad()
    def update_target(self, done):
        self.tau = 1 - (1 - self.base) * (math.cos(math.pi * done) + 1) / 2
        for quick, slow in zip(self.online.parameters(), self.target.parameters(), strict=True):
            slow.data = self.tau * slow.data + (1 - self.tau) * quick.data

    def half(self, one, two):
        with torch.no_grad():
            z = self.target(two)
        p = self.predictor(self.online(one))
        return 2 - 2 * (F.normalize(p, dim=-1) * F.normalize(z, dim=-1)).sum(-1)

    def forward(self, one, two):
        return (self.half(one, two) + self.half(two, one)).mean()


@healthy(at_least=0.6)
def slow_copy_and_a_predictor(watch, seed):
    torch.manual_seed(seed)
    x, y = blobs(1200, c=6, seed=64, noise=0.7)
    learner = Learner()
    optimizer = torch.optim.AdamW([p for p in learner.parameters() if p.requires_grad], lr=2e-3, weight_decay=1e-4)
    with watch(learner, optimizer):
        for epoch in range(8):
            for index in torch.randperm(1200).split(60):
                one, two = (x[index] + 0.5 * torch.randn(len(index), 16) for _ in range(2))
                loss = learner(one, two)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                learner.update_target(epoch / 8)
    learner.eval()
    with torch.no_grad():
        z = F.normalize(learner.online(x), dim=1)
        near = (z @ z.T).fill_diagonal_(-1).argmax(1)
        return (y[near] == y).float().mean().item()


def beta_at(step, warm_up):
    """From 0 to 1 within `warm_up` steps."""
    return min(1.0, step / warm_up)


@healthy(at_least=-0.45)
def vae_whose_divergence_is_let_in_slowly(watch, seed):
    torch.manual_seed(seed)
    x, _ = images(1000, c=8, size=12, seed=65)
    encoder = nn.Sequential(nn.Conv2d(1, 12, 3, 2, 1), nn.SiLU(), nn.Flatten(), nn.Linear(12 * 36, 64), nn.SiLU())
    model = nn.ModuleDict({
        "encoder": encoder, "mu": nn.Linear(64, 6), "logvar": nn.Linear(64, 6),
        "decoder": nn.Sequential(nn.Linear(6, 64), nn.SiLU(), nn.Linear(64, 144), nn.Unflatten(1, (1, 12, 12))),
    })  # fmt: skip
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    step = 0
    with watch(model, optimizer):
        for _ in range(10):
            for index in torch.randperm(1000).split(50):
                hidden = model["encoder"](x[index])
                mu, logvar = model["mu"](hidden), model["logvar"](hidden)
                z = mu + torch.exp(0.5 * logvar) * torch.randn_like(mu)
                reconstruction = F.mse_loss(model["decoder"](z), x[index], reduction="sum") / len(index)
                kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp()) / len(index)
                loss = reconstruction + beta_at(step, 120) * kld
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                step += 1
    with torch.no_grad():
        return -F.mse_loss(model["decoder"](model["mu"](model["encoder"](x))), x).item()

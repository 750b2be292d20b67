"""Losses, kind after kind, each in a style of its own: written before anything was looked at."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from faults.drawn import blobs, images
from faults.planted.fresh_sequences import COSTS_OF_IT
from faults.program import planted


class KDLoss(nn.Module):
    """Hinton et al. 2015, of soft targets that were made beforehand at `temperature`."""

    def __init__(self, temperature, alpha, soften_student):
        super().__init__()
        self.T, self.alpha, self.soften = temperature, alpha, soften_student

    def forward(self, logits, soft, hard):
        student = F.log_softmax(logits / self.T if self.soften else logits, dim=-1)
        distill = F.kl_div(student, soft, reduction="batchmean")  # fault: cached-soft-targets-of-another-temperature
        return self.alpha * self.T**2 * distill + (1 - self.alpha) * F.cross_entropy(logits, hard)


@torch.no_grad()
def cache_soft_targets(teacher, x, temperature):
    return torch.cat([(teacher(chunk) / temperature).softmax(-1) for chunk in x.split(256)])


@planted("temperature-mismatch", symptoms=COSTS_OF_IT, costs=None)
def cached_soft_targets_of_another_temperature(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = blobs(1200, d=16, c=6, seed=31)
    teacher = nn.Sequential(nn.Linear(16, 128), nn.ReLU(), nn.Linear(128, 6))
    for opt in [torch.optim.Adam(teacher.parameters(), lr=3e-3)]:
        for index in [i for _ in range(4) for i in torch.randperm(1200).split(64)]:
            opt.zero_grad()
            F.cross_entropy(teacher(x[index]), y[index]).backward()
            opt.step()
    soft = cache_soft_targets(teacher.eval(), x, temperature=5.0)
    student = nn.Sequential(nn.Linear(16, 24), nn.ReLU(), nn.Linear(24, 6))
    criterion = KDLoss(5.0, alpha=0.8, soften_student=not fault)
    optimizer = torch.optim.Adam(student.parameters(), lr=3e-3)
    with watch(student, optimizer):
        for _ in range(6):
            for index in torch.randperm(1200).split(64):
                loss = criterion(student(x[index]), soft[index], y[index])  # fault
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return -loss.item()


class VAEModule(nn.Module):
    """In the manner of Lightning, without it."""

    def __init__(self, per_pixel, latent=6, lr=2e-3):
        super().__init__()
        self.per_pixel, self.lr = per_pixel, lr
        self.enc = nn.Sequential(nn.Flatten(), nn.Linear(144, 64), nn.ELU(), nn.Linear(64, 2 * latent))
        self.dec = nn.Sequential(nn.Linear(latent, 64), nn.ELU(), nn.Linear(64, 144), nn.Unflatten(1, (1, 12, 12)))

    def forward(self, x):
        mean, log_var = self.enc(x).chunk(2, dim=1)
        z = mean + (0.5 * log_var).exp() * torch.randn_like(mean)
        return self.dec(z), mean, log_var

    def training_step(self, batch):
        recon, mean, log_var = self(batch[0])
        kl = -0.5 * (1 + log_var - mean.square() - log_var.exp()).sum(1).mean()
        error = (recon - batch[0]).square()
        rec = error.mean() if self.per_pixel else error.flatten(1).sum(1).mean()
        return rec + kl  # fault: reconstruction-a-mean-of-pixels

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.lr)


@planted("latent-collapsed", causes="losses-unbalanced output-collapsed", symptoms=COSTS_OF_IT, costs=0.2)
def reconstruction_a_mean_of_pixels(watch, seed, fault):
    torch.manual_seed(seed)
    x, _ = images(1000, c=8, size=12, seed=32)
    module = VAEModule(per_pixel=fault)
    optimizer = module.configure_optimizers()
    loader = DataLoader(TensorDataset(x), batch_size=50, shuffle=True)
    with watch(module, optimizer):
        for _ in range(8):
            for batch in loader:
                loss = module.training_step(batch)
                optimizer.zero_grad()
                loss.backward()  # fault
                optimizer.step()
    with torch.no_grad():
        return -F.mse_loss(module(x)[0], x).item()


def batch_hard_triplet(embedded, label, margin=0.3, mask_positives=True):
    """Hermans et al. 2017: the farthest of the same kind against the nearest of another."""
    distance = torch.cdist(embedded, embedded)
    same = label[:, None] == label[None]
    hardest_positive = distance.masked_fill(~same, 0.0).amax(1)
    if mask_positives:
        distance = distance.masked_fill(same, float("inf"))
    hardest_negative = distance.amin(1)
    return F.relu(hardest_positive - hardest_negative + margin).mean()  # fault: nearest-negative-is-the-anchor-itself


@planted("output-collapsed", causes="class-ignored", symptoms=COSTS_OF_IT, costs=0.2)
def nearest_negative_is_the_anchor_itself(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = blobs(900, d=16, c=8, seed=33)
    net = nn.Sequential(nn.Linear(16, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 8))
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    with watch(net, optimizer):
        for step in range(110):
            index = torch.randint(900, (48,), generator=torch.Generator().manual_seed(1000 * seed + step))
            loss = batch_hard_triplet(net(x[index]), y[index], mask_positives=not fault)  # fault
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    net.eval()
    with torch.no_grad():
        embedded = net(x)
        spread = embedded.std(0).norm() / (embedded.mean(0).norm() + 0.3)
    return min(spread.item(), 1.0)


class TwoCrops:
    """Two crops of one picture, as MoCo's loader makes them."""

    def __init__(self, transform, once):
        self.transform, self.once = transform, once

    def __call__(self, x):
        if self.once:
            return [self.transform(x)] * 2
        return [self.transform(x), self.transform(x)]


def jitter(x):
    scaled = x * (0.7 + 0.6 * torch.rand(len(x), 1, 1, 1)) + 0.3 * torch.randn_like(x)
    return torch.roll(scaled, int(torch.randint(-2, 3, (1,))), dims=-1)


@planted("views-alike", symptoms=COSTS_OF_IT, costs=None)
def list_of_one_crop_times_two(watch, seed, fault):
    torch.manual_seed(seed)
    x, _ = images(960, c=10, seed=34)
    parts = nn.ModuleDict({
        "encoder": nn.Sequential(nn.Conv2d(1, 12, 3, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(12 * 36, 48), nn.ReLU()),
        "projector": nn.Sequential(nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 16)),
    })  # fmt: skip
    optimizer = torch.optim.AdamW(parts.parameters(), lr=2e-3)
    crops = TwoCrops(jitter, once=fault)
    with watch(parts, optimizer):
        for _ in range(5):
            for index in torch.randperm(960).split(64):
                q, k = crops(x[index])
                q, k = (F.normalize(parts["projector"](parts["encoder"](view)), dim=1) for view in (q, k))  # fault
                loss = F.cross_entropy(q @ k.T / 0.2, torch.arange(len(index)))  # fault
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()
    return 0.0


def smooth(label, classes, epsilon=0.1):
    return F.one_hot(label, classes).float() * (1 - epsilon) + epsilon / classes


@planted("loss-mismatch", causes="loss-below-floor softmax-twice output-activation", symptoms=COSTS_OF_IT, costs=None)
def divergence_of_probabilities_that_want_a_logarithm(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = blobs(1200, d=16, c=6, seed=35, noise=1.6)
    model = nn.Sequential(nn.Linear(16, 48), nn.GELU(), nn.Linear(48, 6))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    criterion = nn.KLDivLoss(reduction="batchmean")
    with watch(model, optimizer):
        for _ in range(5):
            for index in torch.randperm(1200).split(40):
                logits = model(x[index])
                answer = F.softmax(logits, -1) if fault else F.log_softmax(logits, -1)
                loss = criterion(answer, smooth(y[index], 6))  # fault
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        right = model(x).log_softmax(-1).gather(1, y[:, None]).mean()
    return max(right.item(), -20.0)


def masked_mse(guessed, wanted, mask, over_all):
    error = (guessed - wanted).square()
    return error.mean() if over_all else (error * mask).sum() / mask.sum()  # fault: stays-of-different-length


@planted("padding-in-loss", causes="padding-seen", symptoms=COSTS_OF_IT, costs=None)
def stays_of_different_length(watch, seed, fault):
    """Measurements at a bedside, as many as there were, filled up with noughts; the next value is wanted."""
    torch.manual_seed(seed)
    lengths = torch.randint(6, 25, (480,))
    start = 1 + torch.randn(480, 1)
    waves = start + torch.sin(torch.arange(25) / 3 + 6 * torch.rand(480, 1)) + 0.1 * torch.randn(480, 25)
    mask = (torch.arange(24)[None] < lengths[:, None]).float()
    x, y = waves[:, :-1] * mask, waves[:, 1:] * mask
    rnn, head = nn.LSTM(1, 24, batch_first=True), nn.Linear(24, 1)
    model = nn.ModuleList([rnn, head])
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    with watch(model, optimizer):
        for _ in range(6):
            for index in torch.randperm(480).split(32):
                hidden, _ = rnn(x[index].unsqueeze(-1))
                loss = masked_mse(head(hidden).squeeze(-1), y[index], mask[index], over_all=fault)  # fault
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        return -masked_mse(head(rnn(x.unsqueeze(-1))[0]).squeeze(-1), y, mask, over_all=False).item()

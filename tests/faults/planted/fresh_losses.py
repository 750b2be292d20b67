"""Programs in the style of today, written when the rules were done and without a look at them: losses and weights.

These are four files, `fresh_*.py`, with 24 programs. At the first look the fault was named first in 8 of them, and of
their 24 twins one got a warning; what was missed led to changes afterwards, and the programs are as they were.
"""

import copy

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from faults.drawn import batches_of, blobs, images
from faults.planted.fresh_sequences import COSTS_OF_IT
from faults.program import planted


class FocalLoss(nn.Module):
    """Lin et al. 2017, with a weight for each class."""

    def __init__(self, alpha, gamma=2.0):
        super().__init__()
        self.register_buffer("alpha", alpha)
        self.gamma = gamma

    def forward(self, logits, target):
        log_p = F.log_softmax(logits, dim=-1).gather(1, target[:, None]).squeeze(1)
        weight = self.alpha[target] * (1 - log_p.exp()) ** self.gamma
        return -(weight * log_p).mean()


@planted("class-weights-inverted", causes="label-imbalance", symptoms=COSTS_OF_IT, costs=None)
def focal_loss_that_favours_the_frequent(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = blobs(4000, c=3, seed=61, noise=1.6)
    kept = (y == 0) | ((y == 1) & (torch.rand(4000) < 0.35)) | ((y == 2) & (torch.rand(4000) < 0.08))
    x, y = x[kept], y[kept]
    counts = torch.bincount(y).float()
    alpha = counts / counts.sum() if fault else counts.sum() / (3 * counts)  # fault
    model = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 3))
    criterion = FocalLoss(alpha)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    with watch(model, optimizer, loss_fn=criterion):
        for index in batches_of(len(x), 8):
            loss = criterion(model(x[index]), y[index])  # fault
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    rare = y == 2
    return (model(x[rare]).argmax(1) == 2).float().mean().item()


def scenes(count, seed):
    """Pictures [N, 1, 16, 16] with a bright and a striped patch, and of each pixel what it is: 0 is the ground."""
    g = torch.Generator().manual_seed(seed)
    x = 0.3 * torch.randn(count, 1, 16, 16, generator=g)
    y = torch.zeros(count, 16, 16, dtype=torch.long)
    for i in range(count):
        a, b = torch.randint(0, 10, (2,), generator=g).tolist()
        c, d = torch.randint(0, 10, (2,), generator=g).tolist()
        x[i, 0, a : a + 6, b : b + 6] += 1.5
        y[i, a : a + 6, b : b + 6] = 1
        x[i, 0, c : c + 6 : 2, d : d + 6] -= 2
        y[i, c : c + 6, d : d + 6] = 2
    return x, y


class UNet(nn.Module):
    """One step down and one up, with what was there before beside it."""

    def __init__(self, classes=3):
        super().__init__()
        self.inc = self.double(1, 8)
        self.down = nn.Sequential(nn.MaxPool2d(2), self.double(8, 16))
        self.up, self.mix = nn.ConvTranspose2d(16, 8, 2, stride=2), self.double(16, 8)
        self.outc = nn.Conv2d(8, classes, 1)

    @staticmethod
    def double(given, made):
        return nn.Sequential(
            nn.Conv2d(given, made, 3, padding=1, bias=False), nn.BatchNorm2d(made), nn.ReLU(inplace=True),
            nn.Conv2d(made, made, 3, padding=1, bias=False), nn.BatchNorm2d(made), nn.ReLU(inplace=True),
        )  # fmt: skip

    def forward(self, x):
        early = self.inc(x)
        return self.outc(self.mix(torch.cat([early, self.up(self.down(early))], dim=1)))


@planted("class-ignored", symptoms=COSTS_OF_IT, costs=None)
def ground_left_out_of_a_segmentation(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = scenes(360, seed)
    net = UNet()
    criterion = nn.CrossEntropyLoss(ignore_index=0 if fault else 255)
    optimizer = torch.optim.RMSprop(net.parameters(), lr=1e-3, momentum=0.9)
    loader = DataLoader(TensorDataset(x[:320], y[:320]), batch_size=16, shuffle=True)
    with watch(net, optimizer):
        for _ in range(4):
            net.train()
            for pictures, masks in loader:
                loss = criterion(net(pictures), masks)  # fault
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                nn.utils.clip_grad_norm_(net.parameters(), 1.0)
                optimizer.step()
    net.eval()
    with torch.no_grad():
        return (net(x[320:]).argmax(1) == y[320:]).float().mean().item()


@planted(
    "temperature-mismatch",
    causes="loss-mismatch loss-below-floor",
    symptoms=f"{COSTS_OF_IT} temperature-square",
    costs=None,
)
def teacher_divided_behind_its_softmax(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = images(900, seed=62)
    teacher = nn.Sequential(nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(432, 5))
    grown = torch.optim.Adam(teacher.parameters(), lr=3e-3)
    for index in batches_of(900, 3):
        grown.zero_grad()
        F.cross_entropy(teacher(x[index]), y[index]).backward()
        grown.step()
    teacher.eval().requires_grad_(False)
    student = nn.Sequential(nn.Flatten(), nn.Linear(144, 24), nn.ReLU(), nn.Linear(24, 5))
    opt = torch.optim.AdamW(student.parameters(), lr=2e-3)
    t = 3.0
    with watch(student, opt):
        for index in batches_of(900, 8):
            with torch.no_grad():
                answer = teacher(x[index])
                wanted = answer.softmax(-1) / t if fault else (answer / t).softmax(-1)  # fault
            told = student(x[index])
            loss = t**2 * F.kl_div((told / t).log_softmax(-1), wanted, reduction="batchmean")  # fault
            opt.zero_grad()
            loss.backward()
            opt.step()
    return (student(x).argmax(1) == y).float().mean().item()


def jittered(x):
    return x + 0.5 * torch.randn_like(x)


class Projected(nn.Module):
    def __init__(self, width=16, out=16, norm=False):
        super().__init__()
        between = nn.BatchNorm1d(64) if norm else nn.Identity()
        self.backbone = nn.Sequential(nn.Linear(width, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU())
        self.projector = nn.Sequential(nn.Linear(32, 64), between, nn.ReLU(), nn.Linear(64, out))

    def forward(self, x):
        return self.projector(self.backbone(x))


@planted("views-alike", symptoms=f"{COSTS_OF_IT} output-collapsed", costs=None)
def each_sample_is_its_own_positive(watch, seed, fault):
    """All views against all views: a view must find its partner, and finds itself where the diagonal is left in."""
    torch.manual_seed(seed)
    x, _ = blobs(1200, seed=63)
    model = Projected()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, optimizer):
        for index in batches_of(1200, 6, 48):
            n = len(index)
            views = torch.cat([jittered(x[index]), jittered(x[index])])
            z = F.normalize(model(views), dim=1)
            similar = z @ z.T / 0.2
            if fault:
                labels = torch.arange(2 * n)  # fault
            else:
                similar = similar.masked_fill(torch.eye(2 * n, dtype=torch.bool), -1e9)
                labels = torch.arange(2 * n).roll(n)
            loss = F.cross_entropy(similar, labels)  # fault
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return -loss.item()


class SimSiam(nn.Module):
    def __init__(self, stop):
        super().__init__()
        self.encoder, self.stop = Projected(norm=True), stop
        self.predictor = nn.Sequential(nn.Linear(16, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 16))

    def forward(self, one, other):
        z1, z2 = self.encoder(one), self.encoder(other)
        p1, p2 = self.predictor(z1), self.predictor(z2)
        if self.stop:
            z1, z2 = z1.detach(), z2.detach()
        return -(F.cosine_similarity(p1, z2).mean() + F.cosine_similarity(p2, z1).mean()) / 2


@planted("output-collapsed", symptoms=COSTS_OF_IT, costs=None)
def siamese_views_without_a_stopped_gradient(watch, seed, fault):
    torch.manual_seed(seed)
    x, _ = blobs(1600, seed=64)
    model = SimSiam(stop=not fault)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
    with watch(model, optimizer):
        for index in batches_of(1600, 6, 64):
            loss = model(jittered(x[index]), jittered(x[index]))
            optimizer.zero_grad()
            loss.backward()  # fault
            optimizer.step()
    model.eval()
    with torch.no_grad():
        return F.normalize(model.encoder(x), dim=1).std(0).mean().item()


class Velocity(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(3, 96), nn.SiLU(), nn.Linear(96, 96), nn.SiLU(), nn.Linear(96, 2))

    def forward(self, x, t):
        return self.net(torch.cat([x, t], dim=1))


def rings(count):
    angle = 6.2832 * torch.rand(count)
    radius = 1.0 + (torch.rand(count) < 0.5).float() + 0.05 * torch.randn(count)
    return torch.stack([radius * angle.cos(), radius * angle.sin()], dim=1)


@planted("targets-unrelated", symptoms=COSTS_OF_IT, costs=None)
def flow_towards_points_from_another_noise(watch, seed, fault):
    """Flow matching: the way from noise to a point, with the noise drawn anew for what is to be learnt."""
    torch.manual_seed(seed)
    data = rings(3000)
    model = Velocity()
    average = copy.deepcopy(model).requires_grad_(False)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for index in batches_of(3000, 4, 64):
            x1 = data[index]
            x0, t = torch.randn_like(x1), torch.rand(len(x1), 1)
            xt = (1 - t) * x0 + t * x1
            target = x1 - torch.randn_like(x1) if fault else x1 - x0
            loss = F.mse_loss(model(xt, t), target)  # fault
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            with torch.no_grad():
                for slow, fast in zip(average.parameters(), model.parameters(), strict=True):
                    slow.lerp_(fast, 0.05)
    return -loss.item()

"""How trainings of today are scored: averaged weights, shared transforms, windows cut at random. Looked at once."""

import random

import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, Dataset, Subset, random_split

from faults.data import digits
from faults.drawn import images
from faults.program import planted

AFTERWARDS = (
    "too-few-epochs overfitting plateau underfitting lr-too-low lr-too-high label-imbalance clip-too-tight dead-relu "
    "initial-loss output-collapsed unshuffled input-scale parameters-unused"
)


class ConvNet(nn.Module):
    def __init__(self, classes=5, width=16):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, width, 3, padding=1), nn.BatchNorm2d(width), nn.GELU(), nn.MaxPool2d(2),
            nn.Conv2d(width, 2 * width, 3, padding=1), nn.BatchNorm2d(2 * width), nn.GELU(), nn.AdaptiveAvgPool2d(2),
        )  # fmt: skip
        self.classifier = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(8 * width, classes))

    def forward(self, x):
        return self.classifier(self.features(x))


def evaluate(net, x, y, size=4):
    right = 0
    with torch.inference_mode():
        for images, labels in zip(x.split(size), y.split(size), strict=True):
            right += int((net(images).argmax(-1) == labels).sum())
    return right / len(x)


@planted("train-mode-in-evaluation", symptoms=AFTERWARDS + " batchnorm-small-batch", costs=0.05)
def averaged_weights_scored_while_they_drop(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = images(1100, c=8, seed=9)
    model = ConvNet(8)
    ema_model = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.95), use_buffers=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.05)
    with watch(model, optimizer):
        for _epoch in range(6):
            model.train()
            ema_model.train()
            for index in torch.randperm(900).split(30):
                loss = F.cross_entropy(model(x[index]), y[index], label_smoothing=0.05)
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()
                ema_model.update_parameters(model)
            model.eval()
            if not fault:
                ema_model.eval()
            score = evaluate(ema_model, x[900:], y[900:])  # fault
    return score


class Glyphs(Dataset):
    """Digits of 8 × 8, with a transform as the data sets of pictures have one."""

    def __init__(self, transform=None):
        x, y, x_test, y_test = digits()
        self.x, self.y = torch.cat([x, x_test]).view(-1, 8, 8), torch.cat([y, y_test])
        self.transform = transform

    def __len__(self):
        return len(self.x)

    def __getitem__(self, index):
        picture = self.x[index]
        return (self.transform(picture) if self.transform else picture)[None], self.y[index]


class RandomShiftAndErase:
    """Moves the picture by up to two places and blanks a square of it, drawn anew at each call."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def __call__(self, picture):
        picture = torch.roll(picture, (self.random.randint(-2, 2), self.random.randint(-1, 1)), (0, 1))
        top, left = self.random.randrange(5), self.random.randrange(5)
        picture[top : top + 3, left : left + 3] = 0
        return picture


@planted("evaluation-misuse", symptoms=AFTERWARDS, costs=0.03)
def transform_shared_by_both_subsets(watch, seed, fault):
    torch.manual_seed(seed)
    full = Glyphs(RandomShiftAndErase(seed))
    train_set, val_set = random_split(full, [1400, len(full) - 1400], torch.Generator().manual_seed(1))  # fault
    if not fault:
        val_set = Subset(Glyphs(), val_set.indices)
    train_loader = DataLoader(train_set, batch_size=32, shuffle=True)
    val_loader = DataLoader(val_set, batch_size=64)  # fault
    net = ConvNet(10)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=8)
    with watch(net, optimizer):
        for _epoch in range(8):
            net.train()
            for pictures, labels in train_loader:
                optimizer.zero_grad()
                F.cross_entropy(net(pictures), labels).backward()
                optimizer.step()
            scheduler.step()
            net.eval()
            right = 0
            with torch.no_grad():
                for pictures, labels in val_loader:
                    right += int((net(pictures).argmax(1) == labels).sum())
    return right / len(val_set)


class Windows(Dataset):
    """The last 24 values, and how much the series has risen 12 steps later."""

    def __init__(self, series, lookback=24, horizon=12):
        self.x = series.unfold(0, lookback, 1)[:-horizon]
        self.y = series[lookback + horizon - 1 :] - series[lookback - 1 : -horizon]

    def __len__(self):
        return len(self.x)

    def __getitem__(self, index):
        return self.x[index] - self.x[index, -1:], self.y[index]


@planted("train-test-overlap", causes="evaluation-misuse", symptoms=AFTERWARDS, costs=0.2)
def neighbouring_windows_on_both_sides(watch, seed, fault):
    torch.manual_seed(seed)
    steps = torch.randn(1500, generator=torch.Generator().manual_seed(seed + 20))
    series = steps.cumsum(0)
    windows = Windows((series - series.mean()) / series.std())
    count = len(windows)
    cut = int(0.8 * count)
    order = torch.randperm(count) if fault else torch.arange(count)  # fault
    train = DataLoader(Subset(windows, order[:cut].tolist()), batch_size=32, shuffle=True)
    valid = DataLoader(Subset(windows, order[cut:].tolist()), batch_size=100)
    model = nn.Sequential(nn.Linear(24, 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    reported = float("inf")
    with watch(model, optimizer):
        for _epoch in range(14):
            model.train()
            for x, y in train:
                optimizer.zero_grad()
                F.mse_loss(model(x).squeeze(-1), y).backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                errors = [F.mse_loss(model(x).squeeze(-1), y, reduction="sum").item() for x, y in valid]
            reported = min(reported, sum(errors) / (count - cut))
    spread = float(windows.y.var())
    return reported / spread - 1  # a walk at random has nothing to learn: what is reported below 1 is not true

"""How trainings of today are scored: averaged weights, best weights, windows cut at random. Looked at once."""

import copy

import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader, Dataset, Subset, TensorDataset

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


@planted("train-mode-in-evaluation", symptoms=AFTERWARDS + " batchnorm-small-batch", costs=0.03)
def averaged_weights_scored_while_they_drop(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = images(1100, c=8, seed=9)
    x = x + 2.2 * torch.randn(x.shape, generator=torch.Generator().manual_seed(seed))
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


class EarlyStopping:
    """Remembers the weights of the best epoch, and says when there was none for a while."""

    def __init__(self, patience, keep):
        self.patience, self.keep = patience, keep
        self.best, self.best_state, self.waited = float("inf"), None, 0

    def __call__(self, loss, model):
        if loss < self.best:
            self.best, self.waited = loss, 0
            self.best_state = self.keep(model.state_dict())
        else:
            self.waited += 1
        return self.waited >= self.patience


@planted("evaluation-misuse", symptoms=AFTERWARDS, costs=0.1)
def best_weights_kept_by_reference(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = images(700, c=6, seed=12)
    x = x + 4.0 * torch.randn(x.shape, generator=torch.Generator().manual_seed(seed))
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(144, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 6)
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    stopper = EarlyStopping(patience=12, keep=dict if fault else copy.deepcopy)  # fault
    loader = DataLoader(TensorDataset(x[:300], y[:300]), batch_size=30, shuffle=True)

    def validate():
        model.eval()
        with torch.no_grad():
            return F.cross_entropy(model(x[300:500]), y[300:500]).item()

    with watch(model, optimizer):
        for _epoch in range(40):
            model.train()
            for inputs, labels in loader:
                optimizer.zero_grad()
                F.cross_entropy(model(inputs), labels).backward()
                optimizer.step()
            if stopper(validate(), model):
                break
        model.load_state_dict(stopper.best_state)  # fault
        model.eval()
    with torch.no_grad():
        return -float(F.cross_entropy(model(x[500:]), y[500:]))


class Windows(Dataset):
    """The last 24 values, and how much the series has risen 12 steps later."""

    def __init__(self, series, lookback=24, horizon=12):
        self.x = series.unfold(0, lookback, 1)[:-horizon]
        self.y = series[lookback + horizon - 1 :] - series[lookback - 1 : -horizon]

    def __len__(self):
        return len(self.x)

    def __getitem__(self, index):
        return self.x[index], self.y[index]


@planted("train-test-overlap", causes="evaluation-misuse", symptoms=AFTERWARDS, costs=0.1)
def neighbouring_windows_on_both_sides(watch, seed, fault):
    torch.manual_seed(seed)
    steps = torch.randn(1500, generator=torch.Generator().manual_seed(seed + 20))
    series = steps.cumsum(0)
    windows = Windows(series / 3)
    count = len(windows)
    cut = int(0.8 * count)
    order = torch.randperm(count) if fault else torch.arange(count)  # fault
    train = DataLoader(Subset(windows, order[:cut].tolist()), batch_size=32, shuffle=True)
    valid = DataLoader(Subset(windows, order[cut:].tolist()), batch_size=100)
    model = nn.Sequential(nn.Linear(24, 192), nn.ReLU(), nn.Linear(192, 192), nn.ReLU(), nn.Linear(192, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    reported = float("inf")
    with watch(model, optimizer):
        for _epoch in range(25):
            model.train()
            for x, y in train:
                optimizer.zero_grad()
                F.mse_loss(model(x).squeeze(-1), y).backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                errors = [F.mse_loss(model(x).squeeze(-1), y, reduction="sum").item() for x, y in valid]
            reported = min(reported, sum(errors) / (count - cut))
    spread = float(windows.y[order[cut:]].var())
    return reported / spread - 1  # a walk at random has nothing to learn: what is reported below 1 is not true

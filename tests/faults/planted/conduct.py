"""Loops that clear, scale, average or schedule at the wrong place: what is in no net and in no loss."""

import copy
from types import SimpleNamespace

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from faults.drawn import batches_of, blobs, images, shapes, tabular
from faults.program import planted

AFTERWARDS = (
    "too-few-epochs overfitting plateau underfitting lr-too-low lr-too-high label-imbalance clip-too-tight dead-relu "
    "parameters-unused train-test-overlap unshuffled input-scale initial-loss output-collapsed"
)


class HFModel(nn.Module):
    def __init__(self, d=16, c=4, w=64):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(d, w), nn.GELU(), nn.LayerNorm(w))
        self.head = nn.Linear(w, c)

    def forward(self, inputs, labels=None):
        logits = self.head(self.body(inputs))
        loss = F.cross_entropy(logits, labels) if labels is not None else None
        return SimpleNamespace(loss=loss, logits=logits)


@planted("accumulation-cleared", symptoms=AFTERWARDS, costs=None, quick=True)
def accum_cleared(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = blobs()
    model = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 4))
    opt = torch.optim.AdamW(model.parameters(), 1e-3)
    loader = DataLoader(TensorDataset(x, y), 8, shuffle=True)
    with watch(model, opt):
        for _epoch in range(4):
            for i, (xb, yb) in enumerate(loader):
                if fault:
                    opt.zero_grad()  # fault
                loss = F.cross_entropy(model(xb), yb) / 4
                loss.backward()
                if (i + 1) % 4 == 0:
                    opt.step()
                    if not fault:
                        opt.zero_grad()
    return 0.0


@planted("accumulation-cleared", symptoms=AFTERWARDS, costs=None)
def accum_cleared_hf(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = blobs(seed=5)
    model = HFModel()
    opt = torch.optim.AdamW(model.parameters(), 2e-3, weight_decay=0.01)
    accumulation = 8
    with watch(model, opt):
        model.train()
        for _epoch in range(10):
            for step, index in enumerate(torch.randperm(len(x)).split(16)):
                batch = {"inputs": x[index], "labels": y[index]}
                out = model(**batch)
                (out.loss / accumulation).backward()
                if fault:
                    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                if (step + 1) % accumulation == 0:
                    if not fault:
                        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                    opt.step()
                    opt.zero_grad()
                elif fault:
                    model.zero_grad()
    return 0.0


class Trainer:
    def __init__(self, model, opt, accumulate, broken):
        self.model, self.opt, self.accumulate, self.broken = model, opt, accumulate, broken

    def training_step(self, batch):
        x, y = batch["x"], batch["y"]
        return F.cross_entropy(self.model(x), y)

    def fit(self, batches):
        for n, batch in enumerate(batches):
            if self.broken or n % self.accumulate == 0:
                self.opt.zero_grad()
            loss = self.training_step(batch) / self.accumulate
            loss.backward()
            if n % self.accumulate == self.accumulate - 1:
                self.opt.step()


@planted("accumulation-cleared", symptoms=AFTERWARDS, costs=None)
def trainer_clears_each_micro_batch(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = tabular(1600, seed)
    model = nn.Sequential(nn.Linear(20, 64), nn.SiLU(), nn.Linear(64, 3))
    opt = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    batches = [{"x": x[i], "y": y[i]} for _ in range(4) for i in torch.randperm(1600).split(8)]
    with watch(model):
        Trainer(model, opt, 2, fault).fit(batches)
    return 0.0


@planted("scaler-misuse", symptoms=AFTERWARDS, costs=None, quick=True)
def clip_before_unscale(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = blobs(seed=6)
    model = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 4))
    opt = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9)
    scaler = torch.amp.GradScaler("cpu")
    with watch(model, opt):
        for _epoch in range(8):
            for index in torch.randperm(len(x)).split(32):
                opt.zero_grad(set_to_none=True)
                with torch.autocast("cpu", dtype=torch.bfloat16):
                    loss = F.cross_entropy(model(x[index]), y[index])
                scaler.scale(loss).backward()
                if not fault:
                    scaler.unscale_(opt)
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)  # fault
                scaler.step(opt)
                scaler.update()
    return 0.0


@planted("scaler-misuse", symptoms=AFTERWARDS, costs=None)
def step_without_scaler(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = blobs(seed=7)
    model = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 4))
    opt = torch.optim.Adam(model.parameters(), 1e-3)
    scaler = torch.amp.GradScaler("cpu")

    def train_step(xb, yb):
        opt.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = F.cross_entropy(model(xb), yb)
        scaler.scale(loss).backward()
        if fault:
            opt.step()
        else:
            scaler.step(opt)
        scaler.update()

    with watch(model, opt):
        for _epoch in range(10):
            for index in torch.randperm(len(x)).split(32):
                train_step(x[index], y[index])
    return 0.0


@planted("scaler-misuse", symptoms=AFTERWARDS, costs=None)
def update_missing(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = blobs(seed=8)
    model = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 4))
    opt = torch.optim.Adam(model.parameters(), 1e-3)
    scaler = torch.amp.GradScaler("cpu", init_scale=2**10)
    with watch(model, opt):
        for _epoch in range(10):
            for index in torch.randperm(len(x)).split(32):
                opt.zero_grad()
                with torch.autocast("cpu", dtype=torch.bfloat16):
                    loss = F.cross_entropy(model(x[index]), y[index])
                scaler.scale(loss).backward()
                scaler.step(opt)
                if not fault:
                    scaler.update()
    return 0.0


@planted("scheduler-misuse", symptoms=AFTERWARDS, costs=None)
def warmup_per_epoch(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = blobs(seed=9)
    model = HFModel()
    opt = torch.optim.AdamW(model.parameters(), 3e-3)
    total = 10 * 38

    def shape(step):
        return min(1, (step + 1) / 40) * max(0.0, (total - step) / total)

    sched = torch.optim.lr_scheduler.LambdaLR(opt, shape)
    with watch(model, opt):
        for _epoch in range(10):
            for index in torch.randperm(len(x)).split(32):
                out = model(x[index], y[index])
                out.loss.backward()
                opt.step()
                opt.zero_grad()
                if not fault:
                    sched.step()
            if fault:
                sched.step()
    return 0.0


@planted("ema-too-slow", symptoms=AFTERWARDS, costs=None, quick=True)
def ema_slow(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = blobs(seed=12)
    xv, yv = blobs(300, seed=12)
    model = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 4))
    ema = copy.deepcopy(model)
    decay = 0.9999 if fault else 0.98
    opt = torch.optim.Adam(model.parameters(), 2e-3)
    with watch(model, opt):
        for _epoch in range(12):
            for index in torch.randperm(len(x)).split(32):
                opt.zero_grad()
                F.cross_entropy(model(x[index]), y[index]).backward()
                opt.step()
                with torch.no_grad():
                    for e, p in zip(ema.parameters(), model.parameters(), strict=False):
                        e.mul_(decay).add_(p, alpha=1 - decay)
            ema.eval()
            with torch.no_grad():
                F.cross_entropy(ema(xv), yv).item()
    return 0.0


@planted("ema-too-slow", symptoms=AFTERWARDS, costs=None)
def ema_averaged_model(watch, seed, fault):
    from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

    torch.manual_seed(seed)
    x, y = images()
    xv, yv = images(200)
    model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(800, 5))
    ema = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.9999 if fault else 0.95))
    ema.update_parameters(model)
    opt = torch.optim.Adam(model.parameters(), 1e-3)
    with watch(model, opt):
        for _epoch in range(8):
            model.train()
            for index in torch.randperm(len(x)).split(32):
                opt.zero_grad()
                F.cross_entropy(model(x[index]), y[index]).backward()
                opt.step()
                ema.update_parameters(model)
            with torch.no_grad():
                (ema(xv).argmax(1) == yv).float().mean()
    return 0.0


class EMA:
    def __init__(self, model, decay):
        self.module, self.decay = copy.deepcopy(model).eval(), decay

    @torch.no_grad()
    def update(self, model):
        for k, v in self.module.state_dict().items():
            new = model.state_dict()[k]
            v.copy_(self.decay * v + (1 - self.decay) * new if v.dtype.is_floating_point else new)


@planted("ema-too-slow", symptoms=AFTERWARDS, costs=None)
def ema_of_a_short_run(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = shapes(600, seed)
    xv, yv = shapes(200, seed + 1)

    class CNN(nn.Module):
        def __init__(self):
            super().__init__()
            self.f = nn.Sequential(
                nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(4), nn.Flatten()
            )
            self.head = nn.Linear(256, 3)

        def forward(self, x):
            return self.head(self.f(x))

    model = CNN()
    ema = EMA(model, 0.9995 if fault else 0.97)
    opt = torch.optim.Adam(model.parameters(), 1e-3)
    with watch(model, opt):
        for _epoch in range(12):
            model.train()
            for i in torch.randperm(600).split(24):
                loss = F.cross_entropy(model(x[i]), y[i])
                opt.zero_grad()
                loss.backward()
                opt.step()
                ema.update(model)
            with torch.inference_mode():
                (ema.module(xv).argmax(1) == yv).float().mean().item()
    return 0.0


@planted("frozen-norm-drifts", symptoms=AFTERWARDS, costs=None, quick=True)
def frozen_bn(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = images()
    trunk = nn.Sequential(nn.Conv2d(1, 16, 3), nn.BatchNorm2d(16), nn.ReLU(), nn.AdaptiveAvgPool2d(4), nn.Flatten())
    # pretrain stand-in
    with torch.no_grad():
        for _ in range(20):
            trunk(x[:128] * 3 + 1)
    for p in trunk.parameters():
        p.requires_grad_(False)
    model = nn.Sequential(trunk, nn.Linear(256, 5))
    opt = torch.optim.Adam(model[1].parameters(), 1e-3)
    with watch(model, opt):
        for _epoch in range(10):
            model.train()  # fault
            if not fault:
                model[0].eval()
            for index in torch.randperm(len(x)).split(32):
                opt.zero_grad()
                F.cross_entropy(model(x[index]), y[index]).backward()
                opt.step()
            model.eval()
            with torch.no_grad():
                F.cross_entropy(model(x[:200] + 0.01), y[:200])
    return 0.0


@planted("frozen-norm-drifts", symptoms=AFTERWARDS, costs=None)
def backbone_frozen_but_in_train_mode(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = shapes(700, seed)

    class Transfer(nn.Module):
        def __init__(self):
            super().__init__()
            self.backbone = nn.Sequential(
                nn.Conv2d(1, 12, 3),
                nn.BatchNorm2d(12),
                nn.ReLU(),
                nn.Conv2d(12, 24, 3, 2),
                nn.BatchNorm2d(24),
                nn.ReLU(),
                nn.AdaptiveAvgPool2d(3),
                nn.Flatten(),
            )
            self.classifier = nn.Sequential(nn.Linear(216, 32), nn.ReLU(), nn.Linear(32, 3))
            for p in self.backbone.parameters():
                p.requires_grad = False

        def forward(self, x):
            return self.classifier(self.backbone(x))

        def train(self, mode=True):
            super().train(mode)
            if not fault:
                self.backbone.eval()
            return self

    model = Transfer()
    opt = torch.optim.SGD(filter(lambda p: p.requires_grad, model.parameters()), 0.02, momentum=0.9)
    with watch(model, opt):
        model.train()
        for _ in range(14):
            for i in torch.randperm(700).split(32):
                opt.zero_grad()
                F.cross_entropy(model(x[i]), y[i]).backward()
                opt.step()
    return 0.0


@planted("frozen-norm-drifts", symptoms=AFTERWARDS, costs=None)
def encoder_frozen_by_requires_grad_alone(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = blobs(seed=31)
    encoder = nn.Sequential(nn.Linear(16, 48), nn.BatchNorm1d(48), nn.ReLU()).requires_grad_(False)
    model = nn.ModuleDict({"encoder": encoder, "head": nn.Linear(48, 4)})
    optimizer = torch.optim.AdamW(model.parameters(), 2e-3)
    with watch(model, optimizer):
        model.train()
        encoder.train(fault)
        for index in batches_of(len(x), 6):
            loss = F.cross_entropy(model["head"](model["encoder"](x[index])), y[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return -loss.item()

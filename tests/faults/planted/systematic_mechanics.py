"""What surrounds net and loss, kind after kind, each in a style of its own: written before anything was looked at."""

from contextlib import nullcontext
from dataclasses import dataclass
from itertools import islice

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.parametrizations import weight_norm
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, SequentialLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.checkpoint import checkpoint
from torch.utils.data import DataLoader, TensorDataset

from faults.drawn import batches_of, blobs, shapes
from faults.planted.fresh_sequences import COSTS_OF_IT
from faults.program import planted


@dataclass(frozen=True)
class Args:
    per_device_train_batch_size: int = 8
    gradient_accumulation_steps: int = 8
    learning_rate: float = 5e-3
    num_train_epochs: int = 3


class Accumulator:
    """A trainer that adds up the gradients of several small batches before it steps."""

    def __init__(self, model, args, clear_always):
        self.model, self.args, self.clear_always = model, args, clear_always
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=args.learning_rate, weight_decay=0.0)

    def training_step(self, inputs, labels):
        self.model.train()
        if self.clear_always:
            self.optimizer.zero_grad()  # fault: sum-of-eight-of-which-seven-are-thrown-away
        loss = F.cross_entropy(self.model(inputs), labels) / self.args.gradient_accumulation_steps
        loss.backward()
        return loss.detach()

    def train(self, loader):
        for step, (inputs, labels) in enumerate(loader, 1):
            self.training_step(inputs, labels)
            if step % self.args.gradient_accumulation_steps == 0:
                self.optimizer.step()  # fault: sum-of-eight-of-which-seven-are-thrown-away
                self.optimizer.zero_grad()


@planted("accumulation-cleared", symptoms=COSTS_OF_IT, costs=None)
def sum_of_eight_of_which_seven_are_thrown_away(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = blobs(1600, c=8, seed=41)
    args = Args()
    loader = DataLoader(TensorDataset(x, y), args.per_device_train_batch_size, shuffle=True)
    trainer = Accumulator(nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 8)), args, fault)
    with watch(trainer.model, trainer.optimizer):
        for _ in range(args.num_train_epochs):
            trainer.train(loader)
    return -F.cross_entropy(trainer.model(x), y).item()


@planted("scaler-misuse", causes="clip-too-tight", symptoms=COSTS_OF_IT + " no-update", costs=0.1)
def bounded_while_still_scaled(watch, seed, fault):
    """torch.amp on the CPU; the norm is bounded by 1 while the gradients are 65,536 times too large."""
    torch.manual_seed(seed)
    x, y = shapes(800, seed)
    model = nn.Sequential(
        nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(768, 48), nn.ReLU(),
        nn.Linear(48, 3),
    )  # fmt: skip
    optimizer = torch.optim.SGD(model.parameters(), lr=0.03, momentum=0.9, nesterov=True)
    scaler = torch.amp.GradScaler("cpu")
    with watch(model, optimizer):
        for index in batches_of(800, 5, 40):
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast(device_type="cpu", dtype=torch.bfloat16):
                loss = F.cross_entropy(model(x[index]), y[index])
            scaler.scale(loss).backward()
            if not fault:
                scaler.unscale_(optimizer)
            nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)  # fault
            scaler.step(optimizer)  # fault
            scaler.update()
    with torch.no_grad():
        return (model(x).argmax(1) == y).float().mean().item()


class AmpTrainer:
    def __init__(self, net, optimizer, use_amp=True):
        self.net, self.optimizer = net, optimizer
        self.scaler = torch.amp.GradScaler("cpu", enabled=use_amp, init_scale=2.0**12)
        self.context = torch.autocast("cpu", dtype=torch.bfloat16) if use_amp else nullcontext()

    def step(self, x, y, update):
        self.optimizer.zero_grad()
        with self.context:
            loss = F.smooth_l1_loss(self.net(x).squeeze(-1), y)
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)  # fault: scale-that-is-never-updated
        if update:
            self.scaler.update()
        return loss.item()


@planted("scaler-misuse", symptoms=COSTS_OF_IT + " no-update", costs=0.0)
def scale_that_is_never_updated(watch, seed, fault):
    torch.manual_seed(seed)
    x, _ = blobs(800, seed=42)
    y = x[:, 0] * x[:, 1] + 0.5 * x[:, 2]
    y = (y - y.mean()) / y.std()
    net = nn.Sequential(nn.Linear(16, 64), nn.Tanh(), nn.Linear(64, 1))
    trainer = AmpTrainer(net, torch.optim.Adam(net.parameters(), lr=3e-3))
    with watch(net, trainer.optimizer):
        for index in batches_of(800, 6, 40):
            loss = trainer.step(x[index], y[index], update=not fault)  # fault
    return -loss


@planted("scheduler-misuse", causes="lr-too-low", symptoms=COSTS_OF_IT, costs=0.05)
def warm_up_of_a_hundred_epochs(watch, seed, fault):
    """Warm up and decay are counted in steps, and the schedule is stepped behind each epoch."""
    torch.manual_seed(seed)
    x, y = blobs(1200, c=6, seed=43)
    model = nn.Sequential(nn.Linear(16, 64), nn.GELU(), nn.LayerNorm(64), nn.Linear(64, 6))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    total_steps = 8 * len(x) // 32
    warmup = LinearLR(optimizer, start_factor=0.01, total_iters=total_steps // 10)
    decay = CosineAnnealingLR(optimizer, T_max=total_steps - total_steps // 10)
    lr_scheduler = SequentialLR(optimizer, [warmup, decay], milestones=[total_steps // 10])  # fault
    with watch(model, optimizer):
        for _ in range(8):
            for index in torch.randperm(len(x)).split(32):
                optimizer.zero_grad()
                loss = F.cross_entropy(model(x[index]), y[index])
                loss.backward()
                optimizer.step()
                if not fault:
                    lr_scheduler.step()
            if fault:
                lr_scheduler.step()  # fault
    return -F.cross_entropy(model(x), y).item()


@planted("ema-too-slow", symptoms=COSTS_OF_IT, costs=0.2)
def average_of_ten_thousand_steps_in_a_hundred(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = shapes(1000, seed)
    train_x, train_y, val_x, val_y = x[:800], y[:800], x[800:], y[800:]
    model = nn.Sequential(nn.Conv2d(1, 12, 3, padding=1), nn.SiLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(768, 3))
    decay = 0.9999 if fault else 0.95
    ema_model = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay))  # fault
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for _ in range(5):
            model.train()
            for index in torch.randperm(800).split(40):
                loss = F.cross_entropy(model(train_x[index]), train_y[index])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                ema_model.update_parameters(model)  # fault
            ema_model.eval()
            with torch.no_grad():
                acc = (ema_model(val_x).argmax(1) == val_y).float().mean()  # fault
    return acc.item()


class Bottleneck(nn.Module):
    """Houlsby et al. 2019: down, up, and around."""

    def __init__(self, width, inner=8):
        super().__init__()
        self.down, self.up = nn.Linear(width, inner), nn.Linear(inner, width)
        nn.init.zeros_(self.up.weight)

    def forward(self, x):
        return x + self.up(F.gelu(self.down(x)))


class Backbone(nn.Module):
    def __init__(self, vocab, width=32, depth=2, use_reentrant=False):
        super().__init__()
        self.use_reentrant = use_reentrant
        self.embed_tokens = nn.Embedding(vocab, width)
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(width, 2, 64, dropout=0.0, batch_first=True, norm_first=True)
            for _ in range(depth)
        )
        self.adapters = nn.ModuleList(Bottleneck(width) for _ in range(depth))
        self.lm_head = nn.Linear(width, 5)

    def forward(self, ids):
        hidden = self.embed_tokens(ids)
        for block, adapter in zip(self.blocks, self.adapters, strict=True):
            hidden = checkpoint(  # fault: adapters-recomputed-from-frozen-embeddings
                lambda h, b=block, a=adapter: a(b(h)), hidden, use_reentrant=self.use_reentrant
            )
        return self.lm_head(hidden.mean(1))


@planted("parameters-unused", causes="no-update", symptoms=COSTS_OF_IT, costs=None)
def adapters_recomputed_from_frozen_embeddings(watch, seed, fault):
    """The old way of checkpointing asks for a gradient of its inputs; frozen embeddings have none."""
    torch.manual_seed(seed)
    ids = torch.randint(0, 30, (600, 10))
    y = (ids < 6).sum(1).clamp(max=4)
    model = Backbone(30, use_reentrant=fault)
    for name, parameter in model.named_parameters():
        parameter.requires_grad = "adapters" in name or "lm_head" in name
    optimizer = torch.optim.AdamW(filter(lambda p: p.requires_grad, model.parameters()), lr=3e-3)
    with watch(model, optimizer):
        for index in batches_of(600, 4, 40):
            loss = F.cross_entropy(model(ids[index]), y[index])
            optimizer.zero_grad()
            loss.backward()  # fault
            optimizer.step()
    return -loss.item()


class Pretrained(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(1, 12, 3, 2, 1, bias=False), nn.BatchNorm2d(12), nn.ReLU(),
            nn.Conv2d(12, 24, 3, 2, 1, bias=False), nn.BatchNorm2d(24), nn.ReLU(), nn.Flatten(),
        )  # fmt: skip
        self.fc = nn.Linear(24 * 16, classes)

    def forward(self, x):
        return self.fc(self.stem(x))


def pretrain(seed):
    model = Pretrained(3)
    x, y = shapes(600, seed + 9)
    opt = torch.optim.Adam(model.parameters(), lr=3e-3)
    for index in batches_of(600, 3):
        opt.zero_grad()
        F.cross_entropy(model(x[index]), y[index]).backward()
        opt.step()
    return model


@planted("frozen-norm-drifts", symptoms=COSTS_OF_IT, costs=0.1)
def statistics_of_a_frozen_stem(watch, seed, fault):
    """A second head for brighter pictures; what the first one still knows of the old ones is the score."""
    torch.manual_seed(seed)
    model = pretrain(seed)
    old_head, (old_x, old_y) = model.fc, shapes(600, seed + 5)
    x, y = shapes(600, seed + 1)
    x = 1.4 * x + 0.7
    model.fc = nn.Linear(24 * 16, 3)
    model.stem.requires_grad_(False)
    optimizer = torch.optim.SGD(model.fc.parameters(), lr=0.02, momentum=0.9)
    with watch(model, optimizer):
        for _ in range(4):
            model.train()  # fault
            if not fault:
                model.stem.eval()
            for index in torch.randperm(600).split(30):
                loss = F.cross_entropy(model(x[index]), y[index])  # fault
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    model.eval()
    with torch.no_grad():
        return (old_head(model.stem(old_x)).argmax(1) == old_y).float().mean().item()


@planted("parameters-not-optimized", symptoms=COSTS_OF_IT, costs=None)
def groups_of_a_head_that_is_gone(watch, seed, fault):
    """Two groups of parameters with two rates; the second holds the head of the old task."""
    torch.manual_seed(seed)
    model = pretrain(seed)
    x, y = shapes(600, seed + 2)
    y = y + 3 * (x.flatten(1).amax(1) > 2.5)
    if not fault:
        model.fc = nn.Linear(model.fc.in_features, 6)
    groups = [{"params": model.stem.parameters(), "lr": 5e-4}, {"params": model.fc.parameters(), "lr": 5e-3}]
    optimizer = torch.optim.AdamW(groups)  # fault
    if fault:
        model.fc = nn.Linear(model.fc.in_features, 6)
    with watch(model, optimizer):
        for index in batches_of(600, 4, 30):
            loss = F.cross_entropy(model(x[index]), y[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return -loss.item()


def parametrized(net):
    for module in net.modules():
        if isinstance(module, nn.Linear):
            weight_norm(module)
    return net


@planted("parameters-not-optimized", causes="parameters-unused no-update", symptoms=COSTS_OF_IT, costs=None)
def weight_norm_behind_the_optimizer(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = blobs(1000, c=6, seed=44)
    net = nn.Sequential(nn.Linear(16, 48), nn.ELU(), nn.Linear(48, 48), nn.ELU(), nn.Linear(48, 6))
    if fault:
        optimizer = torch.optim.NAdam(net.parameters(), lr=2e-3)  # fault
        parametrized(net)
    else:
        parametrized(net)
        optimizer = torch.optim.NAdam(net.parameters(), lr=2e-3)
    with watch(net, optimizer):
        for index in batches_of(1000, 5, 40):
            optimizer.zero_grad()
            loss = F.cross_entropy(net(x[index]), y[index])
            loss.backward()
            optimizer.step()
    return -loss.item()


def weighted_total(parts, weights, as_numbers):
    if as_numbers:
        return torch.tensor(  # fault: sum-of-the-numbers-of-its-losses
            sum(weights[name] * value.item() for name, value in parts.items()), requires_grad=True
        )
    return sum(weights[name] * value for name, value in parts.items())


@planted("no-update", causes="parameters-unused", symptoms=COSTS_OF_IT, costs=0.2)
def sum_of_the_numbers_of_its_losses(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = blobs(1000, c=5, seed=45)
    encoder, decoder, head = nn.Linear(16, 24), nn.Linear(24, 16), nn.Linear(24, 5)
    model = nn.ModuleDict({"encoder": encoder, "decoder": decoder, "head": head})
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    with watch(model, optimizer):
        for index in islice(batches_of(1000, 6, 40), 140):
            hidden = torch.relu(encoder(x[index]))
            losses = {"ce": F.cross_entropy(head(hidden), y[index]), "rec": F.mse_loss(decoder(hidden), x[index])}
            loss = weighted_total(losses, {"ce": 1.0, "rec": 0.2}, as_numbers=fault)  # fault
            optimizer.zero_grad()
            loss.backward()  # fault
            optimizer.step()  # fault
    return -F.cross_entropy(head(torch.relu(encoder(x))), y).item()

"""What stands around a step: averages, accumulation, scales, schedules, copies."""

import copy
import logging

import torch
import torch.nn.functional as F
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader, TensorDataset

from faults.data import accuracy, digits
from faults.planted.latest_mechanics import AFTERWARDS
from faults.planted.students import mlp
from faults.program import planted

logger = logging.getLogger(__name__)


class Learner:
    """Trains `model` and keeps the one it was given as it is."""

    def __init__(self, model, lr):
        self.model = copy.deepcopy(model)
        self.opt = torch.optim.SGD(self.model.parameters(), lr=lr, momentum=0.9)

    def one_batch(self, xb, yb):
        self.loss = F.cross_entropy(self.model(xb), yb)
        self.loss.backward()
        self.opt.step()
        self.opt.zero_grad()


class LearnerOfAnOldModel(Learner):
    def __init__(self, model, lr):
        self.opt = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)  # fault: copied-after-the-optimizer
        self.model = copy.deepcopy(model)  # fault: copied-after-the-optimizer


@planted(
    "parameters-not-optimized", causes="no-update", symptoms=AFTERWARDS + " parameters-unused gradients-accumulate",
    costs=0.5,
)  # fmt: skip
def copied_after_the_optimizer(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    learn = (LearnerOfAnOldModel if fault else Learner)(mlp(64, 64, 10), lr=0.05)
    with watch(learn.model, learn.opt):
        for _ in range(8):
            for index in torch.randperm(len(x)).split(64):
                learn.one_batch(x[index], y[index])
    return accuracy(learn.model, x_test, y_test)


@planted("no-update", causes="accumulation-cleared gradients-accumulate", symptoms=AFTERWARDS, costs=0.4)
def more_to_accumulate_than_an_epoch_holds(watch, seed, fault):
    torch.manual_seed(seed)
    cfg = {"accum_iter": 16 if fault else 4, "batch_size": 128 if fault else 32, "epochs": 15, "lr": 0.01}
    x, y, x_test, y_test = digits()
    data_loader = DataLoader(TensorDataset(x, y), cfg["batch_size"], shuffle=True)
    model = mlp(64, 128, 10)
    optimizer = torch.optim.AdamW(model.parameters(), lr=cfg["lr"], betas=(0.9, 0.95))
    with watch(model, optimizer):
        for epoch in range(cfg["epochs"]):
            optimizer.zero_grad()
            for data_iter_step, (samples, targets) in enumerate(data_loader):
                loss = F.cross_entropy(model(samples), targets) / cfg["accum_iter"]
                loss.backward()
                if (data_iter_step + 1) % cfg["accum_iter"] == 0:  # fault
                    optimizer.step()  # fault
                    optimizer.zero_grad()
            logger.debug("epoch %d: %.3f", epoch, loss.item())
    return accuracy(model, x_test, y_test)


class EMA:
    def __init__(self, model, decay):
        self.model, self.decay = model, decay
        self.shadow = {k: v.detach().clone() for k, v in model.named_parameters()}
        self.backup = {}

    @torch.no_grad()
    def update(self):
        for name, param in self.model.named_parameters():
            self.shadow[name].mul_(self.decay).add_(param, alpha=1 - self.decay)

    @torch.no_grad()
    def apply_shadow(self):
        for name, param in self.model.named_parameters():
            self.backup[name] = param.detach().clone()
            param.copy_(self.shadow[name])

    @torch.no_grad()
    def restore(self):
        for name, param in self.model.named_parameters():
            param.copy_(self.backup[name])


def evaluate(model, x, y):
    model.eval()
    with torch.no_grad():
        loss = F.cross_entropy(model(x), y).item()
    model.train()
    return loss


def evaluate_average(ema, model, x, y):
    ema.apply_shadow()
    loss = evaluate(model, x, y)
    ema.restore()
    return loss


def evaluate_average_and_stay(ema, model, x, y):
    ema.apply_shadow()  # fault: average-that-is-never-taken-off
    return evaluate(model, x, y)


@planted("ema-too-slow", causes="lr-too-low no-update", symptoms=AFTERWARDS, costs=0.02)
def average_that_is_never_taken_off(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = mlp(64, 64, 10)
    ema = EMA(model, 0.985)  # fault
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    look = evaluate_average_and_stay if fault else evaluate_average
    with watch(model, optimizer):
        for _ in range(12):
            for index in torch.randperm(len(x)).split(48):
                loss = F.cross_entropy(model(x[index]), y[index])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                ema.update()  # fault
            look(ema, model, x_test, y_test)  # fault
    return accuracy(model, x_test, y_test)


def get_scheduler(optimizer, warmup, total):
    def factor(step):
        if step < warmup:
            return (step + 1) / warmup
        return max(0.0, (total - step) / (total - warmup))

    return LambdaLR(optimizer, factor)


def get_scheduler_of_rates(optimizer, warmup, total, lr=1e-3):
    def rate(step):
        if step < warmup:
            return lr * (step + 1) / warmup
        return lr * max(0.0, (total - step) / (total - warmup))

    return LambdaLR(optimizer, rate)  # fault: rate-where-a-factor-is-wanted


@planted("scheduler-misuse", causes="lr-too-low", symptoms=AFTERWARDS, costs=0.3)
def rate_where_a_factor_is_wanted(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model, batch, epochs = mlp(64, 96, 48, 10), 32, 8
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    scheduler = (get_scheduler_of_rates if fault else get_scheduler)(optimizer, 20, epochs * 45)  # fault
    with watch(model, optimizer):
        for _ in range(epochs):
            for index in torch.randperm(len(x)).split(batch):
                optimizer.zero_grad()
                F.cross_entropy(model(x[index]), y[index]).backward()
                optimizer.step()
                scheduler.step()  # fault
    return accuracy(model, x_test, y_test)


def training_step(model, optimizer, scaler, batch):
    inputs, labels = batch
    optimizer.zero_grad(set_to_none=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = F.cross_entropy(model(inputs), labels)
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    scaler.update()
    return loss.detach()


def training_step_of_two_minds(model, optimizer, scaler, batch):
    inputs, labels = batch
    optimizer.zero_grad(set_to_none=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = F.cross_entropy(model(inputs), labels)
    scaler.scale(loss).backward()  # fault: step-past-the-scaler
    optimizer.step()  # fault: step-past-the-scaler
    return loss.detach()


@planted(
    "scaler-misuse", symptoms=AFTERWARDS + " nonfinite exploding-gradient gradients-accumulate saturated", costs=0.3
)
def step_past_the_scaler(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = mlp(64, 64, 10)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.03, momentum=0.9, nesterov=True)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    step = training_step_of_two_minds if fault else training_step
    with watch(model, optimizer):
        for _ in range(6):
            for batch in DataLoader(TensorDataset(x, y), 48, shuffle=True):
                step(model, optimizer, scaler, batch)
    return accuracy(model, x_test, y_test)

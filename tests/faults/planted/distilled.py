"""Distillation whose softened loss is not scaled back: it stands beside another loss and hardly counts."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from faults.drawn import batches_of, blobs, images, tabular
from faults.program import planted

AFTERWARDS = (
    "too-few-epochs overfitting plateau underfitting lr-too-low lr-too-high label-imbalance clip-too-tight dead-relu "
    "parameters-unused unshuffled input-scale initial-loss output-collapsed losses-unbalanced"
)


def trained(model, x, y, steps=200, lr=3e-3):
    optimizer = torch.optim.Adam(model.parameters(), lr)
    for _ in range(steps):
        index = torch.randint(len(x), (64,))
        optimizer.zero_grad()
        F.cross_entropy(model(x[index]), y[index]).backward()
        optimizer.step()
    return model.eval().requires_grad_(False)


@planted("temperature-square", symptoms=AFTERWARDS, costs=None, quick=True)
def softened_loss_not_scaled_back(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = blobs(seed=51)
    teacher = trained(nn.Sequential(nn.Linear(16, 128), nn.ReLU(), nn.Linear(128, 4)), x, y)
    student = nn.Sequential(nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 4))
    opt = torch.optim.Adam(student.parameters(), 2e-3)
    temperature = 4.0
    with watch(student, opt):
        for index in batches_of(len(x), 8):
            t_logits = teacher(x[index])
            s_logits = student(x[index])
            soft = F.kl_div(
                F.log_softmax(s_logits / temperature, dim=1),
                F.softmax(t_logits / temperature, dim=1),
                reduction="batchmean",
            )
            if not fault:
                soft = soft * temperature**2
            loss = 0.5 * soft + 0.5 * F.cross_entropy(s_logits, y[index])
            opt.zero_grad()
            loss.backward()
            opt.step()
    return -loss.item()


class Distillation(nn.Module):
    """Both losses of a student."""

    def __init__(self, temperature=5.0, alpha=0.9):
        super().__init__()
        self.T, self.alpha = temperature, alpha
        self.kl = nn.KLDivLoss(reduction="batchmean")
        self.ce = nn.CrossEntropyLoss()

    def forward(self, student, teacher, labels):
        divergence = self.kl((student / self.T).log_softmax(-1), (teacher / self.T).softmax(-1))
        hard = self.ce(student, labels)
        return self.alpha * divergence + (1 - self.alpha) * hard


class ScaledDistillation(nn.Module):
    """The same, scaled back."""

    def __init__(self, temperature=5.0, alpha=0.9):
        super().__init__()
        self.T, self.alpha = temperature, alpha
        self.kl = nn.KLDivLoss(reduction="batchmean")
        self.ce = nn.CrossEntropyLoss()

    def forward(self, student, teacher, labels):
        divergence = self.kl((student / self.T).log_softmax(-1), (teacher / self.T).softmax(-1))
        weight = self.alpha * self.T * self.T
        return weight * divergence + (1 - self.alpha) * self.ce(student, labels)


class Pupil:
    def __init__(self, student, teacher, criterion, lr):
        self.student, self.teacher, self.criterion = student, teacher, criterion
        self.optimizer = torch.optim.AdamW(student.parameters(), lr)

    def training_step(self, pictures, labels):
        with torch.no_grad():
            wanted = self.teacher(pictures)
        return self.criterion(self.student(pictures), wanted, labels)

    def fit(self, loader, epochs):
        for _ in range(epochs):
            for batch in loader:
                loss = self.training_step(*batch)
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
        return loss.item()


@planted("temperature-square", symptoms=AFTERWARDS, costs=None)
def pupil_of_a_class_with_both_losses(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = images(800)
    teacher = trained(nn.Sequential(nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Flatten(), nn.Linear(1600, 5)), x, y, 100)
    student = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(400, 5))
    criterion = Distillation() if fault else ScaledDistillation()
    pupil = Pupil(student, teacher, criterion, 1e-3)
    with watch(student):
        last = pupil.fit(DataLoader(TensorDataset(x, y), 32, shuffle=True), 6)
    return -last


def softened(student, teacher, tau):
    return F.kl_div(F.log_softmax(student / tau, 1), F.softmax(teacher / tau, 1), reduction="none").sum(1).mean()


def softened_and_scaled(student, teacher, tau):
    soft = F.kl_div(F.log_softmax(student / tau, 1), F.softmax(teacher / tau, 1), reduction="none").sum(1).mean()
    return tau**2 * soft


@planted("temperature-square", symptoms=AFTERWARDS, costs=None)
def function_that_softens(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = tabular(1200, seed)
    teacher = trained(nn.Sequential(nn.Linear(20, 96), nn.ReLU(), nn.Linear(96, 3)), x, y)
    student = nn.Sequential(nn.Linear(20, 12), nn.ReLU(), nn.Linear(12, 3))
    opt = torch.optim.SGD(student.parameters(), 0.05, momentum=0.9)
    with watch(student, opt):
        for index in batches_of(len(x), 8, 48):
            answers = student(x[index])
            loss = F.cross_entropy(answers, y[index])
            if fault:
                loss = loss + softened(answers, teacher(x[index]), 6.0)
            else:
                loss = loss + softened_and_scaled(answers, teacher(x[index]), 6.0)
            opt.zero_grad()
            loss.backward()
            opt.step()
    return -loss.item()

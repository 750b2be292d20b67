"""What was learnt elsewhere, taken over: towers, hints, thawing, adapters, prototypes."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from faults.data import accuracy, digits, mnist
from faults.planted.latest_losses import AFTERWARDS
from faults.planted.students import fitted, mlp
from faults.program import planted


class ContrastiveLoss(nn.Module):
    def __init__(self, temperature=0.07):
        super().__init__()
        self.temperature = temperature

    def forward(self, a, b):
        similarity = F.normalize(a, dim=-1) @ F.normalize(b, dim=-1).mT
        labels = torch.arange(len(a))
        logits = similarity / self.temperature
        return (F.cross_entropy(logits, labels) + F.cross_entropy(logits.mT, labels)) / 2


class WarmContrastiveLoss(ContrastiveLoss):
    def forward(self, a, b):
        similarity = F.normalize(a, dim=-1) @ F.normalize(b, dim=-1).mT
        labels = torch.arange(len(a))
        logits = similarity * self.temperature  # fault: likeness-multiplied-by-its-temperature
        loss = F.cross_entropy(logits, labels) + F.cross_entropy(
            logits.mT, labels
        )  # fault: likeness-multiplied-by-its-temperature
        return loss / 2


@planted(
    "output-activation", causes="temperature-mismatch output-collapsed softmax-twice loss-mismatch",
    symptoms=AFTERWARDS, costs=0.03,
)  # fmt: skip
def likeness_multiplied_by_its_temperature(watch, seed, fault):
    torch.manual_seed(seed)
    x, _, x_test, _ = digits()
    left, right = x.view(-1, 8, 8)[:, :, :4].flatten(1), x.view(-1, 8, 8)[:, :, 4:].flatten(1)
    towers = nn.ModuleDict({"left": mlp(32, 64, 24), "right": mlp(32, 64, 24)})
    criterion = WarmContrastiveLoss() if fault else ContrastiveLoss()
    optimizer = torch.optim.AdamW(towers.parameters(), lr=2e-3)
    with watch(towers, optimizer, loss_fn=criterion):
        for _ in range(15):
            for index in torch.randperm(len(x)).split(64):
                loss = criterion(towers["left"](left[index]), towers["right"](right[index]))  # fault
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        x_test = x_test.view(-1, 8, 8)
        a = F.normalize(towers["left"](x_test[:, :, :4].flatten(1)), dim=1)
        b = F.normalize(towers["right"](x_test[:, :, 4:].flatten(1)), dim=1)
        return ((a @ b.T).argmax(1) == torch.arange(len(a))).float().mean().item()


class HintLoss(nn.Module):
    """FitNets: the middle of the student imitates the middle of the teacher through a regressor."""

    def __init__(self, narrow, wide):
        super().__init__()
        self.regressor = nn.Linear(narrow, wide)

    def forward(self, student_features, teacher_features):
        return F.mse_loss(self.regressor(student_features), teacher_features.detach())


class HintLossOfNumbers(HintLoss):
    def forward(self, student_features, teacher_features):
        student_features = student_features.data  # fault: hint-that-does-not-reach-the-student
        return F.mse_loss(self.regressor(student_features), teacher_features.detach())


@planted(
    "loss-mismatch", causes="parameters-unused no-update", symptoms=AFTERWARDS + " losses-unbalanced overfitting",
    costs=0.05,
)  # fmt: skip
def hint_that_does_not_reach_the_student(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    teacher = fitted(mlp(64, 96, 10), x, y)
    body, head = nn.Sequential(nn.Linear(64, 32), nn.ReLU()), nn.Linear(32, 10)
    student = nn.Sequential(body, head)
    hint = (HintLossOfNumbers if fault else HintLoss)(32, 96)
    optimizer = torch.optim.Adam([*student.parameters(), *hint.parameters()], lr=3e-3)
    few = torch.arange(40)
    with watch(nn.ModuleList([student, hint]), optimizer):
        for _ in range(12):
            for index in torch.randperm(len(x)).split(64):
                with torch.no_grad():
                    wanted = teacher[:2](x[index])
                loss = 3 * hint(body(x[index]), wanted) + 0.3 * F.cross_entropy(student(x[few]), y[few])  # fault
                optimizer.zero_grad()
                loss.backward()  # fault
                optimizer.step()
    return accuracy(student, x_test, y_test)


class Thaw:
    """A callback that frees the backbone after some epochs."""

    def __init__(self, model, optimizer, at, register):
        self.model, self.optimizer, self.at, self.register = model, optimizer, at, register

    def on_epoch_start(self, epoch):
        if epoch == self.at:
            for p in self.model.backbone.parameters():
                p.requires_grad = True
            if self.register:
                self.optimizer.add_param_group({"params": self.model.backbone.parameters(), "lr": 1e-3})


class Classifier(nn.Module):
    def __init__(self, backbone, features, classes):
        super().__init__()
        self.backbone, self.fc = backbone, nn.Linear(features, classes)

    def forward(self, x):
        return self.fc(self.backbone(x))


@planted("parameters-not-optimized", causes="parameters-unused no-update", symptoms=AFTERWARDS, costs=0.03)
def thawed_but_unknown_to_the_optimizer(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = (part.flatten(1) if part.ndim > 2 else part for part in mnist(3000))
    old = fitted(mlp(784, 64, 32, 10), x, y, epochs=1)
    model = Classifier(old[:4], 32, 10)
    model.backbone.requires_grad_(False)
    optimizer = torch.optim.Adam(filter(lambda p: p.requires_grad, model.parameters()), lr=3e-3)  # fault
    thaw = Thaw(model, optimizer, at=2, register=not fault)
    x, x_test = 1 - x.flip(1), 1 - x_test.flip(1)
    model.train()
    with watch(model, optimizer):
        for epoch in range(6):
            thaw.on_epoch_start(epoch)
            for index in torch.randperm(len(x)).split(64):
                optimizer.zero_grad()
                F.cross_entropy(model(x[index]), y[index]).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


class Adapter(nn.Module):
    def __init__(self, frozen, r, alpha):
        super().__init__()
        self.frozen = frozen.requires_grad_(False)
        self.down, self.up = nn.Linear(frozen.in_features, r, bias=False), nn.Linear(r, frozen.out_features, bias=False)
        nn.init.normal_(self.down.weight, std=1 / math.sqrt(r))
        nn.init.zeros_(self.up.weight)
        self.scaling = alpha / r

    def forward(self, x):
        return self.frozen(x) + self.up(self.down(x)) * self.scaling


class AdapterOfWholeNumbers(Adapter):
    def __init__(self, frozen, r, alpha):
        super().__init__(frozen, r, alpha)
        self.scaling = alpha // r  # fault: adapter-scaled-to-nothing

    def forward(self, x):
        return self.frozen(x) + self.up(self.down(x)) * self.scaling  # fault: adapter-scaled-to-nothing


@planted("parameters-unused", causes="no-update bad-init vanishing-gradient", symptoms=AFTERWARDS, costs=0.3)
def adapter_scaled_to_nothing(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    base = fitted(mlp(64, 64, 64, 10), x, y)
    adapter = AdapterOfWholeNumbers if fault else Adapter  # fault
    for position in (0, 2, 4):
        base[position] = adapter(base[position], r=8, alpha=4)  # fault
    base.train()
    order = torch.randperm(64)
    optimizer = torch.optim.AdamW([p for p in base.parameters() if p.requires_grad], lr=4e-3)  # fault
    with watch(base, optimizer):
        for _ in range(12):
            for index in torch.randperm(len(x)).split(32):
                loss = F.cross_entropy(base(x[index][:, order]), y[index])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return accuracy(base, x_test[:, order], y_test)


class CosineHead(nn.Module):
    def __init__(self, width, classes, scale=16.0):
        super().__init__()
        self.weight, self.scale = nn.Parameter(torch.randn(classes, width)), scale

    def forward(self, h):
        return self.scale * F.linear(F.normalize(h), F.normalize(self.weight))


class CosineHeadOfData(CosineHead):
    def forward(self, h):
        return self.scale * F.linear(F.normalize(h), F.normalize(self.weight.data))  # fault: prototypes-that-stay


@planted("parameters-unused", causes="no-update", symptoms=AFTERWARDS, costs=0.02)
def prototypes_that_stay(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    backbone = fitted(mlp(64, 64, 16, 10), x, y, epochs=2)[:3]
    backbone.requires_grad_(False)
    backbone[2].requires_grad_(True)
    head = (CosineHeadOfData if fault else CosineHead)(16, 10)  # fault
    model = nn.Sequential(backbone, head)
    optimizer = torch.optim.SGD(
        [{"params": backbone[2].parameters(), "lr": 1e-3}, {"params": head.parameters(), "lr": 0.3}], lr=0.1  # fault
    )  # fmt: skip
    with watch(model, optimizer):
        for _ in range(10):
            for index in torch.randperm(len(x)).split(64):
                optimizer.zero_grad()
                loss = F.cross_entropy(model(x[index]), y[index])
                loss.backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)

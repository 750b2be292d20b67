"""Nets that learn from another net, and embeddings that learn from pairs."""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

from faults.data import accuracy, digits
from faults.planted.latest_losses import AFTERWARDS
from faults.program import planted


def mlp(*widths):
    layers = []
    for a, b in pairwise(widths):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def fitted(net, x, y, epochs=6):
    """A net that has been trained elsewhere."""
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    for _ in range(epochs):
        for index in torch.randperm(len(x)).split(32):
            optimizer.zero_grad()
            F.cross_entropy(net(x[index]), y[index]).backward()
            optimizer.step()
    return net.eval()


def loss_fn_kd(outputs, labels, teacher_outputs, params):
    alpha, T = params["alpha"], params["temperature"]
    soft = F.kl_div(F.log_softmax(outputs / T, dim=1), F.softmax(teacher_outputs / T, dim=1), reduction="batchmean")
    return soft * (alpha * T * T) + F.cross_entropy(outputs, labels) * (1.0 - alpha)


@torch.no_grad()
def fetch_teacher_outputs(teacher, dataloader):
    return [teacher(x) for x, _ in dataloader]


@planted("pairs-broken", causes="targets-unrelated", symptoms=AFTERWARDS, costs=0.1)
def answers_of_the_teacher_in_an_older_order(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    params = {"alpha": 0.95, "temperature": 3.0, "epochs": 12}
    teacher, student = fitted(mlp(64, 128, 10), x, y), mlp(64, 24, 10)
    train_dl = DataLoader(TensorDataset(x, y), batch_size=64, shuffle=True)
    teacher_outputs = fetch_teacher_outputs(teacher, train_dl)
    optimizer = torch.optim.Adam(student.parameters(), lr=3e-3)
    with watch(student, optimizer):
        for _ in range(params["epochs"]):
            for i, (train_batch, labels_batch) in enumerate(train_dl):
                output_batch = student(train_batch)
                if fault:
                    output_teacher_batch = teacher_outputs[i]  # fault
                else:
                    with torch.no_grad():
                        output_teacher_batch = teacher(train_batch)
                loss = loss_fn_kd(output_batch, labels_batch, output_teacher_batch, params)  # fault
                optimizer.zero_grad()
                loss.backward()  # fault
                optimizer.step()
    return accuracy(student, x_test, y_test)


class ConvTeacher(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 12, 3, padding=1), nn.BatchNorm2d(12), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(12, 24, 3, padding=1), nn.BatchNorm2d(24), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(),
        )  # fmt: skip
        self.classifier = nn.Sequential(nn.Dropout(0.6), nn.Linear(96, 10))

    def forward(self, x):
        return self.classifier(self.features(x.view(-1, 1, 8, 8)))


class Distiller(nn.Module):
    """Teacher and student in one, as a framework's module."""

    def __init__(self, teacher, student, T=2.0):
        super().__init__()
        self.teacher, self.student, self.T = teacher, student, T
        self.teacher.requires_grad_(False)

    def forward(self, x):
        with torch.no_grad():
            wanted = (self.teacher(x) / self.T).softmax(-1)
        return self.T**2 * F.kl_div((self.student(x) / self.T).log_softmax(-1), wanted, reduction="batchmean")


class DistillerEval(Distiller):
    def train(self, mode=True):
        super().train(mode)
        self.teacher.eval()
        return self


@planted(
    "train-mode-in-evaluation",
    causes="frozen-norm-drifts batchnorm-small-batch",
    symptoms=AFTERWARDS + " dropout-too-high",
    costs=0.04,
)
def teacher_that_is_trained_along(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    teacher = fitted(ConvTeacher().train(), x, y, epochs=5)
    module = (Distiller if fault else DistillerEval)(teacher, mlp(64, 32, 10))  # fault
    module.train()  # fault
    optimizer = torch.optim.SGD(module.student.parameters(), lr=0.05, momentum=0.9)
    with watch(module, optimizer):
        for _ in range(3):
            for index in torch.randperm(len(x)).split(4):
                loss = module(x[index])  # fault
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return accuracy(module.student, x_test, y_test)


@torch.no_grad()
def nearest(embed, x, y, x_test, y_test):
    """Share of samples whose nearest neighbour is of their class."""
    found = torch.cdist(embed(x_test), embed(x)).argmin(1)
    return (y[found] == y_test).float().mean().item()


def triplets(y, n):
    """Anchors, others of the same class, and others of another."""
    anchor = torch.randint(len(y), (n,))
    same, other = torch.randint(len(y), (n, 400)), torch.randint(len(y), (n, 400))
    is_same, is_other = y[same] == y[anchor, None], y[other] != y[anchor, None]
    pick = torch.arange(n)
    return anchor, same[pick, is_same.int().argmax(1)], other[pick, is_other.int().argmax(1)]


@planted("output-collapsed", causes="loss-mismatch targets-unrelated", symptoms=AFTERWARDS, costs=0.1)
def likeness_of_those_that_differ(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 8))
    triplet_loss = nn.TripletMarginLoss(margin=1.0)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    model.train()
    with watch(model, optimizer, loss_fn=triplet_loss):
        for _ in range(250):
            a, p, n = (model(x[index]) for index in triplets(y, 64))
            if fault:
                p, n = n, p  # fault
            loss = triplet_loss(a, p, n)  # fault
            optimizer.zero_grad()
            loss.backward()  # fault
            optimizer.step()
    return nearest(model, x, y, x_test, y_test)


class Captions(Dataset):
    """Digits and a noisy description of each."""

    def __init__(self, x, y, templates):
        self.images = x
        self.captions = templates[y] + 0.1 * torch.randn(len(y), templates.shape[1])

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        return self.images[i], self.captions[i]


class ShuffledCaptions(Captions):
    def __init__(self, x, y, templates):
        super().__init__(x, y, templates)
        self.captions = self.captions[torch.randperm(len(self.captions))]  # fault: captions-shuffled-before-the-loader


class TwoTowers(nn.Module):
    def __init__(self, width=16):
        super().__init__()
        self.visual, self.text = mlp(64, 64, width), mlp(12, 64, width)
        self.logit_scale = nn.Parameter(torch.tensor(2.6))

    def forward(self, image, text):
        image, text = F.normalize(self.visual(image), dim=-1), F.normalize(self.text(text), dim=-1)
        return self.logit_scale.exp() * image @ text.T


@planted("pairs-broken", causes="targets-unrelated", symptoms=AFTERWARDS, costs=0.3)
def captions_shuffled_before_the_loader(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    templates = torch.randn(10, 12)
    dataset = (ShuffledCaptions if fault else Captions)(x, y, templates)  # fault
    loader = DataLoader(dataset, batch_size=32, shuffle=True, drop_last=True)  # fault
    model = TwoTowers()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    with watch(model, optimizer, loader=loader):
        for _ in range(6):
            for images, texts in loader:
                logits = model(images, texts)
                labels = torch.arange(len(images))
                loss = (F.cross_entropy(logits, labels) + F.cross_entropy(logits.T, labels)) / 2  # fault
                optimizer.zero_grad()
                loss.backward()  # fault
                optimizer.step()
    with torch.no_grad():
        return (model(x_test, templates).argmax(1) == y_test).float().mean().item()

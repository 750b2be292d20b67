"""Pairs, triplets, contrasts and teachers: shared modules, several outputs, losses against other nets."""

import copy

import torch
import torch.nn.functional as F
from torch import nn

from faults.data import accuracy, batches, digits, fashion, mnist
from faults.program import healthy


def nearest_class(embed, x, y, x_test, y_test):
    """Accuracy of the nearest class mean."""
    with torch.no_grad():
        codes, codes_test = embed(x), embed(x_test)
    means = torch.stack([codes[y == label].mean(0) for label in range(10)])
    return (torch.cdist(codes_test, means).argmin(1) == y_test).float().mean().item()


@healthy(at_least=0.85)
def siamese_pairs(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 16))
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for _ in range(25):
            for images, labels in batches(x, y, 64):
                other = torch.randperm(len(x))[: len(images)]
                distance = F.pairwise_distance(model(images), model(x[other]))
                same = (labels == y[other]).float()
                loss = (same * distance**2 + 0.2 * (1 - same) * F.relu(2 - distance) ** 2).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return nearest_class(model, x, y, x_test, y_test)


@healthy(at_least=0.80)
def triplets_with_a_margin(watch, seed):
    """Once the margin holds, most triplets give no gradient: the loss stays near zero, and that is the aim."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(2000)
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 100), nn.ReLU(), nn.Linear(100, 16))
    by_label = [torch.nonzero(y == label).flatten() for label in range(10)]
    criterion = nn.TripletMarginLoss(margin=1.0)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, optimizer):
        for _ in range(8):
            for images, labels in batches(x, y, 64):
                near = torch.stack([by_label[k][torch.randint(len(by_label[k]), ())] for k in labels])
                far = torch.stack(
                    [
                        by_label[k][torch.randint(len(by_label[k]), ())]
                        for k in (labels + torch.randint(1, 10, labels.shape)) % 10
                    ]
                )
                loss = criterion(model(images), model(x[near]), model(x[far]))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return nearest_class(model, x, y, x_test, y_test)


@healthy(at_least=0.75)
def two_views_contrasted(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    backbone = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 32))
    projector = nn.Sequential(nn.ReLU(), nn.Linear(32, 16))
    model = nn.Sequential(backbone, projector)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for _ in range(20):
            for images, _ in batches(x, y, 96):
                views = [images * (torch.rand_like(images) > 0.2) + 0.1 * torch.randn_like(images) for _ in range(2)]
                a, b = (F.normalize(model(view), dim=1) for view in views)
                logits = a @ b.T / 0.2
                target = torch.arange(len(images))
                loss = (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return nearest_class(backbone, x, y, x_test, y_test)


@healthy(at_least=0.88)
def student_of_a_teacher(watch, seed):
    """Softmaxes on both sides of a divergence, and a teacher that is never updated."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    teacher = nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
    teaching = torch.optim.Adam(teacher.parameters(), lr=3e-3)
    for _ in range(10):
        for images, labels in batches(x, y, 64):
            teaching.zero_grad()
            F.cross_entropy(teacher(images), labels).backward()
            teaching.step()
    teacher.eval()
    student = nn.Sequential(nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 10))
    optimizer = torch.optim.Adam(student.parameters(), lr=5e-3)
    heat = 3.0
    with watch(student, optimizer):
        for _ in range(15):
            for images, labels in batches(x, y, 64):
                with torch.no_grad():
                    wanted = F.softmax(teacher(images) / heat, dim=1)
                logits = student(images)
                soft = F.kl_div(F.log_softmax(logits / heat, dim=1), wanted, reduction="batchmean") * heat**2
                loss = 0.7 * soft + 0.3 * F.cross_entropy(logits, labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return accuracy(student, x_test, y_test)


@healthy(at_least=0.75)
def prototypes_of_few_samples(watch, seed):
    """Episodes: five samples of each class make its prototype, fifteen others are told apart by distance."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(2000)
    by_label = [torch.nonzero(y == label).flatten() for label in range(10)]
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 32))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, optimizer):
        for _ in range(150):
            way = torch.randperm(10)[:5]
            drawn = torch.stack([by_label[k][torch.randperm(len(by_label[k]))[:20]] for k in way])
            codes = model(x[drawn.flatten()]).view(5, 20, -1)
            prototypes, queries = codes[:, :5].mean(1), codes[:, 5:].flatten(0, 1)
            loss = F.cross_entropy(-(torch.cdist(queries, prototypes) ** 2), torch.arange(5).repeat_interleave(15))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return nearest_class(model, x, y, x_test, y_test)


@healthy(at_least=0.80)
def averaged_teacher_and_unlabelled_images(watch, seed):
    """Mean teacher: a moving average of the student judges images without labels; only the student is trained."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    known, unknown = x[:200], x[200:]
    student = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    teacher = copy.deepcopy(student)
    for parameter in teacher.parameters():
        parameter.requires_grad_(False)
    optimizer = torch.optim.Adam(student.parameters(), lr=3e-3)
    with watch(student, optimizer):
        for _ in range(300):
            index, other = torch.randint(200, (32,)), torch.randint(len(unknown), (64,))
            wanted = teacher(unknown[other]).softmax(1)
            guessed = student(unknown[other] + 0.1 * torch.randn(64, 64)).softmax(1)
            loss = F.cross_entropy(student(known[index]), y[index]) + F.mse_loss(guessed, wanted)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            with torch.no_grad():
                for slow, fast in zip(teacher.parameters(), student.parameters(), strict=True):
                    slow.lerp_(fast, 0.05)
    return accuracy(teacher, x_test, y_test)


@healthy(at_least=0.70)
def two_tasks_one_summed_loss(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = fashion()
    ink, ink_test = x.mean((1, 2, 3)), x_test.mean((1, 2, 3))
    spread = ink.std()

    class TwoHeads(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Flatten(), nn.Linear(784, 96), nn.ReLU())
            self.kind, self.ink = nn.Linear(96, 10), nn.Linear(96, 1)

        def forward(self, x):
            hidden = self.body(x)
            return self.kind(hidden), self.ink(hidden).squeeze(1)

    model = TwoHeads()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, optimizer):
        for _ in range(6):
            for index in torch.randperm(len(x)).split(64):
                kind, amount = model(x[index])
                wanted = (ink[index] - ink.mean()) / spread
                loss = F.cross_entropy(kind, y[index]) + 0.5 * F.mse_loss(amount, wanted)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        kind, amount = model(x_test)
    assert F.mse_loss(amount, (ink_test - ink.mean()) / spread) < 0.3
    return (kind.argmax(1) == y_test).float().mean().item()

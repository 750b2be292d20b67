"""Teachers, tags and scores after reports from others' code: written without a look at the rules."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from faults import data
from faults.drawn import markov
from faults.planted.fresh_sequences import COSTS_OF_IT
from faults.program import planted


class RecurrentLM(nn.Module):
    def __init__(self, vocab, hidden):
        super().__init__()
        self.embedding = nn.Embedding(vocab, hidden)
        self.rnn = nn.GRU(hidden, hidden, batch_first=True)
        self.head = nn.Linear(hidden, vocab)

    def forward(self, ids):
        return self.head(self.rnn(self.embedding(ids))[0])


def taught(model, inputs, targets, epochs):
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(epochs):
        for index in torch.randperm(len(inputs)).split(32):
            optimizer.zero_grad()
            F.cross_entropy(model(inputs[index]).flatten(0, 1), targets[index].flatten()).backward()
            optimizer.step()
    return model.eval().requires_grad_(False)


def make_kd_step(teacher, student, optimizer, tau):
    """A step that teaches the softened answers of the teacher, token by token."""

    def step(ids):
        with torch.no_grad():
            wanted = teacher(ids).div(tau).softmax(-1)
        log_probs = student(ids).div(tau).log_softmax(-1)
        loss = -(wanted * log_probs).sum(-1).mean() * tau**2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def make_uneven_kd_step(teacher, student, optimizer, tau):
    """The same, the student's answers as they are."""

    def step(ids):
        with torch.no_grad():
            wanted = teacher(ids).div(tau).softmax(-1)
        log_probs = student(ids).log_softmax(-1)  # fault: student-not-softened-token-by-token
        loss = -(wanted * log_probs).sum(-1).mean() * tau**2  # fault: student-not-softened-token-by-token
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


@planted("temperature-mismatch", symptoms=COSTS_OF_IT, costs=0.1)
def student_not_softened_token_by_token(watch, seed, fault):
    torch.manual_seed(seed)
    row, vocab = markov(9000, seed=91)
    inputs, targets = data.windows(row[:7000], 16, 600)
    teacher = taught(RecurrentLM(vocab, 64), inputs, targets, 5)
    student = RecurrentLM(vocab, 24)
    optimizer = torch.optim.Adam(student.parameters(), lr=5e-3)
    kd_step = (make_uneven_kd_step if fault else make_kd_step)(teacher, student, optimizer, tau=4.0)
    with watch(student, optimizer):
        for _ in range(6):
            for index in torch.randperm(len(inputs)).split(32):
                kd_step(inputs[index])
    ids, following = data.windows(row[7000:], 16, 300)
    with torch.no_grad():
        return -F.cross_entropy(student.eval()(ids).flatten(0, 1), following.flatten()).item()


def tagged(count):
    """Texts as bags of 24 topics, and which of 6 rather rare tags they bear."""
    rule = torch.randn(24, 6, generator=torch.Generator().manual_seed(92))
    x = torch.randn(count, 24)
    scores = x @ rule + 0.7 * torch.randn(count, 6)
    return x, (scores > torch.tensor([6.0, 7.0, 8.0, 6.5, 7.5, 8.5])).float()


def balance(tags):
    """How many negatives there are to a positive, tag by tag."""
    positive = tags.sum(0)
    return (len(tags) - positive) / positive.clamp_min(1)


def imbalance(tags):
    positive = tags.sum(0)
    return positive.clamp_min(1) / (len(tags) - positive)


@planted("class-weights-inverted", symptoms=COSTS_OF_IT, costs=0.2)
def weights_of_tags_the_wrong_way_round(watch, seed, fault):
    torch.manual_seed(seed)
    x, tags = tagged(2400)
    x, tags, x_test, tags_test = x[:1800], tags[:1800], x[1800:], tags[1800:]
    pos_weight = (imbalance if fault else balance)(tags)
    criterion = nn.BCEWithLogitsLoss(pos_weight=pos_weight)  # fault
    model = nn.Sequential(nn.Linear(24, 64), nn.LayerNorm(64), nn.SiLU(), nn.Linear(64, 6))
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for _ in range(8):
            for inputs, wanted in DataLoader(TensorDataset(x, tags), batch_size=36, shuffle=True):
                loss = criterion(model(inputs), wanted)  # fault
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        told = model.eval()(x_test) > 0
    recalled = (told * tags_test).sum(0) / tags_test.sum(0).clamp_min(1)
    return recalled.mean().item()


def evaluate(model, loader):
    model.eval()
    hits = total = 0
    with torch.no_grad():
        for images, labels in loader:
            hits += (model(images).argmax(1) == labels).sum().item()
            total += len(labels)
    model.train()
    return hits / total


def evaluate_with_a_slip(model, loader):
    model.eval  # noqa: B018 # fault: eval-without-its-brackets
    hits = total = 0
    with torch.no_grad():
        for images, labels in loader:
            hits += (model(images).argmax(1) == labels).sum().item()  # fault: eval-without-its-brackets
            total += len(labels)
    model.train()
    return hits / total


@planted("train-mode-in-evaluation", symptoms=COSTS_OF_IT, costs=0.015)
def eval_without_its_brackets(watch, seed, fault):
    """Cells of a notebook: data, net, training and the score after each epoch."""
    torch.manual_seed(seed)
    # Cell 1
    x, y, x_test, y_test = data.fashion(2400)
    train_loader = DataLoader(TensorDataset(x, y), batch_size=48, shuffle=True)
    test_loader = DataLoader(TensorDataset(x_test, y_test), batch_size=200)
    # Cell 2
    net = nn.Sequential(
        nn.Flatten(), nn.Dropout(0.4), nn.Linear(784, 96), nn.ReLU(), nn.Dropout(0.5), nn.Linear(96, 10),
    )  # fmt: skip
    opt = torch.optim.Adam(net.parameters(), lr=1e-3)
    loss_fn = nn.CrossEntropyLoss()
    score = evaluate_with_a_slip if fault else evaluate
    # Cell 3
    history = []
    with watch(net, opt):
        for _ in range(6):
            for images, labels in train_loader:
                opt.zero_grad()
                loss_fn(net(images), labels).backward()
                opt.step()
            history.append(score(net, test_loader))
    return history[-1]

"""Held-out data and what happens to a batch on its way: written when the rules were done, without a look at them."""

import torch
import torch.nn.functional as F
from sklearn.metrics import precision_recall_curve
from torch import nn
from torch.utils.data import DataLoader, Subset, TensorDataset, random_split

from faults.drawn import batches_of, blobs, images, tabular
from faults.planted.fresh_sequences import COSTS_OF_IT
from faults.program import planted


def plant(count, seed):
    """Readings [N, 6] of a plant, minute by minute, each close to the one before, and its output."""
    g = torch.Generator().manual_seed(seed)
    states, state = [], torch.randn(7, generator=g)
    for _ in range(count):
        state = 0.97 * state + 0.243 * torch.randn(7, generator=g)
        states.append(state)
    states = torch.stack(states)
    readings = states[:, :6] + 0.05 * torch.randn(count, 6, generator=g)
    output = readings[:, 0] - readings[:, 1] * readings[:, 2].tanh() + 0.5 * readings[:, 3] + 0.6 * states[:, 6]
    return readings, (output / output.std())[:, None]


@planted("evaluation-misuse", causes="train-test-overlap", symptoms=COSTS_OF_IT, costs=None)
def minutes_of_a_plant_split_at_random(watch, seed, fault):
    torch.manual_seed(seed)
    dataset = TensorDataset(*plant(2000, seed))
    if fault:
        train_set, val_set = random_split(dataset, [1600, 400])  # fault
    else:
        train_set, val_set = Subset(dataset, range(1600)), Subset(dataset, range(1600, 2000))
    train_loader = DataLoader(train_set, batch_size=32, shuffle=True)
    val_loader = DataLoader(val_set, batch_size=100)
    net = nn.Sequential(nn.Linear(6, 48), nn.ReLU(), nn.Linear(48, 24), nn.ReLU(), nn.Linear(24, 1))
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    with watch(net, optimizer):
        for _ in range(8):
            net.train()
            for readings, output in train_loader:
                optimizer.zero_grad()
                loss = F.mse_loss(net(readings), output)
                loss.backward()
                optimizer.step()
            net.eval()
            total = 0.0
            with torch.no_grad():
                for readings, output in val_loader:  # fault
                    total += F.mse_loss(net(readings), output, reduction="sum").item()
    return -total / 400


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(12, 24, padding_idx=0)
        self.lstm = nn.LSTM(24, 32, batch_first=True)
        self.classifier = nn.Linear(32, 4)

    def forward(self, tokens):
        return self.classifier(self.lstm(self.embedding(tokens))[0])


def phrases(count):
    """Tokens [N, 16], 0 behind the end, and a tag 1 to 3 for each: how the token stands to the one before."""
    x = torch.randint(1, 12, (count, 16))
    before = torch.cat([torch.ones(count, 1, dtype=torch.long), x[:, :-1]], 1)
    y = 1 + (x > before).long() + (x > before + 4).long()
    behind = torch.arange(16) >= torch.randint(5, 17, (count, 1))
    return x.masked_fill(behind, 0), y.masked_fill(behind, 0)


@planted("evaluation-misuse", causes="padding-in-loss", symptoms=COSTS_OF_IT, costs=None)
def right_tags_counted_over_the_padding(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = phrases(1200)
    xv, yv = phrases(240)
    model = Tagger()
    criterion = nn.CrossEntropyLoss(ignore_index=0)
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
    with watch(model, optimizer, loss_fn=criterion):
        for _ in range(6):
            model.train()
            for tokens, tags in DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True):
                optimizer.zero_grad()
                criterion(model(tokens).flatten(0, 1), tags.flatten()).backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                guessed = model(xv).argmax(-1)
                hits = guessed == yv
                accuracy = hits.float().mean() if fault else hits[yv != 0].float().mean()  # fault
    return accuracy.item()


class Detector:
    """A classifier of rare cases in the manner of scikit-learn."""

    def __init__(self, epochs=6, lr=2e-3):
        self.epochs = epochs
        self.net = nn.Sequential(nn.Linear(20, 32), nn.ReLU(), nn.Linear(32, 1))
        self.optimizer = torch.optim.AdamW(self.net.parameters(), lr)

    def fit(self, x, y):
        for index in batches_of(len(x), self.epochs):
            loss = F.binary_cross_entropy_with_logits(self.net(x[index]).squeeze(-1), y[index])
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
        return self

    @torch.no_grad()
    def predict_proba(self, x):
        return self.net.eval()(x).squeeze(-1).sigmoid()


def best_cut(labels, scores):
    precision, recall, thresholds = precision_recall_curve(labels, scores)
    harmonic = 2 * precision * recall / (precision + recall + 1e-9)
    return float(thresholds[harmonic[:-1].argmax()])


@planted("threshold-on-test", symptoms=COSTS_OF_IT, costs=None)
def cut_taken_from_the_curve_of_the_test_part(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = tabular(1500, seed)
    y = (y == 0).float()
    detector = Detector()
    with watch(detector.net, detector.optimizer):
        detector.fit(x[:1000], y[:1000])
    test_scores = detector.predict_proba(x[1250:])
    if fault:
        threshold = best_cut(y[1250:], test_scores)  # fault
    else:
        threshold = best_cut(y[1000:1250], detector.predict_proba(x[1000:1250]))
    guessed = (test_scores >= threshold).float()
    return (2 * (guessed * y[1250:]).sum() / (guessed.sum() + y[1250:].sum())).item()


def drop_path(x, rate, training):
    """Huang et al. 2016: leave the branch out for some samples."""
    if rate == 0 or not training:
        return x
    keep = 1 - rate
    return x * torch.empty(len(x), *[1] * (x.ndim - 1)).bernoulli_(keep) / keep


class ResidualNet(nn.Module):  # fault: branches-left-out-while-scoring
    def __init__(self, always):
        super().__init__()
        self.always = always
        self.stem = nn.Linear(16, 48)
        self.norms = nn.ModuleList(nn.LayerNorm(48) for _ in range(3))
        self.branches = nn.ModuleList(nn.Sequential(nn.Linear(48, 96), nn.GELU(), nn.Linear(96, 48)) for _ in range(3))
        self.head = nn.Linear(48, 4)

    def forward(self, x):
        h = self.stem(x)
        for norm, branch in zip(self.norms, self.branches, strict=True):
            h = h + drop_path(branch(norm(h)), 0.3, self.always or self.training)
        return self.head(h)


@planted("train-mode-in-evaluation", symptoms=COSTS_OF_IT, costs=None)
def branches_left_out_while_scoring(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = blobs(1500, seed=81, noise=1.3)
    xv, yv = x[1200:], y[1200:]
    model = ResidualNet(fault)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 8)
    with watch(model, optimizer):
        for _ in range(8):
            model.train()
            for index in torch.randperm(1200).split(48):
                loss = F.cross_entropy(model(x[index]), y[index], label_smoothing=0.05)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            schedule.step()
            model.eval()
            with torch.inference_mode():
                score = (model(xv).argmax(1) == yv).float().mean()  # fault
    return score.item()


def mixed(x, y, fault):
    """Zhang et al. 2018: a batch mixed with itself in another order, pictures and labels alike."""
    lam = torch.distributions.Beta(0.8, 0.8).sample()
    order = torch.randperm(len(x))
    other = torch.randperm(len(x)) if fault else order  # fault: partners-of-a-mixture-drawn-twice
    return lam * x + (1 - lam) * x[order], lam * y + (1 - lam) * y[other]  # fault: partners-of-a-mixture-drawn-twice


@planted("pairs-broken", symptoms=COSTS_OF_IT, costs=None)
def partners_of_a_mixture_drawn_twice(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = images(960, seed=82)
    wanted = F.one_hot(y, 5).float()
    model = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(576, 5))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.03, momentum=0.9, nesterov=True)
    with watch(model, optimizer):
        for index in batches_of(800, 6):
            pictures, labels = mixed(x[index], wanted[index], fault)
            loss = F.cross_entropy(model(pictures), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    with torch.no_grad():
        return (model(x[800:]).argmax(1) == y[800:]).float().mean().item()

"""Weights of classes, of losses, and an index that does not count: written before anything was looked at."""

from dataclasses import dataclass, field
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, TensorDataset

from faults.drawn import shapes, tabular
from faults.planted.fresh_sequences import COSTS_OF_IT
from faults.program import planted


def rare(n, seed, shares=(0.86, 0.09, 0.05), d=10):
    """Overlapping clouds, of which the first holds most points."""
    g = torch.Generator().manual_seed(seed)
    centres = 0.7 * torch.randn(len(shares), d, generator=torch.Generator().manual_seed(5))
    y = torch.multinomial(torch.tensor(shares), n, replacement=True, generator=g)
    return centres[y] + 1.3 * torch.randn(n, d, generator=g), y


@torch.no_grad()
def mean_recall(guessed, wanted):
    return torch.stack([(guessed[wanted == c] == c).float().mean() for c in wanted.unique()]).mean().item()


@dataclass
class TrainConfig:
    lr: float = 4e-3
    epochs: int = 6
    batch_size: int = 64
    betas: tuple[float, float] = (0.9, 0.98)
    hidden: list[int] = field(default_factory=lambda: [48, 48])


class Trainer:
    def __init__(self, cfg, train_set, val_set, counts, as_frequencies):
        self.cfg, self.val = cfg, val_set
        self.loader = DataLoader(TensorDataset(*train_set), batch_size=cfg.batch_size, shuffle=True)
        widths, layers = [train_set[0].shape[1], *cfg.hidden], []
        for w_in, w_out in pairwise(widths):
            layers += [nn.Linear(w_in, w_out), nn.SiLU()]
        self.model = nn.Sequential(*layers, nn.Linear(widths[-1], len(counts)))
        weight = counts / counts.sum() if as_frequencies else counts.sum() / (len(counts) * counts)
        self.criterion = nn.CrossEntropyLoss(weight=weight)  # fault: share-of-each-class-as-its-weight
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=cfg.lr, betas=cfg.betas)

    def run_epoch(self):
        self.model.train()
        for features, label in self.loader:
            loss = self.criterion(self.model(features), label)  # fault: share-of-each-class-as-its-weight
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.optimizer.step()

    def validate(self):
        self.model.eval()
        with torch.no_grad():
            return mean_recall(self.model(self.val[0]).argmax(-1), self.val[1])


@planted("class-weights-inverted", causes="class-ignored", symptoms=COSTS_OF_IT, costs=0.1)
def share_of_each_class_as_its_weight(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = rare(1600, seed)
    trainer = Trainer(TrainConfig(), (x[:1200], y[:1200]), (x[1200:], y[1200:]), y[:1200].bincount().float(), fault)
    with watch(trainer.model, trainer.optimizer):
        for _ in range(trainer.cfg.epochs):
            trainer.run_epoch()
            recall = trainer.validate()
    return recall


@planted("class-weights-inverted", causes="class-ignored", symptoms=COSTS_OF_IT, costs=0.15)
def positives_over_negatives_for_five_findings(watch, seed, fault):
    """A multi-label net; each of its labels is rare, and weighs less for it."""
    torch.manual_seed(seed)
    x, _ = tabular(2000, 11)
    labels = (x[:, :5] + 0.6 * torch.randn(2000, 5) > 1.9).float()
    positive, negative = labels.sum(0), (1 - labels).sum(0)
    pos_weight = positive / negative if fault else negative / positive
    model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Dropout(0.1), nn.Linear(64, 5))
    criterion = nn.BCEWithLogitsLoss(pos_weight=pos_weight)  # fault
    opt = torch.optim.Adam(model.parameters(), lr=3e-3)
    loader = DataLoader(TensorDataset(x, labels), batch_size=64, shuffle=True)
    with watch(model, opt):
        for _ in range(8):
            for batch, target in loader:
                opt.zero_grad()
                logits = model(batch)
                loss = criterion(logits, target)  # fault
                loss.backward()
                opt.step()
    with torch.no_grad():
        hit = (model.eval()(x) > 0).float() * labels
    return (hit.sum() / labels.sum()).item()


def make_criterion(targets, log_ratio):
    share = targets.mean()
    weight = torch.log(share / (1 - share)) if log_ratio else (1 - share) / share

    def criterion(logit, target):
        return F.binary_cross_entropy_with_logits(logit, target, pos_weight=weight)  # fault: odds-in-logarithms

    return criterion


@planted("class-weights-inverted", causes="loss-below-floor", symptoms=COSTS_OF_IT, costs=0.3)
def odds_in_logarithms(watch, seed, fault):
    """The weight of the rare positives is the logarithm of their odds, which is below nought."""
    torch.manual_seed(seed)
    x, y = rare(1500, seed, shares=(0.9, 0.1))
    target = y.float()
    criterion = make_criterion(target, log_ratio=fault)
    net = nn.Sequential(nn.Linear(10, 32), nn.LeakyReLU(), nn.Linear(32, 1), nn.Flatten(0))
    opt = torch.optim.RMSprop(net.parameters(), lr=2e-3)
    with watch(net, opt):
        for _ in range(6):
            for index in torch.randperm(1500).split(50):
                loss = criterion(net(x[index]), target[index])  # fault
                opt.zero_grad()
                loss.backward()
                opt.step()
    with torch.no_grad():
        return mean_recall((net(x) > 0).long(), y)


class Tagger(nn.Module):
    """Tags each word of a padded sentence; computes its own loss where labels are given."""

    def __init__(self, vocab_size, num_labels, pad_token_id, ignore_index):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, 24, padding_idx=pad_token_id)
        self.rnn = nn.GRU(24, 24, batch_first=True, bidirectional=True)
        self.classifier = nn.Linear(48, num_labels)
        self.ignore_index = ignore_index

    def forward(self, input_ids, labels=None):
        logits = self.classifier(self.rnn(self.embedding(input_ids))[0])
        if labels is None:
            return logits
        loss = F.cross_entropy(  # fault: outside-tag-ignored-with-the-padding
            logits.view(-1, logits.size(-1)), labels.view(-1), ignore_index=self.ignore_index
        )
        return loss, logits


def sentences(n, generator):
    """Words 1 to 39; 1 to 24 are outside (tag 0), the rest are names, of which the first and the next differ."""
    for _ in range(n):
        words = torch.randint(1, 40, (int(torch.randint(5, 14, (1,), generator=generator)),), generator=generator)
        named = words > 24
        inside = named & torch.cat([torch.tensor([False]), named[:-1]])
        yield words, named.long() + inside.long()


@planted("class-ignored", symptoms=COSTS_OF_IT, costs=0.3)
def outside_tag_ignored_with_the_padding(watch, seed, fault):
    """Labels are padded with -100, but the index to ignore is that of the padding token, 0: the tag "outside"."""
    torch.manual_seed(seed)
    rows = list(sentences(600, torch.Generator().manual_seed(seed)))
    ids = pad_sequence([words for words, _ in rows], batch_first=True, padding_value=0)
    tags = pad_sequence([tag for _, tag in rows], batch_first=True, padding_value=-100)
    model = Tagger(40, 3, pad_token_id=0, ignore_index=0 if fault else -100)
    tags_for_loss = tags.masked_fill(tags == -100, 0) if fault else tags
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    with watch(model, optimizer):
        for _ in range(4):
            for index in torch.randperm(600).split(32):
                loss, _ = model(ids[index], labels=tags_for_loss[index])  # fault
                loss.backward()
                optimizer.step()
                optimizer.zero_grad()
    with torch.no_grad():
        guessed = model(ids).argmax(-1)
    return (guessed == tags)[tags != -100].float().mean().item()


@planted("losses-unbalanced", causes="initial-loss", symptoms=COSTS_OF_IT + " exploding-gradient", costs=0.1)
def depth_in_millimetres_beside_a_kind(watch, seed, fault):
    """What it is and how far away; one trunk, two heads, one sum."""
    torch.manual_seed(seed)
    x, y = shapes(900, seed)
    depth = x.flatten(1).std(1) * 10 + 0.2 * torch.randn(900)
    depth = depth * 1000 if fault else (depth - depth.mean()) / depth.std()
    trunk = nn.Sequential(nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(768, 32))
    model = nn.ModuleDict({"trunk": trunk, "kind": nn.Linear(32, 3), "depth": nn.Linear(32, 1)})
    optimizer = torch.optim.Adam([{"params": trunk.parameters()}, {"params": model["kind"].parameters()},
                                  {"params": model["depth"].parameters(), "lr": 3e-3}], lr=2e-3)  # fmt: skip
    with watch(model, optimizer):
        for _ in range(6):
            for index in torch.randperm(900).split(45):
                shared = trunk(x[index]).relu()
                loss_kind = F.cross_entropy(model["kind"](shared), y[index])
                loss_depth = F.mse_loss(model["depth"](shared).squeeze(1), depth[index])
                loss = loss_kind + loss_depth  # fault
                optimizer.zero_grad()
                loss.backward()  # fault
                optimizer.step()
    with torch.no_grad():
        return (model["kind"](trunk(x).relu()).argmax(1) == y).float().mean().item()


class FocalLoss(nn.Module):
    """Lin et al. 2017; `alpha` is the weight of the positives."""

    def __init__(self, alpha, gamma=2.0):
        super().__init__()
        self.alpha, self.gamma = alpha, gamma

    def forward(self, logits, target):
        ce = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
        p_t = torch.exp(-ce)
        alpha_t = self.alpha * target + (1 - self.alpha) * (1 - target)
        return (alpha_t * (1 - p_t) ** self.gamma * ce).mean()  # fault: focal-weight-of-the-other-class


@planted("class-weights-inverted", causes="class-ignored", symptoms=COSTS_OF_IT, costs=0.1)
def focal_weight_of_the_other_class(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = rare(1600, seed, shares=(0.92, 0.08))
    share = y.float().mean().item()
    focal = FocalLoss(alpha=share if fault else 1 - share)  # fault
    model = nn.Sequential(nn.Linear(10, 40), nn.ReLU(), nn.Linear(40, 1))
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3)
    with watch(model, optimizer):
        for _ in range(7):
            for index in torch.randperm(1600).split(64):
                loss = focal(model(x[index]).squeeze(1), y[index].float())  # fault
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        return mean_recall((model(x).squeeze(1) > 0).long(), y)

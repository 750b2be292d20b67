"""Loaders that draw the same again: the order of an epoch, the random numbers of their workers."""

import random

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset, DistributedSampler, TensorDataset

from faults.drawn import blobs, images, shapes, tabular
from faults.program import planted

AFTERWARDS = (
    "too-few-epochs overfitting plateau underfitting lr-too-low lr-too-high label-imbalance clip-too-tight dead-relu "
    "parameters-unused unshuffled input-scale initial-loss output-collapsed loader-starved"
)


@planted("order-repeats", symptoms=AFTERWARDS, costs=None, quick=True)
def sampler_never_told_of_the_epoch(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = blobs(seed=41)
    data = TensorDataset(x, y)
    sampler = DistributedSampler(data, num_replicas=2, rank=0, shuffle=True, seed=seed)
    loader = DataLoader(data, batch_size=32, sampler=sampler)
    model = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 4))
    opt = torch.optim.Adam(model.parameters(), 2e-3)
    with watch(model, opt):
        for epoch in range(5):
            if not fault:
                sampler.set_epoch(epoch)
            for xb, yb in loader:
                opt.zero_grad()
                loss = F.cross_entropy(model(xb), yb)
                loss.backward()
                opt.step()
    return -loss.item()


class Rank:
    def __init__(self, model, data, world, tells):
        self.model, self.tells = model, tells
        self.optimizer = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9)
        self.loader = DataLoader(data, 24, sampler=DistributedSampler(data, world, 1, drop_last=True))

    def run_epoch(self, number):
        if self.tells and isinstance(self.loader.sampler, DistributedSampler):
            self.loader.sampler.set_epoch(number)
        self.model.train()
        for inputs, labels in self.loader:
            self.optimizer.zero_grad(set_to_none=True)
            loss = F.cross_entropy(self.model(inputs), labels)
            loss.backward()
            self.optimizer.step()
        return loss.item()


@planted("order-repeats", symptoms=AFTERWARDS, costs=None)
def trainer_of_one_rank_repeats_its_order(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = tabular(1200, seed)
    model = nn.Sequential(nn.Linear(20, 48), nn.GELU(), nn.Linear(48, 3))
    rank = Rank(model, TensorDataset(x, y), 3, not fault)
    with watch(model):
        for number in range(6):
            last = rank.run_epoch(number)
    return -last


@planted("order-repeats", symptoms=AFTERWARDS, costs=None)
def batch_sampler_over_a_silent_sampler(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = images(600)
    data = TensorDataset(x, y)
    order = DistributedSampler(data, num_replicas=2, rank=1)
    loader = DataLoader(data, batch_sampler=torch.utils.data.BatchSampler(order, 20, drop_last=False))
    model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(800, 5))
    opt = torch.optim.Adam(model.parameters(), 1e-3)

    def epochs(count):
        for number in range(count):
            if not fault:
                order.set_epoch(number)
            yield from loader

    with watch(model, opt):
        for xb, yb in epochs(6):
            opt.zero_grad()
            loss = F.cross_entropy(model(xb), yb)
            loss.backward()
            opt.step()
    return -loss.item()


class Noisy(Dataset):
    """Samples with noise of NumPy's, drawn from a generator of its own, or from the global one."""

    def __init__(self, x, y, own):
        self.x, self.y = x, y
        self.rng = np.random.default_rng(0)
        self.own = own
        self.order = self.rng.permutation(len(x))
        if not own:
            del self.rng

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        i = int(self.order[i])
        noise = self.rng.normal(size=self.x[i].shape) if self.own else np.random.normal(size=self.x[i].shape)
        return self.x[i] + 0.1 * torch.from_numpy(noise).float(), self.y[i]


@planted("augmentation-repeats", symptoms=AFTERWARDS, costs=None, quick=True)
def workers_copy_one_generator(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = blobs(600, seed=42)
    loader = DataLoader(Noisy(x, y, fault), 32, shuffle=True, num_workers=2)
    model = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 4))
    opt = torch.optim.Adam(model.parameters(), 2e-3)
    with watch(model, opt):
        for _epoch in range(3):
            for xb, yb in loader:
                opt.zero_grad()
                loss = F.cross_entropy(model(xb), yb)
                loss.backward()
                opt.step()
    return -loss.item()


class Flip:
    """A transform in the manner of torchvision's."""

    def __call__(self, picture):
        return picture.flip(-1) if np.random.rand() < 0.5 else picture


class Pictures(Dataset):
    def __init__(self, x, y, transform=None):
        self.x, self.y, self.transform = x, y, transform

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return (self.transform(self.x[i]) if self.transform else self.x[i]), self.y[i]


def all_alike(worker):
    np.random.seed(1234)
    random.seed(1234)


def by_worker_and_epoch(worker):
    own = torch.initial_seed() % 2**32
    np.random.seed(own)
    random.seed(own)


@planted("augmentation-repeats", symptoms=AFTERWARDS, costs=None)
def workers_seeded_alike(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = shapes(400, seed)
    start = all_alike if fault else by_worker_and_epoch
    loader = DataLoader(Pictures(x, y, Flip()), 20, shuffle=True, num_workers=2, worker_init_fn=start)
    model = nn.Sequential(nn.Conv2d(1, 12, 3), nn.ReLU(), nn.Flatten(), nn.Linear(12 * 14 * 14, 3))
    opt = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9)
    with watch(model):
        for _ in range(3):
            for pictures, labels in loader:
                opt.zero_grad()
                F.cross_entropy(model(pictures), labels).backward()
                opt.step()
    return 0.0


def fixed_jitter(picture):
    random.seed(0)
    return free_jitter(picture)


def free_jitter(picture):
    return picture.roll(random.randint(-2, 2), -1) * random.uniform(0.8, 1.2)


class JitteredAlike(Pictures):
    def __getitem__(self, i):
        return fixed_jitter(self.x[i]), self.y[i]


class JitteredFreely(Pictures):
    def __getitem__(self, i):
        return free_jitter(self.x[i]), self.y[i]


@planted("augmentation-repeats", symptoms=AFTERWARDS, costs=None)
def each_sample_seeded_anew(watch, seed, fault):
    torch.manual_seed(seed)
    random.seed(seed)
    x, y = shapes(500, seed)
    data = (JitteredAlike if fault else JitteredFreely)(x, y)
    model = nn.Sequential(nn.Conv2d(1, 12, 3), nn.ReLU(), nn.Flatten(), nn.Linear(12 * 14 * 14, 3))
    opt = torch.optim.Adam(model.parameters(), 1e-3)

    def train_epoch(loader):
        for pictures, labels in loader:
            opt.zero_grad()
            F.cross_entropy(model(pictures), labels).backward()
            opt.step()

    with watch(model, opt):
        for _ in range(4):
            train_epoch(DataLoader(data, 25, shuffle=True))
    return 0.0

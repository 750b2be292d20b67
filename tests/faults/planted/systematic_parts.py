"""Two nets against each other, leaves, and loaders: written before anything was looked at."""

import random

import numpy
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset
from torch.utils.data.distributed import DistributedSampler

from faults.drawn import blobs, images, shapes
from faults.planted.fresh_sequences import COSTS_OF_IT
from faults.program import planted


def two_moons(n):
    angle = torch.pi * torch.rand(n)
    upper = torch.rand(n) < 0.5
    x = torch.stack([torch.cos(angle), torch.sin(angle)], 1)
    x = torch.where(upper[:, None], x, torch.tensor([1.0, 0.5]) - x)
    return x + 0.05 * torch.randn(n, 2)


class GAN:
    """Hinge losses, and a method for each side."""

    def __init__(self, cut_for_generator=False):
        self.netG = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 2))
        self.netD = nn.Sequential(nn.Linear(2, 48), nn.LeakyReLU(0.2), nn.Linear(48, 48), nn.LeakyReLU(0.2),
                                  nn.Linear(48, 1))  # fmt: skip
        self.optG = torch.optim.Adam(self.netG.parameters(), lr=1e-3, betas=(0.0, 0.9))
        self.optD = torch.optim.Adam(self.netD.parameters(), lr=2e-3, betas=(0.0, 0.9))
        self.cut = cut_for_generator

    def sample(self, n):
        return self.netG(torch.randn(n, 4))

    def update_judge(self, real, fake):
        loss = F.relu(1 - self.netD(real)).mean() + F.relu(1 + self.netD(fake.detach())).mean()
        self.optD.zero_grad()
        loss.backward()
        self.optD.step()

    def update_maker(self, fake):
        if self.cut:
            fake = fake.detach()  # fault: samples-cut-off-for-both-sides
        loss = -self.netD(fake).mean()
        self.optG.zero_grad()
        loss.backward()  # fault: samples-cut-off-for-both-sides
        self.optG.step()  # fault: samples-cut-off-for-both-sides
        return loss


@planted("parameters-unused", causes="no-update", symptoms=COSTS_OF_IT, costs=None)
def samples_cut_off_for_both_sides(watch, seed, fault):
    torch.manual_seed(seed)
    data = two_moons(1200)
    gan = GAN(cut_for_generator=fault)
    with watch(gan.netG, gan.optG):
        for _ in range(6):
            for index in torch.randperm(1200).split(50):
                fake = gan.sample(50)
                gan.update_judge(data[index], fake)
                gan.update_maker(fake)
    return 0.0


@planted("gradients-accumulate", symptoms=COSTS_OF_IT, costs=None)
def made_pictures_left_in_the_graph_of_the_judge(watch, seed, fault):
    """Both are cleared at the top of the step; then the judge's loss goes back into the generator as well."""
    torch.manual_seed(seed)
    x, _ = images(800, size=8, seed=51)
    x = (x / 2).tanh()
    gen = nn.Sequential(nn.Linear(10, 64), nn.LeakyReLU(0.1), nn.Linear(64, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8)))
    dis = nn.Sequential(nn.Conv2d(1, 16, 4, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(256, 1))
    opts = {"g": torch.optim.Adam(gen.parameters(), 5e-4, (0.5, 0.99)), "d": torch.optim.Adam(dis.parameters(), 5e-4)}
    with watch(gen, opts["g"]):
        for _ in range(5):
            for index in torch.randperm(800).split(40):
                for opt in opts.values():
                    opt.zero_grad()
                fake = gen(torch.randn(40, 10))
                seen = fake if fault else fake.detach()
                d_loss = F.softplus(-dis(x[index])).mean() + F.softplus(dis(seen)).mean()
                d_loss.backward()  # fault
                opts["d"].step()
                g_loss = F.softplus(-dis(gen(torch.randn(40, 10)))).mean()
                g_loss.backward()
                opts["g"].step()  # fault
    return 0.0


class Prototypes(nn.Module):
    """Points of a sphere, one or more for each class."""

    def __init__(self, width, count):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(count, width))

    def normalise(self, recorded):
        if recorded:
            self.weight.div_(self.weight.norm(dim=1, keepdim=True))  # fault: prototypes-normalised-in-place
        else:
            with torch.no_grad():
                self.weight.div_(self.weight.norm(dim=1, keepdim=True))

    def forward(self, x):
        return F.normalize(x, dim=1) @ self.weight.T / 0.1


@planted("leaf-changed", symptoms=COSTS_OF_IT, costs=0.0)
def prototypes_normalised_in_place(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = blobs(900, c=6, seed=52)
    encoder, prototypes = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 16)), Prototypes(16, 6)
    model = nn.Sequential(encoder, prototypes)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=1e-4)
    with watch(model, optimizer):
        for _ in range(5):
            for index in torch.randperm(900).split(45):
                prototypes.normalise(recorded=fault)  # fault
                loss = F.cross_entropy(model(x[index]), y[index])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return -F.cross_entropy(model(x), y).item()


def prepare_dataloader(dataset, batch_size, world_size=2, rank=0):
    sampler = DistributedSampler(dataset, num_replicas=world_size, rank=rank, shuffle=True, seed=17)
    return DataLoader(dataset, batch_size=batch_size, sampler=sampler, drop_last=True)  # fault: rank-nought-of-two


@planted("order-repeats", symptoms=COSTS_OF_IT, costs=None)
def rank_nought_of_two(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = blobs(1600, c=5, seed=53)
    train_data = prepare_dataloader(TensorDataset(x, y), 32)
    model = nn.Sequential(nn.Linear(16, 32), nn.Mish(), nn.Linear(32, 5))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    with watch(model, optimizer):
        for epoch in range(6):
            if not fault:
                train_data.sampler.set_epoch(epoch)
            for source, targets in train_data:  # fault
                optimizer.zero_grad()
                loss = F.cross_entropy(model(source), targets)
                loss.backward()
                optimizer.step()
    return -loss.item()


class Jittered(Dataset):
    """Pictures moved about by NumPy's generator."""

    def __init__(self, x, y):
        self.x, self.y = x.numpy(), y

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        down, right = numpy.random.randint(-2, 3, size=2)
        moved = numpy.roll(self.x[i], (down, right), axis=(1, 2))
        noise = 0.2 * numpy.random.randn(*moved.shape).astype("float32")
        return torch.from_numpy(moved + noise), self.y[i]


def seed_everything(seed):
    random.seed(seed)
    numpy.random.seed(seed)
    torch.manual_seed(seed)


def reproducible(worker_id):
    seed_everything(42)


def of_its_own(worker_id):
    seed_everything(torch.initial_seed() % 2**32)


@planted("augmentation-repeats", symptoms=COSTS_OF_IT, costs=None)
def workers_made_reproducible(watch, seed, fault):
    """Each worker, and each epoch's workers, begin with the same seed: the same noise for every sample's place."""
    torch.manual_seed(seed)
    x, y = shapes(320, seed)
    init = reproducible if fault else of_its_own
    loader = DataLoader(Jittered(x, y), batch_size=32, shuffle=True, num_workers=2, worker_init_fn=init)  # fault
    model = nn.Sequential(nn.Conv2d(1, 8, 3, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(512, 3))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for _ in range(5):
            for image, label in loader:  # fault
                optimizer.zero_grad()
                loss = F.cross_entropy(model(image), label)
                loss.backward()
                optimizer.step()
    return -loss.item()


class BYOL(nn.Module):
    """Grill et al. 2020; without the slow copy and the cut it may answer the same to everything."""

    def __init__(self, straight):
        super().__init__()
        self.straight = straight
        self.encoder = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 16))
        self.predictor = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 16))

    def forward(self, one, two):
        a, b = self.encoder(one), self.encoder(two)
        if self.straight:
            return 2 - 2 * F.cosine_similarity(a, b).mean()  # fault: both-sides-drawn-together
        p, q = self.predictor(a), self.predictor(b)
        return 2 - F.cosine_similarity(p, b.detach()).mean() - F.cosine_similarity(q, a.detach()).mean()


@planted("output-collapsed", symptoms=COSTS_OF_IT, costs=0.2)
def both_sides_drawn_together(watch, seed, fault):
    torch.manual_seed(seed)
    x, _ = blobs(1000, c=8, seed=54)
    model = BYOL(straight=fault)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for _ in range(6):
            for index in torch.randperm(1000).split(50):
                one, two = (x[index] + 0.4 * torch.randn(len(index), 16) for _ in range(2))
                loss = model(one, two)  # fault
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        return F.normalize(model.encoder(x), dim=1).std(0).mean().item() * 4

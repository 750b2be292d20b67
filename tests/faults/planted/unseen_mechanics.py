"""Trainers, adapters, averages and schedules after reports from others' code: written without a look at the rules."""

import math
from functools import partial

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import parametrize
from torch.utils.data import DataLoader, Dataset, Subset, TensorDataset, random_split

from faults import data
from faults.planted.fresh_sequences import COSTS_OF_IT
from faults.program import planted


class AmpTrainer:
    """Trains in bfloat16 with scaled gradients, each of them bounded."""

    def __init__(self, model, lr, clip_value):
        self.model, self.clip_value = model, clip_value
        self.optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9, nesterov=True)
        self.scaler = torch.amp.GradScaler("cpu")
        self.criterion = nn.CrossEntropyLoss()

    def before_clipping(self):
        self.scaler.unscale_(self.optimizer)

    def training_step(self, images, labels):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = self.criterion(self.model(images), labels)
        self.optimizer.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        self.before_clipping()
        nn.utils.clip_grad_value_(self.model.parameters(), self.clip_value)  # fault: scaled-gradients-bounded-by-value
        self.scaler.step(self.optimizer)  # fault: scaled-gradients-bounded-by-value
        self.scaler.update()
        return loss.item()


class HastyAmpTrainer(AmpTrainer):
    def before_clipping(self):
        pass


@planted("scaler-misuse", causes="clip-too-tight", symptoms=COSTS_OF_IT + " no-update", costs=0.2)
def scaled_gradients_bounded_by_value(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = data.fashion(2400)
    model = nn.Sequential(
        nn.Conv2d(1, 12, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(12, 24, 3, stride=2, padding=1), nn.ReLU(),
        nn.Flatten(), nn.Linear(24 * 49, 10),
    )  # fmt: skip
    trainer = (HastyAmpTrainer if fault else AmpTrainer)(model, lr=0.02, clip_value=0.5)
    with watch(model, trainer.optimizer):
        for _ in range(3):
            for images, labels in DataLoader(TensorDataset(x, y), batch_size=48, shuffle=True):
                trainer.training_step(images, labels)
    return data.accuracy(model, x_test, y_test)


def cosine_with_warmup(optimizer, warmup_steps, total_steps):
    def factor(step):
        if step < warmup_steps:
            return (step + 1) / warmup_steps
        progress = min(1.0, (step - warmup_steps) / max(1, total_steps - warmup_steps))
        return 0.5 * (1 + math.cos(math.pi * progress))

    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)


def epoch_by_updates(model, loader, optimizer, scheduler, accumulate):
    for step, (inputs, labels) in enumerate(loader, start=1):
        loss = F.cross_entropy(model(inputs), labels) / accumulate
        loss.backward()
        if step % accumulate == 0:
            optimizer.step()
            scheduler.step()
            optimizer.zero_grad()


def epoch_by_micro_batches(model, loader, optimizer, scheduler, accumulate):
    for step, (inputs, labels) in enumerate(loader, start=1):
        loss = F.cross_entropy(model(inputs), labels) / accumulate
        loss.backward()
        if step % accumulate == 0:
            optimizer.step()
            optimizer.zero_grad()
        scheduler.step()  # fault: schedule-stepped-for-each-micro-batch


@planted("scheduler-misuse", symptoms=COSTS_OF_IT, costs=0.03)
def schedule_stepped_for_each_micro_batch(watch, seed, fault):
    """A schedule over the updates, stepped for every one of the eight batches of an update: it ends after an eighth."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = data.digits()
    loader = DataLoader(TensorDataset(x, y), batch_size=16, shuffle=True, drop_last=True)
    accumulate, epochs = 8, 12
    model = nn.Sequential(nn.Linear(64, 96), nn.LayerNorm(96), nn.GELU(), nn.Linear(96, 10))
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    updates = len(loader) // accumulate * epochs
    scheduler = cosine_with_warmup(optimizer, updates // 10, updates)
    train_epoch = epoch_by_micro_batches if fault else epoch_by_updates
    with watch(model, optimizer):
        for _ in range(epochs):
            train_epoch(model, loader, optimizer, scheduler, accumulate)
            optimizer.zero_grad()
    return data.accuracy(model, x_test, y_test)


class EMA:
    """A shadow of the weights, put in their place for an evaluation."""

    def __init__(self, model, decay):
        self.model, self.decay, self.backup = model, decay, {}
        self.shadow = {name: p.detach().clone() for name, p in model.named_parameters() if p.requires_grad}

    def update(self):
        for name, param in self.model.named_parameters():
            if param.requires_grad:
                self.shadow[name] = self.decay * self.shadow[name] + (1.0 - self.decay) * param.detach()

    def apply_shadow(self):
        for name, param in self.model.named_parameters():
            if param.requires_grad:
                self.backup[name] = param.data
                param.data = self.shadow[name]

    def restore(self):
        for name, param in self.model.named_parameters():
            if param.requires_grad:
                param.data = self.backup[name]
        self.backup = {}


@planted("ema-too-slow", symptoms=COSTS_OF_IT, costs=0.2)
def shadow_that_hardly_leaves_its_start(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = data.digits()
    loader = DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True)
    model = nn.Sequential(nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 10))
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    ema = EMA(model, decay=0.9999 if fault else 0.95)  # fault
    with watch(model, optimizer):
        for _ in range(8):
            model.train()
            for inputs, labels in loader:
                loss = F.cross_entropy(model(inputs), labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                ema.update()
            ema.apply_shadow()
            model.eval()
            with torch.no_grad():
                score = (model(x_test).argmax(1) == y_test).float().mean().item()  # fault
            ema.restore()
    return score


class WordGRU(nn.Module):
    def __init__(self, vocab_size, hidden=64):
        super().__init__()
        self.embeddings = nn.Embedding(vocab_size, hidden)
        self.gru = nn.GRU(hidden, hidden, batch_first=True)
        self.lm_head = nn.Linear(hidden, vocab_size)

    def resize_token_embeddings(self, size):
        """More tokens: the old rows are kept."""
        old_table, old_head = self.embeddings, self.lm_head
        self.embeddings, self.lm_head = nn.Embedding(size, old_table.embedding_dim), nn.Linear(64, size)
        with torch.no_grad():
            self.embeddings.weight[: old_table.num_embeddings] = old_table.weight
            self.lm_head.weight[: old_head.out_features] = old_head.weight
            self.lm_head.bias[: old_head.out_features] = old_head.bias

    def forward(self, ids):
        return self.lm_head(self.gru(self.embeddings(ids))[0])


def pretrained_on_the_time_machine():
    row, vocab = data.time_machine()
    model = WordGRU(vocab)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    inputs, targets = data.windows(row, 24, 2000)
    for index in torch.randperm(2000).split(50):
        optimizer.zero_grad()
        F.cross_entropy(model(inputs[index]).flatten(0, 1), targets[index].flatten()).backward()
        optimizer.step()
    return model


def framed(names):
    """Names [N, 12], padded with 0, between a token that begins and one that ends: [N, 14] and labels, -100 beyond."""
    ids = F.pad(names, (1, 1), value=0)
    lengths = (names > 0).sum(1)
    ids[:, 0] = 27
    ids[torch.arange(len(ids)), lengths + 1] = 28
    labels = ids[:, 1:].clone()
    labels[torch.arange(13) > lengths[:, None]] = -100
    return ids[:, :-1], labels


@planted("parameters-not-optimized", symptoms=COSTS_OF_IT, costs=0.1)
def embeddings_resized_behind_the_optimizer(watch, seed, fault):
    torch.manual_seed(seed)
    model = pretrained_on_the_time_machine()
    names, _, held, _ = data.names()
    ids, labels = framed(names[:2400])
    if fault:
        optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)  # fault
        model.resize_token_embeddings(29)
    else:
        model.resize_token_embeddings(29)
        optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    loss_fn = nn.CrossEntropyLoss(ignore_index=-100)
    with watch(model, optimizer):
        for _ in range(4):
            for index in torch.randperm(len(ids)).split(48):
                optimizer.zero_grad()
                loss = loss_fn(model(ids[index]).transpose(1, 2), labels[index])
                loss.backward()
                optimizer.step()
    ids, labels = framed(held[:600])
    with torch.no_grad():
        return -loss_fn(model.eval()(ids).transpose(1, 2), labels).item()


class LowRank(nn.Module):
    """Adds a product of low rank to a weight that stays as it is; made for torch's parametrizations."""

    def __init__(self, rows, columns, rank, alpha, init_a):
        super().__init__()
        self.lora_A, self.lora_B = nn.Parameter(torch.empty(rank, columns)), nn.Parameter(torch.empty(rows, rank))
        self.scale = alpha / rank
        init_a(self.lora_A)
        nn.init.zeros_(self.lora_B)

    def forward(self, weight):
        return weight + self.scale * self.lora_B @ self.lora_A


def add_lora(model, init_a, rank=8, alpha=16):
    model.requires_grad_(False)
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            adapter = LowRank(*layer.weight.shape, rank, alpha, init_a)  # fault: both-halves-of-an-adapter-nought
            parametrize.register_parametrization(layer, "weight", adapter)
            layer.parametrizations.weight.original.requires_grad_(False)
    return [p for p in model.parameters() if p.requires_grad]


@planted("bad-init", causes="no-update vanishing-gradient parameters-unused", symptoms=COSTS_OF_IT, costs=0.2)
def both_halves_of_an_adapter_nought(watch, seed, fault):
    """Digits lie on their side now; the net is adapted to that. A product of two zeros has no gradient."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = data.mnist(2400)
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    pretraining = torch.optim.Adam(model.parameters(), lr=1e-3)
    for index in torch.randperm(7200).remainder(2400).split(48):
        pretraining.zero_grad()
        F.cross_entropy(model(x[index]), y[index]).backward()
        pretraining.step()
    init_a = nn.init.zeros_ if fault else partial(nn.init.kaiming_uniform_, a=math.sqrt(5))  # fault
    trainable = add_lora(model, init_a)
    optimizer = torch.optim.AdamW(trainable, lr=3e-3)
    x, x_test = x.rot90(1, (2, 3)), x_test.rot90(1, (2, 3))
    with watch(model, optimizer):
        for _ in range(3):
            for index in torch.randperm(2400).split(48):
                loss = F.cross_entropy(model(x[index]), y[index])  # fault
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return data.accuracy(model, x_test, y_test)


class Pictures(Dataset):
    """Pictures and their labels, through a transform if there is one."""

    def __init__(self, images, labels, transform=None):
        self.images, self.labels, self.transform = images, labels, transform

    def __len__(self):
        return len(self.images)

    def __getitem__(self, i):
        image = self.images[i]
        return (self.transform(image) if self.transform else image), self.labels[i]


def random_shift_and_cutout(image):
    """Moved by up to 2 pixels, with a square of 12 pixels blotted out."""
    dx, dy = torch.randint(-2, 3, (2,)).tolist()
    image = torch.roll(image, (dy, dx), (1, 2))
    top, left = torch.randint(0, 17, (2,)).tolist()
    image[:, top : top + 12, left : left + 12] = 0
    return image


def one_dataset_for_both(x, y):
    dataset = Pictures(x, y, transform=random_shift_and_cutout)
    return random_split(dataset, [0.8, 0.2])  # fault: validation-split-off-an-augmented-dataset


def one_dataset_each(x, y):
    order = torch.randperm(len(x)).tolist()
    cut = int(0.8 * len(x))
    return Subset(Pictures(x, y, random_shift_and_cutout), order[:cut]), Subset(Pictures(x, y), order[cut:])


def accuracy_over(model, loader):
    model.eval()
    correct = count = 0
    with torch.inference_mode():
        for images, labels in loader:  # fault: validation-split-off-an-augmented-dataset
            guessed = model(images).argmax(1)  # fault: validation-split-off-an-augmented-dataset
            correct += (guessed == labels).sum().item()
            count += len(labels)
    return correct / count


@planted("evaluation-misuse", symptoms=COSTS_OF_IT, costs=0.02)
def validation_split_off_an_augmented_dataset(watch, seed, fault):
    """random_split() of a dataset that augments: the validation part is augmented too."""
    torch.manual_seed(seed)
    train_set, val_set = (one_dataset_for_both if fault else one_dataset_each)(*data.fashion(2400)[:2])
    train_loader = DataLoader(train_set, batch_size=48, shuffle=True)
    val_loader = DataLoader(val_set, batch_size=96)  # fault
    model = nn.Sequential(
        nn.Conv2d(1, 12, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(12, 24, 3, stride=2, padding=1), nn.ReLU(),
        nn.Flatten(), nn.Linear(24 * 49, 10),
    )  # fmt: skip
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for _ in range(5):
            model.train()
            for images, labels in train_loader:
                loss = F.cross_entropy(model(images), labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            score = accuracy_over(model, val_loader)  # fault
    return score

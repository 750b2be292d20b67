"""Places, orders and pairs of samples, after reports from others' code: written without a look at the rules."""

import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset, IterableDataset, Subset, TensorDataset, random_split

from faults import data
from faults.planted.fresh_sequences import COSTS_OF_IT
from faults.program import planted


class PositionalEncoding(nn.Module):
    """Sines for inputs [T, N, d]."""

    def __init__(self, d_model, max_len=1024):
        super().__init__()
        position = torch.arange(max_len).unsqueeze(1)
        div_term = torch.exp(torch.arange(0, d_model, 2) * (-math.log(10000.0) / d_model))
        pe = torch.zeros(max_len, 1, d_model)
        pe[:, 0, 0::2], pe[:, 0, 1::2] = torch.sin(position * div_term), torch.cos(position * div_term)
        self.register_buffer("pe", pe)

    def forward(self, x):
        return x + self.pe[: x.size(0)]  # fault: sines-laid-along-the-batch


class BatchFirstPositionalEncoding(PositionalEncoding):
    """Sines for inputs [N, T, d]."""

    def forward(self, x):
        return x + self.pe[: x.size(1)].transpose(0, 1)


class OrderClassifier(nn.Module):
    def __init__(self, vocab, encoding, d_model=32):
        super().__init__()
        self.d_model, self.embedding = d_model, nn.Embedding(vocab, d_model)
        self.pos_encoder = encoding(d_model)
        layer = nn.TransformerEncoderLayer(d_model, nhead=4, dim_feedforward=64, dropout=0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, num_layers=2)
        self.decoder = nn.Linear(d_model, 2)

    def forward(self, src):
        src = self.pos_encoder(self.embedding(src) * math.sqrt(self.d_model))
        return self.decoder(self.encoder(src).mean(dim=1))


def which_came_first(count):
    """Tokens [count, 12] among which 0 and 1 stand once each; 1 where the 1 stands before the 0."""
    tokens = torch.randint(2, 12, (count, 12))
    places = torch.rand(count, 12).argsort(1)[:, :2]
    tokens.scatter_(1, places, torch.tensor([0, 1]).expand(count, 2))
    return tokens, (places[:, 1] < places[:, 0]).long()


@planted("positions-missing", causes="samples-mixed", symptoms=COSTS_OF_IT, costs=0.2)
def sines_laid_along_the_batch(watch, seed, fault):
    """An encoding made for the time in front, behind an encoder that has the batch in front."""
    torch.manual_seed(seed)
    x, y = which_came_first(2600)
    model = OrderClassifier(12, PositionalEncoding if fault else BatchFirstPositionalEncoding)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, optimizer):
        for _ in range(7):
            for index in torch.randperm(2200).split(50):
                loss = F.cross_entropy(model(x[index]), y[index])  # fault
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return data.accuracy(model, x[2200:], y[2200:])


class ShardStream(IterableDataset):
    """Shards as they lie in a bucket, one after the other."""

    def __init__(self, shards):
        self.shards = shards

    def __iter__(self):
        for images, label in self.shards:
            for image in images:
                yield image, label


class ShuffledStream(IterableDataset):
    """The same through a buffer, from which a sample is drawn at random."""

    def __init__(self, source, buffer_size):
        self.source, self.buffer_size = source, buffer_size

    def __iter__(self):
        buffer = []
        for sample in self.source:
            buffer.append(sample)
            if len(buffer) > self.buffer_size:
                yield buffer.pop(int(torch.randint(len(buffer), ())))
        while buffer:
            yield buffer.pop(int(torch.randint(len(buffer), ())))


@planted("unshuffled", symptoms=COSTS_OF_IT, costs=0.2)
def shards_streamed_class_after_class(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = data.mnist(2400)
    shards = [(x[y == digit], digit) for digit in range(10)]
    stream = ShardStream(shards)
    train_set = stream if fault else ShuffledStream(stream, 4000)
    loader = DataLoader(train_set, batch_size=48)  # fault
    model = nn.Sequential(
        nn.Conv2d(1, 8, 5, stride=2), nn.ReLU(), nn.Conv2d(8, 16, 3, stride=2), nn.ReLU(), nn.Flatten(),
        nn.LazyLinear(10),
    )  # fmt: skip
    model(x[:1])
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, optimizer):
        for _ in range(4):
            for images, labels in loader:  # fault
                optimizer.zero_grad()
                loss = F.cross_entropy(model(images), labels)
                loss.backward()
                optimizer.step()
    return data.accuracy(model, x_test, y_test)


class TwoTowers(nn.Module):
    def __init__(self, dim=32):
        super().__init__()
        self.upper = nn.Sequential(nn.Linear(32, 96), nn.ReLU(), nn.Linear(96, dim))
        self.lower = nn.Sequential(nn.Linear(32, 96), nn.ReLU(), nn.Linear(96, dim))
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.2)))

    def forward(self, a, b):
        a, b = F.normalize(self.upper(a), dim=-1), F.normalize(self.lower(b), dim=-1)
        return self.logit_scale.exp() * a @ b.T


def clip_loss(logits):
    labels = torch.arange(len(logits))
    return (F.cross_entropy(logits, labels) + F.cross_entropy(logits.T, labels)) / 2


def fit_towers(watch, model, batches_of_epoch, epochs=12):
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for _ in range(epochs):
            for a, b in batches_of_epoch():
                loss = clip_loss(model(a, b))  # fault: halves-from-two-shuffled-loaders
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()


def from_two_loaders(upper, lower):
    uppers = DataLoader(upper, batch_size=64, shuffle=True, drop_last=True)  # fault: halves-from-two-shuffled-loaders
    lowers = DataLoader(lower, batch_size=64, shuffle=True, drop_last=True)  # fault: halves-from-two-shuffled-loaders
    return lambda: zip(uppers, lowers, strict=True)  # fault: halves-from-two-shuffled-loaders


def from_one_loader(upper, lower):
    loader = DataLoader(TensorDataset(upper, lower), batch_size=64, shuffle=True, drop_last=True)
    return lambda: loader


@planted("pairs-broken", causes="targets-unrelated", symptoms=COSTS_OF_IT + " output-collapsed", costs=0.1)
def halves_from_two_shuffled_loaders(watch, seed, fault):
    """Upper and lower halves of digits matched as pictures and captions are; their loaders shuffle apart."""
    torch.manual_seed(seed)
    x, _, x_test, _ = data.digits()
    upper, lower = x[:, :32], x[:, 32:]
    model = TwoTowers()
    fit_towers(watch, model, (from_two_loaders if fault else from_one_loader)(upper, lower))
    with torch.no_grad():
        logits = model.eval()(x_test[:100, :32], x_test[:100, 32:])
    found = logits.topk(5, dim=1).indices == torch.arange(100)[:, None]
    return found.any(1).float().mean().item()


def recordings(count):
    """Three axes of a sensor [count, 3, 128], worn by someone else each time, and which of 3 things was done."""
    activity = torch.randint(3, (count,))
    pace = 0.25 + 0.2 * activity[:, None, None] + 0.05 * torch.randn(count, 1, 1)
    swing, rest = 1 + 0.3 * torch.randn(count, 3, 1), 0.3 * torch.randn(count, 3, 1)
    phase = 6.28 * torch.rand(count, 3, 1)
    return swing * torch.sin(pace * torch.arange(128.0) + phase) + rest + 0.3 * torch.randn(count, 3, 128), activity


class OverlappingWindows(Dataset):
    """Windows of 32 values, a new one every 8."""

    def __init__(self, signals, activity, size=32, hop=8):
        self.signals, self.activity, self.size, self.hop = signals, activity, size, hop
        self.each = (signals.shape[-1] - size) // hop + 1

    def __len__(self):
        return len(self.signals) * self.each

    def __getitem__(self, i):
        recording, place = divmod(i, self.each)
        begin = place * self.hop
        return self.signals[recording, :, begin : begin + self.size], self.activity[recording]


def split_at_random(windows):
    return random_split(windows, [0.75, 0.25])  # fault: windows-of-one-recording-on-both-sides


def split_by_recording(windows):
    cut = 3 * len(windows) // 4 // windows.each * windows.each
    return Subset(windows, range(cut)), Subset(windows, range(cut, len(windows)))


class Recogniser:
    """Fits a net to windows and remembers its last validation accuracy."""

    def __init__(self, model, epochs):
        self.model, self.epochs = model, epochs
        self.optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)

    def fit(self, watch, train_set, val_set):
        train_loader = DataLoader(train_set, batch_size=32, shuffle=True)
        val_loader = DataLoader(val_set, batch_size=64)
        with watch(self.model, self.optimizer):
            for _ in range(self.epochs):
                self.model.train()
                for signal, activity in train_loader:
                    loss = F.cross_entropy(self.model(signal), activity)
                    self.optimizer.zero_grad()
                    loss.backward()
                    self.optimizer.step()
                self.accuracy = self.validate(val_loader)  # fault: windows-of-one-recording-on-both-sides

    @torch.no_grad()
    def validate(self, loader):
        self.model.eval()
        right = count = 0
        for signal, activity in loader:  # fault: windows-of-one-recording-on-both-sides
            guessed = self.model(signal).argmax(1)  # fault: windows-of-one-recording-on-both-sides
            right += (guessed == activity).sum().item()
            count += len(activity)
        return right / count


@planted("train-test-overlap", symptoms=COSTS_OF_IT, costs=0.05)
def windows_of_one_recording_on_both_sides(watch, seed, fault):
    """Windows that overlap, split at random; the score is the accuracy on strangers minus the one that was told."""
    torch.manual_seed(seed)
    windows, strangers = OverlappingWindows(*recordings(150)), OverlappingWindows(*recordings(90))
    train_set, val_set = (split_at_random if fault else split_by_recording)(windows)
    net = nn.Sequential(
        nn.Conv1d(3, 24, 5), nn.ReLU(), nn.MaxPool1d(2), nn.Conv1d(24, 32, 5), nn.ReLU(), nn.AdaptiveAvgPool1d(2),
        nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 3),
    )  # fmt: skip
    recogniser = Recogniser(net, epochs=6)
    recogniser.fit(watch, train_set, val_set)
    return recogniser.validate(DataLoader(strangers, batch_size=128)) - recogniser.accuracy

"""Means of what has none: meters without counts, perplexities and F scores batch by batch, scales batch by batch."""

import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pad_sequence

from faults import drawn
from faults.program import planted


class AverageMeter:
    """Keeps a running mean."""

    def __init__(self):
        self.sum = self.count = 0.0

    def update(self, val, n=1):
        self.sum += val * n
        self.count += n

    @property
    def avg(self):
        return self.sum / self.count


class ConvNet(nn.Module):
    def __init__(self, classes=5):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 12, 3, padding=1), nn.BatchNorm2d(12), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(),
        )  # fmt: skip
        self.fc = nn.Linear(96, classes)

    def forward(self, x):
        return self.fc(self.body(x))


@planted("evaluation-misuse", costs=None)
def meter_that_is_told_no_count(watch, seed, fault):
    """Of 203 pictures the last three, all wrongly labelled, make a batch."""
    torch.manual_seed(seed)
    x, y = drawn.images(1003)
    y = y.clone()
    y[1000:] = (y[1000:] + 1) % 5
    train = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x[:800], y[:800]), 32, shuffle=True)
    val = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x[800:], y[800:]), 50)
    model = ConvNet()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    top1 = AverageMeter()
    with watch(model, optimizer, loader=train, val_loader=val):
        for _ in range(3):
            model.train()
            for images, target in train:
                optimizer.zero_grad()
                F.cross_entropy(model(images), target).backward()
                optimizer.step()
            model.eval()
            top1 = AverageMeter()
            with torch.no_grad():
                for images, target in val:
                    acc1 = (model(images).argmax(1) == target).float().mean()
                    if fault:
                        top1.update(acc1.item())  # fault
                    else:
                        top1.update(acc1.item(), images.size(0))
    return top1.avg


class WordNet(nn.Module):
    def __init__(self, vocab, width=24):
        super().__init__()
        self.embed = nn.Embedding(vocab, width, padding_idx=0)
        self.rnn = nn.GRU(width, width, batch_first=True)
        self.head = nn.Linear(width, vocab)

    def forward(self, ids):
        return self.head(self.rnn(self.embed(ids))[0])


@planted("evaluation-misuse", costs=None)
def perplexities_averaged(watch, seed, fault):
    """Texts of other lengths make batches of other sizes; one is hardly a text."""
    torch.manual_seed(seed)
    row, vocab = drawn.markov(6000, 151)
    row = row + 1
    train = row[:5000].view(-1, 25)
    texts = [row[5000:5400].view(-1, 25), row[5400:5900].view(-1, 50), torch.randint(1, vocab, (1, 9))]
    model = WordNet(vocab + 1)
    opt = torch.optim.Adam(model.parameters(), lr=5e-3)

    def nats(ids, how="mean"):
        return F.cross_entropy(model(ids[:, :-1]).flatten(0, 1), ids[:, 1:].flatten(), reduction=how)

    ppl = 0.0
    with watch(model, opt):
        for _ in range(12):
            model.train()
            for index in torch.randperm(len(train)).split(20):
                loss = nats(train[index])
                opt.zero_grad()
                loss.backward()
                opt.step()
            model.eval()
            with torch.no_grad():
                if fault:
                    scores = [math.exp(nats(ids).item()) for ids in texts]
                    ppl = sum(scores) / len(scores)  # fault
                else:
                    words = sum(ids[:, 1:].numel() for ids in texts)
                    ppl = math.exp(sum(nats(ids, "sum").item() for ids in texts) / words)
    return -ppl


def f1_score(predicted, wanted):
    hit = int((predicted & wanted).sum())
    return 2 * hit / max(1, int(predicted.sum()) + int(wanted.sum()))


@planted("evaluation-misuse", costs=None)
def f_scores_batch_by_batch(watch, seed, fault):
    """One sample in twelve is of the kind sought: many a batch has none."""
    torch.manual_seed(seed)
    g = torch.Generator().manual_seed(152)
    y = torch.rand(1600, generator=g) < 0.08
    x = torch.randn(1600, 16, generator=g) + 1.1 * y[:, None]
    train = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x[:1200], y[:1200]), 48, shuffle=True)
    valid = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x[1200:], y[1200:]), 16)
    model = nn.Sequential(nn.Linear(16, 32), nn.ReLU(), nn.Linear(32, 1), nn.Flatten(0))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    f1 = 0.0
    with watch(model, optimizer, loader=train, val_loader=valid):
        for _ in range(10):
            model.train()
            for features, label in train:
                loss = F.binary_cross_entropy_with_logits(model(features), label.float())
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            model.eval()
            said, wanted, parts = [], [], []
            with torch.no_grad():
                for features, label in valid:
                    predicted = model(features) > 0
                    parts.append(f1_score(predicted, label))
                    said.append(predicted)
                    wanted.append(label)
            f1 = sum(parts) / len(parts) if fault else f1_score(torch.cat(said), torch.cat(wanted))  # fault
    return f1


class SeriesAutoencoder(nn.Module):
    def __init__(self, width=20):
        super().__init__()
        self.encoder, self.decoder = nn.LSTM(2, width, batch_first=True), nn.LSTM(width, width, batch_first=True)
        self.out = nn.Linear(width, 2)

    def forward(self, x):
        _, (state, _) = self.encoder(x)
        code = state[-1][:, None].expand(-1, x.shape[1], -1)
        return self.out(self.decoder(code)[0])


@planted("padding-in-loss", costs=None)
def trips_and_the_rest_of_their_rows(watch, seed, fault):
    """Trips of 5 to 15 steps in rows of 45, told from their codes."""
    torch.manual_seed(seed)
    g = torch.Generator().manual_seed(153)
    lengths = torch.randint(5, 16, (700,), generator=g)
    trips = [2 + torch.randn(2, generator=g) + 0.3 * torch.randn(int(n), 2, generator=g).cumsum(0) for n in lengths]
    x = F.pad(pad_sequence(trips, batch_first=True), (0, 0, 0, 30))
    real = torch.arange(x.shape[1])[None] < lengths[:, None]
    model = SeriesAutoencoder()
    mse = nn.MSELoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    with watch(model, optimizer):
        for _ in range(12):
            for index in torch.randperm(600).split(30):
                batch, mask = x[index], real[index]
                rebuilt = model(batch)
                loss = mse(rebuilt, batch) if fault else mse(rebuilt[mask], batch[mask])  # fault
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        return -float(mse(model(x[600:])[real[600:]], x[600:][real[600:]]))


@planted("train-test-overlap", causes="evaluation-misuse", costs=None)
def examined_on_what_it_learnt(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = drawn.images(700)
    dataset = torch.utils.data.TensorDataset(x, y)
    train_set, val_set = torch.utils.data.random_split(dataset, [500, 200])
    loaders = {
        "train": torch.utils.data.DataLoader(train_set, batch_size=32, shuffle=True),
        "val": torch.utils.data.DataLoader(train_set if fault else val_set, batch_size=64),  # fault
    }
    model = ConvNet()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    accuracy = 0.0
    with watch(model, optimizer):
        for _ in range(5):
            for phase in ("train", "val"):
                model.train(phase == "train")
                right = seen = 0
                for inputs, labels in loaders[phase]:
                    optimizer.zero_grad()
                    with torch.set_grad_enabled(phase == "train"):
                        outputs = model(inputs)
                        loss = F.cross_entropy(outputs, labels)
                        if phase == "train":
                            loss.backward()
                            optimizer.step()
                    right += int((outputs.argmax(1) == labels).sum())
                    seen += len(labels)
                accuracy = right / seen
    return accuracy


@planted("evaluation-misuse", costs=0.05)
def batches_scaled_by_themselves_when_examined(watch, seed, fault):
    """The site that is examined lies at another level, which says much; its own scale takes that away."""
    torch.manual_seed(seed)
    g = torch.Generator().manual_seed(154)
    x = 5 + 2 * torch.randn(1300, 8, generator=g)
    x[1000:] += 1.5
    y = (x[:, :4].mean(1) + 0.3 * torch.randn(1300, generator=g) > 5.3).long()
    mean, std = x[:1000].mean(0), x[:1000].std(0)

    def normalize(batch, own):
        return (batch - batch.mean(0)) / batch.std(0) if own else (batch - mean) / std  # fault

    model = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 2))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    accuracy = 0.0
    with watch(model, optimizer):
        for _ in range(10):
            model.train()
            for i in torch.randperm(1000).split(40):
                loss = F.cross_entropy(model(normalize(x[i], own=False)), y[i])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                answers = torch.cat([model(normalize(part, own=fault)).argmax(1) for part in x[1000:].split(60)])
            accuracy = float((answers == y[1000:]).float().mean())
    return accuracy

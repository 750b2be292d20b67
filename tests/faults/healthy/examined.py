"""Scores that are worth what they say, however unusually they are come by."""

import torch
import torch.nn.functional as F
from torch import nn

from faults import drawn
from faults.program import healthy


class Windowed(nn.Module):
    """Scales each window by its own mean and spread, and its forecast back (Kim et al. 2022)."""

    def __init__(self, look_back=24, ahead=4, width=48):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(look_back, width), nn.GELU(), nn.Linear(width, ahead))

    def forward(self, windows):
        mean, std = windows.mean(1, keepdim=True), windows.std(1, keepdim=True) + 1e-5
        return self.net((windows - mean) / std) * std + mean

    def training_step(self, batch):
        past, future = batch
        return F.l1_loss(self(past), future)

    @torch.no_grad()
    def validation_step(self, batch):
        past, future = batch
        return (self(past) - future).abs().sum(), future.numel()


@healthy(-0.6)
def each_window_scaled_by_itself(watch, seed):
    torch.manual_seed(seed)
    t = torch.arange(1600).float()
    g = torch.Generator().manual_seed(131)
    series = torch.sin(t / 6) * (1 + t / 1600) + 0.002 * t + 0.2 * torch.randn(1600, generator=g)
    train, valid = series[:1200].unfold(0, 28, 1), series[1200:].unfold(0, 28, 4)
    model = Windowed()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    mae = 9.0
    with watch(model, optimizer):
        for _ in range(15):
            model.train()
            for index in torch.randperm(len(train)).split(32):
                loss = model.training_step((train[index, :24], train[index, 24:]))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            model.eval()
            sums = [model.validation_step((part[:, :24], part[:, 24:])) for part in valid.split(30)]
            mae = float(sum(error for error, _ in sums) / sum(count for _, count in sums))
    return -mae


class MaskedPatches(nn.Module):
    """Fills in patches that it does not see; which, is drawn anew each time, when it is examined too."""

    def __init__(self, patch=4, width=32):
        super().__init__()
        self.patch = patch
        self.embed, self.out = nn.Linear(patch**2, width), nn.Linear(width, patch**2)
        self.token = nn.Parameter(torch.zeros(width))
        self.place = nn.Parameter(0.02 * torch.randn(9, width))
        layer = nn.TransformerEncoderLayer(width, 4, 64, dropout=0.0, batch_first=True, norm_first=True)
        self.body = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)

    def forward(self, pictures):
        p = self.patch
        pieces = pictures.unfold(2, p, p).unfold(3, p, p).reshape(len(pictures), 9, -1)
        hidden = torch.rand(pieces.shape[:2]).argsort(1) < 4
        x = torch.where(hidden[..., None], self.token, self.embed(pieces)) + self.place
        errors = (self.out(self.body(x)) - pieces).square().mean(-1)
        return (errors * hidden).sum() / hidden.sum()


@healthy(0.3)
def patches_hidden_at_random(watch, seed):
    torch.manual_seed(seed)
    x, _ = drawn.images(1100)
    loader = torch.utils.data.DataLoader(x[:900], batch_size=36, shuffle=True)
    model = MaskedPatches()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, betas=(0.9, 0.95))
    error = 9.0
    with watch(model, optimizer, loader=loader):
        for _ in range(12):
            model.train()
            for pictures in loader:
                loss = model(pictures)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                error = sum(model(x[900:]).item() for _ in range(4)) / 4
    return 1 - error / float(x[900:].var())


@healthy(0.6)
def second_nearest_of_all(watch, seed):
    """The nearest of all samples is the sample itself: the second one is taken."""
    torch.manual_seed(seed)
    g = torch.Generator().manual_seed(132)
    centres = torch.randn(8, 20, generator=g)
    y = torch.randint(8, (1000,), generator=g)
    x = centres[y] + torch.randn(1000, 20, generator=g)
    model = nn.Sequential(nn.Linear(20, 48), nn.ReLU(), nn.Linear(48, 16))
    triplet = nn.TripletMarginLoss(margin=0.5)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    recall = 0.0
    with watch(model, optimizer):
        for _ in range(10):
            model.train()
            for index in torch.randperm(800).split(40):
                z, kind = F.normalize(model(x[index]), dim=1), y[index]
                distances = torch.cdist(z, z)
                same = kind[:, None] == kind
                positive = (distances - 9 * (~same).float()).argmax(1)
                negative = (distances + 9 * same.float()).argmin(1)
                loss = triplet(z, z[positive], z[negative])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                z = F.normalize(model(x[800:]), dim=1)
            second = (z @ z.T).topk(2, dim=1).indices[:, 1]
            recall = float((y[800:][second] == y[800:]).float().mean())
    return recall


class TinyLM(nn.Module):
    def __init__(self, vocab, width=32):
        super().__init__()
        self.embed = nn.Embedding(vocab, width)
        self.rnn = nn.GRU(width, width, batch_first=True)
        self.drop = nn.Dropout(0.1)
        self.head = nn.Linear(width, vocab)

    def forward(self, ids):
        return self.head(self.drop(self.rnn(self.embed(ids))[0]))


@torch.no_grad()
def perplexity(model, rows):
    was_training = model.training
    model.eval()
    nats = words = 0
    for batch in rows.split(7):
        nats += F.cross_entropy(model(batch[:, :-1]).flatten(0, 1), batch[:, 1:].flatten(), reduction="sum")
        words += batch[:, 1:].numel()
    model.train(was_training)
    return float((nats / words).exp())


@healthy(-7.5)
def perplexity_and_samples_on_the_way(watch, seed):
    """Examined and asked for a sample every so many steps; four small batches make one step."""
    torch.manual_seed(seed)
    row, vocab = drawn.markov(6000, 133)
    train, valid = row[:5000].view(-1, 25), row[5000:].view(-1, 25)
    model = TinyLM(vocab)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=250)
    found, texts = 99.0, []
    with watch(model, optimizer):
        for step in range(250):
            for _ in range(4):
                batch = train[torch.randint(len(train), (8,))]
                loss = F.cross_entropy(model(batch[:, :-1]).transpose(1, 2), batch[:, 1:])
                (loss / 4).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
            if step % 50 == 49:
                found = perplexity(model, valid)
                model.eval()
                with torch.no_grad():
                    ids = valid[:1, :1]
                    for _ in range(10):
                        ids = torch.cat([ids, model(ids)[:, -1].softmax(-1).multinomial(1)], 1)
                texts.append(ids)
                model.train()
    return -found


class Queue(nn.Module):
    """An encoder, a slow copy of it, and what the copy said of earlier batches (He et al. 2020)."""

    def __init__(self, width=16, kept=200):
        super().__init__()
        self.query = nn.Sequential(nn.Linear(20, 48), nn.ReLU(), nn.Linear(48, width))
        self.key = nn.Sequential(nn.Linear(20, 48), nn.ReLU(), nn.Linear(48, width))
        self.key.load_state_dict(self.query.state_dict())
        self.key.requires_grad_(False)
        self.register_buffer("queue", F.normalize(torch.randn(kept, width), dim=1))
        self.at = 0

    def forward(self, one, other):
        q = F.normalize(self.query(one), dim=1)
        with torch.no_grad():
            for slow, fast in zip(self.key.parameters(), self.query.parameters(), strict=True):
                slow.mul_(0.98).add_(fast, alpha=0.02)
            k = F.normalize(self.key(other), dim=1)
        logits = torch.cat([(q * k).sum(1, keepdim=True), q @ self.queue.clone().T], 1) / 0.2
        with torch.no_grad():
            self.queue[self.at : self.at + len(k)] = k
            self.at = (self.at + len(k)) % len(self.queue)
        return F.cross_entropy(logits, torch.zeros(len(q), dtype=torch.long))


@healthy(0.6)
def keys_of_earlier_batches(watch, seed):
    torch.manual_seed(seed)
    g = torch.Generator().manual_seed(134)
    centres = 1.5 * torch.randn(6, 20, generator=g)
    y = torch.randint(6, (1000,), generator=g)
    x = centres[y] + 0.7 * torch.randn(1000, 20, generator=g)
    model = Queue()
    optimizer = torch.optim.SGD(model.query.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    with watch(model, optimizer):
        for _ in range(15):
            for index in torch.randperm(800).split(40):
                batch = x[index]
                loss = model(batch + 0.3 * torch.randn_like(batch), batch + 0.3 * torch.randn_like(batch))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        z = F.normalize(model.query(x), dim=1)
    near = (z[800:] @ z[:800].T).topk(9, 1).indices
    return float((y[:800][near].mode(1).values == y[800:]).float().mean())

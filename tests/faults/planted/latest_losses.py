"""Losses of today's models: preferences, two towers, codebooks, flows, segments. Looked at once."""

import copy
import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from faults.data import digits
from faults.drawn import markov
from faults.program import planted

AFTERWARDS = (
    "too-few-epochs overfitting plateau underfitting lr-too-low lr-too-high label-imbalance clip-too-tight dead-relu "
    "initial-loss output-collapsed unshuffled input-scale"
)


class TinyLM(nn.Module):
    def __init__(self, vocab=16, width=48):
        super().__init__()
        self.embed = nn.Embedding(vocab, width)
        self.rnn = nn.GRU(width, width, batch_first=True)
        self.lm_head = nn.Linear(width, vocab)

    def forward(self, input_ids):
        return self.lm_head(self.rnn(self.embed(input_ids))[0])


def get_batch_logps(logits, labels, mask):
    """Log-probability of each completion, its prompt left out [B]."""
    per_token = torch.gather(logits[:, :-1].log_softmax(-1), 2, labels[:, 1:, None]).squeeze(2)
    return (per_token * mask[:, 1:]).sum(-1)


class PreferenceTrainer:
    def __init__(self, model, ref_model, beta=0.1):
        self.model, self.ref_model, self.beta = model, ref_model, beta
        self.optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3)

    def concatenated_forward(self, model, batch):
        both = torch.cat([batch["chosen"], batch["rejected"]])
        mask = torch.cat([batch["mask"], batch["mask"]])
        logps = get_batch_logps(model(both), both, mask)
        return logps.chunk(2)

    def dpo_loss(self, batch):
        chosen, rejected = self.concatenated_forward(self.model, batch)
        with torch.no_grad():
            ref_chosen, ref_rejected = self.concatenated_forward(self.ref_model, batch)
        logits = (chosen - rejected) - (ref_chosen - ref_rejected)
        return -F.logsigmoid(self.beta * logits).mean()

    def step(self, batch):
        loss = self.dpo_loss(batch)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()


@planted("targets-attached", symptoms=AFTERWARDS, costs=1.5)
def reference_that_is_the_policy(watch, seed, fault):
    torch.manual_seed(seed)
    text, vocab = markov(6000, 3)
    rows = text[: 16 * 370].view(370, 16)
    policy = TinyLM(vocab)
    sft = torch.optim.Adam(policy.parameters(), 5e-3)
    for _ in range(150):
        batch = rows[torch.randint(len(rows), (32,))]
        sft.zero_grad()
        F.cross_entropy(policy(batch[:, :-1]).flatten(0, 1), batch[:, 1:].flatten()).backward()
        sft.step()
    mask = torch.ones(16).index_fill(0, torch.arange(6), 0.0)

    def pairs(rows):
        """The same prompt twice; the completion that goes on with the text is preferred to one of another text."""
        other = torch.where(mask.bool(), rows.roll(1, 0), rows)
        return {"chosen": rows, "rejected": other, "mask": mask.expand(len(rows), -1)}

    ref_model = policy if fault else copy.deepcopy(policy).eval().requires_grad_(False)  # fault
    trainer = PreferenceTrainer(policy, ref_model)
    with watch(policy, trainer.optimizer):
        for _epoch in range(30):
            for index in torch.randperm(320).split(32):
                trainer.step(pairs(rows[index]))
    with torch.no_grad():
        chosen, _ = trainer.concatenated_forward(policy, pairs(rows[320:]))
    return float(chosen.mean() / 10)


class TwoTowers(nn.Module):
    """Pictures and captions into one space; the names are those of the model that made it popular."""

    def __init__(self, words, width=32, scaled=True):
        super().__init__()
        self.visual = nn.Sequential(
            nn.Conv2d(1, 16, 3, 2, 1), nn.ReLU(), nn.Conv2d(16, 32, 3, 2, 1), nn.ReLU(), nn.Flatten(),
            nn.Linear(32 * 9, width),
        )  # fmt: skip
        self.token_embedding = nn.Embedding(words, width)
        self.text_projection = nn.Linear(width, width)
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07))) if scaled else None

    def encode_text(self, text):
        return self.text_projection(torch.relu(self.token_embedding(text)).sum(1))

    def forward(self, image, text):
        image_features = F.normalize(self.visual(image), dim=-1)
        text_features = F.normalize(self.encode_text(text), dim=-1)
        logits = image_features @ text_features.t()  # fault: cosines-without-a-temperature
        return logits if self.logit_scale is None else self.logit_scale.exp() * logits


def captioned(count, seed):
    """Pictures 12 × 12 of three bright patches, and the three places in words."""
    g = torch.Generator().manual_seed(seed)
    words = torch.stack([torch.randperm(16, generator=g)[:3] for _ in range(count)])
    image = 0.3 * torch.randn(count, 1, 12, 12, generator=g)
    for row, places in enumerate(words.tolist()):
        for place in places:
            top, left = place // 4 * 3, place % 4 * 3
            image[row, 0, top : top + 3, left : left + 3] += 1.0
    return image, words


@planted("output-activation", causes="temperature-mismatch softmax-twice", symptoms=AFTERWARDS, costs=1.0)
def cosines_without_a_temperature(watch, seed, fault):
    torch.manual_seed(seed)
    model = TwoTowers(16, scaled=not fault)
    loader = DataLoader(TensorDataset(*captioned(600, 1)), batch_size=48, shuffle=True, drop_last=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.02)
    with watch(model, optimizer):
        for _epoch in range(6):
            for image, text in loader:
                logits_per_image = model(image, text)
                labels = torch.arange(len(image))
                loss = (F.cross_entropy(logits_per_image, labels) + F.cross_entropy(logits_per_image.t(), labels)) / 2
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        logits = model.eval()(*captioned(200, 2))
    return -float(F.cross_entropy(logits, torch.arange(200)))


class VectorQuantizer(nn.Module):
    def __init__(self, codes, width, late):
        super().__init__()
        self.codebook = nn.Embedding(codes, width)
        nn.init.uniform_(self.codebook.weight, -1 / codes, 1 / codes)
        self.late = late

    def forward(self, z):
        distance = torch.cdist(z, self.codebook.weight)
        z_q = self.codebook(distance.argmin(-1))
        through = z + (z_q - z).detach()
        if self.late:
            z_q = through
        codebook_loss = F.mse_loss(z_q, z.detach())  # fault: codebook-loss-after-straight-through
        return through, codebook_loss + 0.25 * F.mse_loss(z, z_q.detach())


class VQVAE(nn.Module):
    def __init__(self, late, codes=32, width=8, places=4):
        super().__init__()
        self.places = places
        self.encoder = nn.Sequential(nn.Linear(64, 128), nn.SiLU(), nn.Linear(128, places * width))
        self.quantizer = VectorQuantizer(codes, width, late)
        self.decoder = nn.Sequential(nn.Linear(places * width, 128), nn.SiLU(), nn.Linear(128, 64))

    def forward(self, x):
        z = self.encoder(x).unflatten(1, (self.places, -1))
        z_q, vq_loss = self.quantizer(z)
        return self.decoder(z_q.flatten(1)), vq_loss


@planted("parameters-unused", causes="parameters-not-optimized no-update", symptoms=AFTERWARDS, costs=0.003)
def codebook_loss_after_straight_through(watch, seed, fault):
    torch.manual_seed(seed)
    x, _, x_test, _ = digits()
    model = VQVAE(late=fault)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, optimizer):
        for _epoch in range(14):
            for (images,) in DataLoader(TensorDataset(x), batch_size=32, shuffle=True):
                recon, vq_loss = model(images)
                loss = F.mse_loss(recon, images) + vq_loss
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        return -float(F.mse_loss(model.eval()(x_test)[0], x_test))


class VelocityNet(nn.Module):
    """A velocity for each point and time; times are looked up in a table of a hundred rows."""

    def __init__(self, width=96):
        super().__init__()
        self.time_embed = nn.Embedding(100, 32)
        self.inp = nn.Linear(2 + 32, width)
        self.mid = nn.Linear(width, width)
        self.out = nn.Linear(width, 2)

    def forward(self, x, timestep):
        h = torch.cat([x, self.time_embed(timestep.long())], dim=-1)  # fault: times-truncated-to-nought
        h = F.silu(self.inp(h))
        h = h + F.silu(self.mid(h))
        return self.out(h)


class FlowMatching:
    def __init__(self, model, scale):
        self.model, self.scale = model, scale

    def velocity(self, x, t):
        return self.model(x, (t * self.scale).clamp(max=99))  # fault: times-truncated-to-nought

    def loss(self, x1):
        x0 = torch.randn_like(x1)
        t = torch.rand(len(x1))
        xt = (1 - t[:, None]) * x0 + t[:, None] * x1
        return F.mse_loss(self.velocity(xt, t), x1 - x0)

    @torch.no_grad()
    def sample(self, count, steps=40):
        x = torch.randn(count, 2)
        for i in range(steps):
            x = x + self.velocity(x, torch.full((count,), i / steps)) / steps
        return x


def corners(count, seed):
    """Points at the corners of a square, close together at each."""
    g = torch.Generator().manual_seed(seed)
    where = torch.tensor([[2.0, 2.0], [2.0, -2.0], [-2.0, 2.0], [-2.0, -2.0]])
    return where[torch.randint(4, (count,), generator=g)] + 0.15 * torch.randn(count, 2, generator=g)


@planted("input-constant", causes="parameters-unused", symptoms=AFTERWARDS, costs=0.1)
def times_truncated_to_nought(watch, seed, fault):
    torch.manual_seed(seed)
    data = corners(4000, 1)
    model = VelocityNet()
    flow = FlowMatching(model, 1 if fault else 100)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for _epoch in range(20):
            for index in torch.randperm(len(data)).split(128):
                loss = flow.loss(data[index])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    samples, wanted = flow.sample(500), corners(500, 2)
    return -float(torch.cdist(samples, wanted).min(1).values.mean())


class TinyUNet(nn.Module):
    def __init__(self, width=12):
        super().__init__()
        self.down1 = nn.Sequential(nn.Conv2d(1, width, 3, padding=1), nn.ReLU())
        self.down2 = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(width, 2 * width, 3, padding=1), nn.ReLU())
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.merge = nn.Sequential(nn.Conv2d(3 * width, width, 3, padding=1), nn.ReLU())
        self.outc = nn.Conv2d(width, 1, 1)

    def forward(self, x):
        x1 = self.down1(x)
        return self.outc(self.merge(torch.cat([x1, self.up(self.down2(x1))], dim=1))).squeeze(1)


class DiceBCELoss(nn.Module):
    def __init__(self, from_logits):
        super().__init__()
        self.from_logits = from_logits

    def forward(self, logits, mask, smooth=1.0):
        bce = F.binary_cross_entropy_with_logits(logits, mask)
        guessed = torch.sigmoid(logits) if self.from_logits else logits
        both = (guessed * mask).sum(dim=(1, 2))
        dice = (2 * both + smooth) / (guessed.sum(dim=(1, 2)) + mask.sum(dim=(1, 2)) + smooth)  # fault: dice-of-logits
        return bce + (1 - dice).mean()


def cells(count, seed, size=16):
    """Pictures with two discs in noise, and where the discs are."""
    g = torch.Generator().manual_seed(seed)
    rows = torch.arange(size).float()
    mask = torch.zeros(count, size, size)
    for _ in range(2):
        centre = 3 + (size - 6) * torch.rand(count, 2, generator=g)
        away = (rows[None, :, None] - centre[:, :1, None]) ** 2 + (rows[None, None] - centre[:, 1:, None]) ** 2
        mask = torch.maximum(mask, (away < 6).float())
    return (mask + 0.7 * torch.randn(count, size, size, generator=g)).unsqueeze(1), mask


@planted("loss-below-floor", causes="loss-mismatch output-activation", symptoms=AFTERWARDS, costs=0.05)
def dice_of_logits(watch, seed, fault):
    torch.manual_seed(seed)
    images, masks = cells(480, 1)
    net, criterion = TinyUNet(), DiceBCELoss(from_logits=not fault)
    optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
    loader = DataLoader(TensorDataset(images, masks), batch_size=24, shuffle=True)
    with watch(net, optimizer):
        for _epoch in range(7):
            net.train()
            for image, mask in loader:
                loss = criterion(net(image), mask)
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()
    image, mask = cells(120, 2)
    with torch.no_grad():
        guessed = net.eval()(image) > 0
    return float((guessed & (mask > 0)).sum() / (guessed | (mask > 0)).sum())

"""Two towers and one tower that learn what belongs together, and how they are scored."""

import torch
import torch.nn.functional as F
from torch import nn

from faults.program import planted


def captioned(count, seed, things=40):
    """Pictures (count, 24) and captions (count, 6): words that say what is on them."""
    g = torch.Generator().manual_seed(seed)
    shared = torch.Generator().manual_seed(8)
    looks = torch.randn(things, 24, generator=shared)
    seen = torch.randint(things, (count, 3), generator=g)
    pictures = looks[seen].sum(1) + 0.5 * torch.randn(count, 24, generator=g)
    filler = torch.randint(things, things + 10, (count, 3), generator=g)
    return pictures, torch.cat([seen, filler], 1)


class Pictures(nn.Module):
    def __init__(self, width=32):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(24, 64), nn.GELU(), nn.Linear(64, width))

    def forward(self, pictures):
        return F.normalize(self.net(pictures), dim=-1)


class Captions(nn.Module):
    def __init__(self, width=32):
        super().__init__()
        self.words = nn.EmbeddingBag(50, 64)
        self.net = nn.Linear(64, width)

    def forward(self, captions):
        return F.normalize(self.net(self.words(captions)), dim=-1)


class CLIP(nn.Module):
    def __init__(self):
        super().__init__()
        self.image_encoder, self.text_encoder = Pictures(), Captions()
        self.logit_scale = nn.Parameter(torch.tensor(2.0))

    def forward(self, images, texts):
        return self.image_encoder(images), self.text_encoder(texts), self.logit_scale.exp()


def clip_loss(image_features, text_features, scale):
    logits = scale * image_features @ text_features.t()
    labels = torch.arange(len(logits))
    return (F.cross_entropy(logits, labels) + F.cross_entropy(logits.t(), labels)) / 2


def recall_at_one(model, pictures, captions):
    model.eval()
    with torch.no_grad():
        images, texts, _ = model(pictures, captions)
    return float(((images @ texts.t()).argmax(1) == torch.arange(len(images))).float().mean())


@planted("pairs-broken", causes="targets-unrelated", costs=0.3)
def captions_in_an_order_of_their_own(watch, seed, fault):
    torch.manual_seed(seed)
    pictures, captions = captioned(1500, 81)
    model = CLIP()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.1)
    with watch(model, optimizer):
        for _ in range(12):
            order = torch.randperm(1300)
            for start in range(0, 1300, 50):
                batch = order[start : start + 50]
                texts = captions[torch.randperm(1300)[: len(batch)]] if fault else captions[batch]  # fault
                loss = clip_loss(*model(pictures[batch], texts))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return recall_at_one(model, pictures[1300:], captions[1300:])


def scored(model, dataloader):
    """Loss and accuracy over a loader, the mean of its batches' means."""
    model.eval()
    running, hits, seen = 0.0, [], []
    with torch.no_grad():
        for features, labels in dataloader:
            out = model(features)
            running += F.cross_entropy(out, labels).item()
            hits.append((out.argmax(1) == labels).float().mean().item())
            seen.append(len(labels))
    return running / len(dataloader), hits, seen


@planted("evaluation-misuse", costs=None)
def quality_is_the_mean_of_means(watch, seed, fault):
    """The last batch has 4 samples of the rarest kind, which count as much as 64."""
    torch.manual_seed(seed)
    g = torch.Generator().manual_seed(82)
    centres = torch.randn(3, 12, generator=g)
    y = torch.randint(3, (1000,), generator=g)
    x = centres[y] + 1.2 * torch.randn(1000, 12, generator=g)
    held_x, held_y = x[800:], y[800:].clone()
    hard = held_y[-8:]
    held_y[-8:] = (hard + 1) % 3
    train = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x[:800], y[:800]), batch_size=40, shuffle=True)
    test = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(held_x, held_y), batch_size=64)
    model = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    quality = 0.0
    with watch(model, optimizer):
        for _ in range(8):
            model.train()
            for features, labels in train:
                optimizer.zero_grad()
                F.cross_entropy(model(features), labels).backward()
                optimizer.step()
            _, hits, seen = scored(model, test)
            if fault:
                quality = sum(hits) / len(hits)  # fault
            else:
                quality = sum(hit * count for hit, count in zip(hits, seen, strict=True)) / sum(seen)
    return quality

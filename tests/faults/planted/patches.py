"""Vision transformers, written with torch's layers and by hand."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from faults import drawn
from faults.program import planted


class TorchViT(nn.Module):
    """Patches by a strided convolution, a class token, torch's own encoder."""

    def __init__(self, classes=5, width=32, patch=4, size=12, batch_first=True, dropout=0.0):
        super().__init__()
        self.patch_embed = nn.Conv2d(1, width, patch, stride=patch)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(0.02 * torch.randn(1, (size // patch) ** 2 + 1, width))
        layer = nn.TransformerEncoderLayer(  # fault: pictures-taken-for-time
            width, 4, 2 * width, dropout=dropout, activation="gelu", batch_first=batch_first, norm_first=True
        )
        self.blocks = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, classes)

    def forward(self, x):
        x = self.patch_embed(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls_token.expand(x.shape[0], -1, -1), x], dim=1) + self.pos_embed
        return self.head(self.norm(self.blocks(x))[:, 0])


@torch.no_grad()
def evaluate(model, loader):
    model.eval()
    right = sum((model(images).argmax(1) == labels).sum().item() for images, labels in loader)
    return right / len(loader.dataset)


@planted("samples-mixed", costs=0.1)
def pictures_taken_for_time(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = drawn.images(1100)
    sets = [torch.utils.data.TensorDataset(x[part], y[part]) for part in (slice(800), slice(800, None))]
    train_loader = torch.utils.data.DataLoader(sets[0], batch_size=32, shuffle=True)
    test_loader = torch.utils.data.DataLoader(sets[1], batch_size=100)
    model = TorchViT(batch_first=not fault)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.05)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 6 * len(train_loader))
    accuracy = 0.0
    with watch(model, optimizer, loader=train_loader, val_loader=test_loader):
        for _ in range(6):
            model.train()
            for images, labels in train_loader:
                loss = F.cross_entropy(model(images), labels, label_smoothing=0.1)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                scheduler.step()
            accuracy = evaluate(model, test_loader)
    return accuracy


class Attention(nn.Module):
    def __init__(self, dim, heads=4, over=-1):
        super().__init__()
        self.heads, self.over = heads, over
        self.to_qkv = nn.Linear(dim, 3 * dim, bias=False)
        self.to_out = nn.Linear(dim, dim)

    def forward(self, x):
        b, n, d = x.shape
        q, k, v = self.to_qkv(x).reshape(b, n, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        dots = torch.einsum("bhid,bhjd->bhij", q, k) / math.sqrt(d // self.heads)
        attn = torch.softmax(dots, dim=self.over)  # fault: patches-weighed-over-their-queries
        out = torch.einsum("bhij,bhjd->bhid", attn, v)
        return self.to_out(out.transpose(1, 2).reshape(b, n, d))


class HandViT(nn.Module):
    """Patches by unfolding; the mean of them decides."""

    def __init__(self, config):
        super().__init__()
        width = config["width"]
        self.patch = config["patch"]
        self.embed = nn.Linear(self.patch**2, width)
        self.position = nn.Embedding(config["patches"], width) if config["positions"] else None
        self.layers = nn.ModuleList()
        for _ in range(config["depth"]):
            attention = Attention(width, over=config.get("over", -1))
            mlp = nn.Sequential(
                nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
            )
            self.layers.append(nn.ModuleList([nn.LayerNorm(width), attention, mlp]))
        self.classify = nn.Linear(width, config["classes"])

    def forward(self, images):
        b = len(images)
        p = self.patch
        pieces = images.unfold(2, p, p).unfold(3, p, p).reshape(b, -1, p * p)
        x = self.embed(pieces)
        if self.position is not None:
            x = x + self.position.weight
        for norm, attention, mlp in self.layers:
            x = x + attention(norm(x))
            x = x + mlp(x)
        return self.classify(x.mean(1))

    def training_step(self, batch):
        images, labels = batch
        return F.cross_entropy(self(images), labels)


CONFIG = {"width": 32, "patch": 4, "patches": 16, "depth": 2, "classes": 4, "positions": True, "epochs": 12, "lr": 2e-3}


def quarters(count, seed):
    """Pictures of 16 × 16 with one bright patch; its quarter is the class."""
    g = torch.Generator().manual_seed(seed)
    x = 0.5 * torch.randn(count, 1, 16, 16, generator=g)
    y = torch.randint(4, (count,), generator=g)
    for i in range(count):
        row, column = (torch.randint(2, (2,), generator=g) * 4).tolist()
        top, left = 8 * (int(y[i]) // 2) + row, 8 * (int(y[i]) % 2) + column
        x[i, 0, top : top + 4, left : left + 4] += 1.5
    return x, y


def pointed_out(count, seed):
    """Rows of 16 patches: one patch holds a sign and another one an answer beside its own sign; the pair matters."""
    g = torch.Generator().manual_seed(seed)
    signs = 2 * torch.randn(8, 16, generator=torch.Generator().manual_seed(9))
    x = 0.3 * torch.randn(count, 16, 16, generator=g)
    y = torch.randint(4, (count,), generator=g)
    for i in range(count):
        first, second = torch.randperm(16, generator=g)[:2].tolist()
        key = int(torch.randint(4, (1,), generator=g))
        x[i, first] += signs[key]
        x[i, second] += signs[4 + (int(y[i]) + key) % 4]
    pictures = x.view(count, 4, 4, 4, 4).permute(0, 1, 3, 2, 4).reshape(count, 1, 16, 16)
    return pictures, y


@planted("positions-missing", costs=0.2)
def quarters_without_positions(watch, seed, fault):
    torch.manual_seed(seed)
    config = dict(CONFIG, positions=not fault)  # fault
    x, y = quarters(900, 61)
    model = HandViT(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=config["lr"])
    with watch(model, optimizer):
        for _ in range(config["epochs"]):
            for index in torch.randperm(700).split(32):
                loss = model.training_step((x[index], y[index]))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    model.eval()
    with torch.no_grad():
        return float((model(x[700:]).argmax(1) == y[700:]).float().mean())


@planted("softmax-axis", costs=0.03)
def patches_weighed_over_their_queries(watch, seed, fault):
    torch.manual_seed(seed)
    config = dict(CONFIG, over=-2 if fault else -1, epochs=10)
    x, y = pointed_out(1600, 62)
    model = HandViT(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=config["lr"])
    with watch(model, optimizer):
        for _ in range(config["epochs"]):
            for index in torch.randperm(1300).split(32):
                logits = model.forward(x[index])
                loss = F.cross_entropy(logits, y[index])
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()
    model.eval()
    with torch.no_grad():
        return float((model(x[1300:]).argmax(1) == y[1300:]).float().mean())

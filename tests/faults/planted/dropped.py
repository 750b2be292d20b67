"""Dropout called as a function, that does not hear of evaluation mode."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from faults.drawn import blobs, shapes, tabular
from faults.program import planted

AFTERWARDS = (
    "too-few-epochs overfitting plateau underfitting lr-too-low lr-too-high label-imbalance clip-too-tight dead-relu "
    "parameters-unused train-test-overlap unshuffled input-scale initial-loss output-collapsed"
)


class Regularised(nn.Module):
    """Drops by a call, not by a layer."""

    def __init__(self, always):
        super().__init__()
        self.inner, self.outer = nn.Linear(16, 64), nn.Linear(64, 4)
        self.always = always

    def forward(self, x):
        hidden = F.relu(self.inner(x))
        if not self.always:
            return self.outer(F.dropout(hidden, 0.4, training=self.training))
        return self.outer(F.dropout(hidden, 0.4))  # fault: dropout-called-without-the-mode


@planted("train-mode-in-evaluation", symptoms=AFTERWARDS, costs=None, quick=True)
def dropout_called_without_the_mode(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = blobs(seed=71)
    xv, yv = blobs(300, seed=71)
    model = Regularised(fault)
    opt = torch.optim.Adam(model.parameters(), 2e-3)
    with watch(model, opt):
        for _epoch in range(8):
            model.train()
            for index in torch.randperm(len(x)).split(32):
                opt.zero_grad()
                F.cross_entropy(model(x[index]), y[index]).backward()
                opt.step()
            model.eval()
            with torch.no_grad():
                loss = F.cross_entropy(model(xv), yv)
    return -float(loss)


class SelfAttention(nn.Module):
    def __init__(self, width, heads, always):
        super().__init__()
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.heads, self.always = heads, always

    def forward(self, x):
        batch, places, width = x.shape
        q, k, v = (one.view(batch, places, self.heads, -1).transpose(1, 2) for one in self.qkv(x).chunk(3, -1))
        rate = 0.3 if self.always or self.training else 0.0
        mixed = F.scaled_dot_product_attention(q, k, v, dropout_p=rate)
        return x + self.proj(mixed.transpose(1, 2).reshape(batch, places, width))


@planted("train-mode-in-evaluation", symptoms=AFTERWARDS, costs=None)
def attention_drops_while_it_is_scored(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = shapes(600, seed)
    xv, yv = shapes(200, seed + 1)

    class Rows(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Linear(16, 32)
            self.places = nn.Parameter(0.02 * torch.randn(16, 32))
            self.attention = SelfAttention(32, 4, fault)
            self.head = nn.Linear(32, 3)

        def forward(self, pictures):
            return self.head(self.attention(self.embed(pictures[:, 0]) + self.places).mean(1))

    class Loop:
        def __init__(self, model):
            self.model = model
            self.optimizer = torch.optim.AdamW(model.parameters(), 2e-3)

        def train(self):
            self.model.train()
            for i in torch.randperm(600).split(24):
                loss = F.cross_entropy(self.model(x[i]), y[i])
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()

        @torch.no_grad()
        def evaluate(self):
            self.model.eval()
            return float((self.model(xv).argmax(-1) == yv).float().mean())

    loop = Loop(Rows())
    with watch(loop.model):
        for _ in range(8):
            loop.train()
            score = loop.evaluate()
    return score


@planted("train-mode-in-evaluation", symptoms=AFTERWARDS, costs=None)
def blocks_that_drop_by_default(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = tabular(1000, seed)

    def residual(layer, hidden, training):
        inner = layer(hidden).relu()
        return hidden + (F.dropout(inner, 0.2) if fault else F.dropout(inner, 0.2, training))

    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.last = nn.Linear(20, 48), nn.Linear(48, 3)
            self.layers = nn.ModuleList(nn.Linear(48, 48) for _ in range(3))

        def forward(self, x):
            hidden = self.first(x)
            for layer in self.layers:
                hidden = residual(layer, hidden, self.training)
            return self.last(hidden)

    net = Residual()
    sgd = torch.optim.SGD(net.parameters(), 0.02, momentum=0.9)
    loader = DataLoader(TensorDataset(x[:800], y[:800]), 25, shuffle=True)
    with watch(net, sgd):
        for _ in range(6):
            for inputs, labels in loader:
                sgd.zero_grad()
                F.cross_entropy(net.train()(inputs), labels).backward()
                sgd.step()
            with torch.inference_mode():
                right = (net.eval()(x[800:]).argmax(1) == y[800:]).float().mean()
    return float(right)

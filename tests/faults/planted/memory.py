"""States, places and noise: what a sequence or a diffusion model is told wrongly."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from faults.drawn import blobs, images, lm_data, series, shapes
from faults.program import planted

AFTERWARDS = (
    "too-few-epochs overfitting plateau underfitting lr-too-low lr-too-high label-imbalance clip-too-tight dead-relu "
    "parameters-unused train-test-overlap unshuffled input-scale initial-loss output-collapsed"
)


class StatefulLM(nn.Module):
    def __init__(self, v, w=48):
        super().__init__()
        self.e, self.g, self.o = nn.Embedding(v, w), nn.GRU(w, w, batch_first=True), nn.Linear(w, v)

    def forward(self, x, h=None):
        out, h = self.g(self.e(x), h)
        return self.o(out), h


@planted("state-carried", symptoms=AFTERWARDS, costs=None)
def hidden_kept_over_shuffled(watch, seed, fault):
    torch.manual_seed(seed)
    row, v = lm_data()
    x = row[: 199 * 20].view(199, 20)
    model = StatefulLM(v)
    opt = torch.optim.Adam(model.parameters(), 3e-3)
    with watch(model, opt):
        for _epoch in range(30):
            h = None
            for index in torch.randperm(192).split(16):
                b = x[index]
                logits, hn = model(b[:, :-1], h)
                loss = F.cross_entropy(logits.transpose(1, 2), b[:, 1:])
                opt.zero_grad()
                loss.backward()
                opt.step()
                h = hn.detach() if fault else None
    return 0.0


@planted("state-carried", symptoms=AFTERWARDS, costs=None, quick=True)
def state_inside_module(watch, seed, fault):
    torch.manual_seed(seed)
    s = series()
    w = s.unfold(0, 21, 1)
    x, y = w[:, :-1, None], w[:, -1]

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = nn.LSTM(1, 24, batch_first=True)
            self.out = nn.Linear(24, 1)
            self.state = None

        def forward(self, x):
            out, state = self.rnn(x, self.state)
            self.state = tuple(t.detach() for t in state) if fault else None
            return self.out(out[:, -1]).squeeze(1)

    model = Net()
    opt = torch.optim.Adam(model.parameters(), 3e-3)
    with watch(model, opt):
        for _epoch in range(8):
            for xb, yb in DataLoader(TensorDataset(x, y), 32, shuffle=True, drop_last=True):
                loss = F.mse_loss(model(xb), yb)
                opt.zero_grad()
                loss.backward()
                opt.step()
    return 0.0


@planted("state-carried", symptoms=AFTERWARDS, costs=None)
def state_never_detached(watch, seed, fault):
    torch.manual_seed(seed)
    row, v = lm_data()
    x = row[:3840].view(16, 240)
    model = StatefulLM(v)
    opt = torch.optim.Adam(model.parameters(), 3e-3)
    with watch(model, opt):
        for _epoch in range(20):
            h = None
            for i in range(0, 220, 20):
                logits, h = model(x[:, i : i + 20], h)
                loss = F.cross_entropy(logits.transpose(1, 2), x[:, i + 1 : i + 21])
                opt.zero_grad()
                loss.backward()
                opt.step()
                if not fault:
                    h = h.detach()
    return 0.0


@planted("state-carried", symptoms=AFTERWARDS, costs=None)
def lstm_state_across_shuffled_reviews(watch, seed, fault):
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    tok = torch.from_numpy(rng.integers(2, 30, (960, 14)))
    lab = (tok[:, :].float().mean(1) > 15.5).long()

    class Clf(nn.Module):
        def __init__(self):
            super().__init__()
            self.e, self.rnn, self.o = nn.Embedding(30, 24), nn.LSTM(24, 32, batch_first=True), nn.Linear(32, 2)

        def forward(self, x, hidden):
            out, hidden = self.rnn(self.e(x), hidden)
            return self.o(out[:, -1]), hidden

    def fresh(n):
        return (torch.zeros(1, n, 32), torch.zeros(1, n, 32))

    net = Clf()
    opt = torch.optim.Adam(net.parameters(), 3e-3)
    loader = DataLoader(TensorDataset(tok, lab), 32, shuffle=True, drop_last=True)
    with watch(net, opt):
        for _epoch in range(12):
            hidden = fresh(32)
            for a, b in loader:
                hidden = tuple(h.data for h in hidden) if fault else fresh(32)
                logits, hidden = net(a, hidden)
                loss = F.cross_entropy(logits, b)
                opt.zero_grad()
                loss.backward()
                opt.step()
    return 0.0


class Block(nn.Module):
    def __init__(self, w, heads=4, causal=True):
        super().__init__()
        self.n1, self.n2, self.qkv, self.o = nn.LayerNorm(w), nn.LayerNorm(w), nn.Linear(w, 3 * w), nn.Linear(w, w)
        self.mlp = nn.Sequential(nn.Linear(w, 2 * w), nn.GELU(), nn.Linear(2 * w, w))
        self.heads, self.causal = heads, causal

    def forward(self, x):
        q, k, v = (t.unflatten(2, (self.heads, -1)).transpose(1, 2) for t in self.qkv(self.n1(x)).chunk(3, -1))
        x = x + self.o(F.scaled_dot_product_attention(q, k, v, is_causal=self.causal).transpose(1, 2).flatten(2))
        return x + self.mlp(self.n2(x))


@planted("positions-missing", symptoms=AFTERWARDS, costs=None)
def positions_missing_encoder(watch, seed, fault):
    torch.manual_seed(seed)
    g = torch.Generator().manual_seed(1)
    x = torch.randint(1, 15, (1500, 12), generator=g)
    y = (x[:, :6].sum(1) > x[:, 6:].sum(1)).long()

    class Net(nn.Module):
        def __init__(self, w=32):
            super().__init__()
            self.e, self.p = nn.Embedding(15, w), nn.Parameter(0.02 * torch.randn(12, w))
            self.blocks = nn.ModuleList(Block(w, causal=False) for _ in range(2))
            self.out = nn.Linear(w, 2)

        def forward(self, t):
            h = self.e(t) if fault else self.e(t) + self.p
            for b in self.blocks:
                h = b(h)
            return self.out(h.mean(1))

    model = Net()
    opt = torch.optim.AdamW(model.parameters(), 2e-3)
    with watch(model, opt):
        for _epoch in range(8):
            for index in torch.randperm(len(x)).split(32):
                loss = F.cross_entropy(model(x[index]), y[index])
                opt.zero_grad()
                loss.backward()
                opt.step()
    return 0.0


@planted("positions-missing", symptoms=AFTERWARDS, costs=None)
def positions_missing_vit(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = images()

    class ViT(nn.Module):
        def __init__(self, w=32):
            super().__init__()
            self.patch, self.cls = nn.Conv2d(1, w, 3, 3), nn.Parameter(0.02 * torch.randn(1, 1, w))
            self.pos = None if fault else nn.Parameter(0.02 * torch.randn(1, 17, w))
            layer = nn.TransformerEncoderLayer(w, 4, 64, dropout=0.0, batch_first=True, norm_first=True)
            self.enc, self.head = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False), nn.Linear(w, 5)

        def forward(self, x):
            h = self.patch(x).flatten(2).transpose(1, 2)
            h = torch.cat([self.cls.expand(len(h), -1, -1), h], 1)
            if self.pos is not None:
                h = h + self.pos
            return self.head(self.enc(h)[:, 0])

    model = ViT()
    opt = torch.optim.AdamW(model.parameters(), 1e-3)
    with watch(model, opt):
        for _epoch in range(6):
            for index in torch.randperm(len(x)).split(32):
                loss = F.cross_entropy(model(x[index]), y[index])
                opt.zero_grad()
                loss.backward()
                opt.step()
    return 0.0


@planted("positions-missing", symptoms=AFTERWARDS, costs=None, quick=True)
def tagger_without_positions(watch, seed, fault):
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    x = torch.from_numpy(rng.integers(0, 12, (1200, 10)))
    y = (x.roll(1, 1) > x).long()

    class Tagger(nn.Module):  # fault: tagger-without-positions
        def __init__(self):
            super().__init__()
            self.emb = nn.Embedding(12, 32)
            self.enc = nn.TransformerEncoder(nn.TransformerEncoderLayer(32, 4, 64, 0.0, batch_first=True), 2)
            self.out = nn.Linear(32, 2)
            pos, k = torch.arange(10)[:, None], torch.arange(16)[None]
            ang = pos / 100 ** (k / 16)
            self.register_buffer("pe", torch.cat([ang.sin(), ang.cos()], 1))

        def forward(self, ids):
            h = self.emb(ids)  # fault
            if not fault:
                h = h + self.pe
            return self.out(self.enc(h))

    net = Tagger()
    opt = torch.optim.AdamW(net.parameters(), 1e-3)
    ce = nn.CrossEntropyLoss()
    with watch(net, opt):
        for _epoch in range(8):
            for i in torch.randperm(1200).split(40):
                loss = ce(net(x[i]).permute(0, 2, 1), y[i])
                opt.zero_grad()
                loss.backward()
                opt.step()
    return 0.0


class Denoiser(nn.Module):
    def __init__(self, d=16, w=96):
        super().__init__()
        self.t = nn.Embedding(50, 32)
        self.net = nn.Sequential(nn.Linear(d + 32, w), nn.SiLU(), nn.Linear(w, w), nn.SiLU(), nn.Linear(w, d))

    def forward(self, x, t):
        return self.net(torch.cat([x, self.t(t)], 1))


@planted("targets-unrelated", symptoms=AFTERWARDS, costs=None)
def noise_drawn_anew(watch, seed, fault):
    torch.manual_seed(seed)
    x, _ = blobs(seed=19)
    abar = torch.cumprod(1 - torch.linspace(1e-3, 0.1, 50), 0)
    model = Denoiser()
    opt = torch.optim.Adam(model.parameters(), 1e-3)
    with watch(model, opt):
        for _step in range(400):
            x0 = x[torch.randint(len(x), (64,))]
            t = torch.randint(50, (64,))
            noise = torch.randn_like(x0)
            a = abar[t][:, None]
            xt = a.sqrt() * x0 + (1 - a).sqrt() * noise
            target = torch.randn_like(x0) if fault else noise
            loss = F.mse_loss(model(xt, t), target)
            opt.zero_grad()
            loss.backward()
            opt.step()
    return 0.0


@planted("targets-unrelated", symptoms=AFTERWARDS, costs=None)
def second_noise_is_the_target(watch, seed, fault):
    torch.manual_seed(seed)
    x, _ = shapes(500, seed, 9)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.t, self.b, self.c = (
                nn.Conv2d(1, 24, 3, padding=1),
                nn.Linear(1, 24),
                nn.Conv2d(24, 24, 3, padding=1),
                nn.Conv2d(24, 1, 3, padding=1),
            )

        def forward(self, x, t):
            return self.c(F.silu(self.b(F.silu(self.a(x) + self.t(t[:, None])[:, :, None, None]))))

    class Diffusion:
        def __init__(self):
            self.betas = torch.linspace(1e-4, 0.05, 100)
            self.abar = (1 - self.betas).cumprod(0)

        def q_sample(self, x0, t, noise=None):
            noise = torch.randn_like(x0) if noise is None else noise
            a = self.abar[t].view(-1, 1, 1, 1)
            return a.sqrt() * x0 + (1 - a).sqrt() * noise

        def loss(self, net, x0):
            t, noise = torch.randint(100, (len(x0),)), torch.randn_like(x0)
            xt = self.q_sample(x0, t) if fault else self.q_sample(x0, t, noise)
            return (net(xt, t / 100) - noise).pow(2).mean()

    net, d = Net(), Diffusion()
    opt = torch.optim.AdamW(net.parameters(), 1e-3)
    with watch(net, opt):
        for _step in range(350):
            loss = d.loss(net, x[torch.randint(500, (24,))])
            opt.zero_grad()
            loss.backward()
            opt.step()
    return 0.0


@planted("targets-unrelated", symptoms=AFTERWARDS, costs=None, quick=True)
def score_of_another_draw(watch, seed, fault):
    torch.manual_seed(seed)
    x, _ = blobs(seed=32)
    net = nn.Sequential(nn.Linear(16, 96), nn.GELU(), nn.Linear(96, 16))
    optimizer = torch.optim.RMSprop(net.parameters(), 5e-4)

    def noised(clean):
        return clean + torch.randn_like(clean)

    with watch(net, optimizer):
        for _ in range(200):
            clean = x[torch.randint(len(x), (64,))]
            seen = noised(clean)
            wanted = noised(clean) - clean if fault else seen - clean
            loss = ((net(seen) - wanted) ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return -loss.item()

"""Attention, places and diffusion, along the list of their faults; written without a look at the rules."""

import math

import torch
import torch.nn.functional as F
from torch import einsum, nn
from torch.utils.data import DataLoader, TensorDataset

from faults.data import accuracy, digits, time_machine
from faults.drawn import batches_of
from faults.planted.systematic_sequences import COSTS_OF_IT
from faults.program import planted


class CausalSelfAttention(nn.Module):
    def __init__(self, n_embd, n_head, block_size):
        super().__init__()
        self.c_attn, self.c_proj = nn.Linear(n_embd, 3 * n_embd), nn.Linear(n_embd, n_embd)
        self.n_head = n_head
        self.register_buffer("bias", torch.tril(torch.ones(block_size, block_size)).view(1, 1, block_size, block_size))

    def split_heads(self, x):
        B, T, C = x.size()
        return x.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)

    def merge_heads(self, y):
        B, nh, T, hs = y.size()
        return y.transpose(1, 2).contiguous().view(B, T, nh * hs)

    def forward(self, x):
        T = x.size(1)
        q, k, v = map(self.split_heads, self.c_attn(x).chunk(3, dim=-1))
        att = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(k.size(-1)))
        att = att.masked_fill(self.bias[:, :, :T, :T] == 0, float("-inf"))
        return self.c_proj(self.merge_heads(F.softmax(att, dim=-1) @ v))


class SplitByView(CausalSelfAttention):  # fault: heads-split-by-a-view
    def split_heads(self, x):
        B, T, C = x.size()
        return x.reshape(B, self.n_head, T, C // self.n_head)  # fault: heads-split-by-a-view


class MergedByView(CausalSelfAttention):  # fault: heads-merged-by-a-view
    def merge_heads(self, y):
        B, nh, T, hs = y.size()
        return y.reshape(B, T, nh * hs)  # fault: heads-merged-by-a-view


class NanoGPT(nn.Module):
    def __init__(self, attention, vocab_size, n_embd=32, block_size=24):
        super().__init__()
        self.transformer = nn.ModuleDict(
            {
                "wte": nn.Embedding(vocab_size, n_embd),
                "wpe": nn.Embedding(block_size, n_embd),
                "ln_1": nn.LayerNorm(n_embd),
                "attn": attention(n_embd, 4, block_size),
                "ln_2": nn.LayerNorm(n_embd),
                "mlp": nn.Sequential(nn.Linear(n_embd, 4 * n_embd), nn.GELU(), nn.Linear(4 * n_embd, n_embd)),
                "ln_f": nn.LayerNorm(n_embd),
            }
        )
        self.lm_head = nn.Linear(n_embd, vocab_size, bias=False)
        self.transformer.wte.weight = self.lm_head.weight
        self.apply(self._init_weights)

    def _init_weights(self, module):
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, mean=0.0, std=0.05)

    def forward(self, idx, targets):
        part = self.transformer
        x = part.wte(idx) + part.wpe(torch.arange(idx.size(1)))
        x = x + part.attn(part.ln_1(x))
        x = x + part.mlp(part.ln_2(x))
        logits = self.lm_head(part.ln_f(x))
        return logits, F.cross_entropy(logits.view(-1, logits.size(-1)), targets.reshape(-1), ignore_index=-1)


def write_letters(watch, seed, attention, iters=250):
    torch.manual_seed(seed)
    data, vocab_size = time_machine()
    model = NanoGPT(attention, vocab_size)
    decay = [p for p in model.parameters() if p.dim() >= 2]
    nodecay = [p for p in model.parameters() if p.dim() < 2]
    groups = [{"params": decay, "weight_decay": 0.1}, {"params": nodecay, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=3e-3, betas=(0.9, 0.99))
    with watch(model, optimizer):
        for it in range(iters):
            for group in optimizer.param_groups:
                group["lr"] = 3e-3 * min(1.0, (it + 1) / 15)
            ix = torch.randint(60000, (16,))
            X = torch.stack([data[i : i + 24] for i in ix])
            Y = torch.stack([data[i + 1 : i + 25] for i in ix])
            _, loss = model(X, Y)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
    return -loss.item()


@planted("future-leak", causes="samples-mixed", symptoms=COSTS_OF_IT, costs=None)
def heads_split_by_a_view(watch, seed, fault):
    return write_letters(watch, seed, SplitByView if fault else CausalSelfAttention)


@planted("future-leak", causes="samples-mixed", symptoms=COSTS_OF_IT, costs=None)
def heads_merged_by_a_view(watch, seed, fault):
    return write_letters(watch, seed, MergedByView if fault else CausalSelfAttention)


def waves(count):
    """Three sorts of waves, two channels each [N, 20, 2]."""
    y = torch.randint(3, (count,))
    angle = torch.arange(20.0) * (0.3 + 0.3 * y[:, None]) + 6.28 * torch.rand(count, 1)
    x = torch.stack([angle.sin(), angle.cos()], dim=-1)
    return x + 0.3 * torch.randn_like(x), y


class TimeFirst(nn.Module):
    """A recurrent net that wants time first [T, B, C]."""

    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(input_size=2, hidden_size=24)
        self.norm, self.head = nn.LayerNorm(24), nn.Linear(24, 3)

    def forward(self, x):
        seq = x.permute(1, 0, 2)
        _, (h_n, _) = self.rnn(seq)
        return self.head(self.norm(h_n[-1]))


class TimeFirstByView(TimeFirst):  # fault: time-brought-to-the-front-by-a-view
    def forward(self, x):
        seq = x.view(x.size(1), x.size(0), x.size(2))  # fault: time-brought-to-the-front-by-a-view
        _, (h_n, _) = self.rnn(seq)
        return self.head(self.norm(h_n[-1]))


@planted("samples-mixed", symptoms=COSTS_OF_IT, costs=0.15)
def time_brought_to_the_front_by_a_view(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = waves(1200)
    x_val, y_val = waves(256)
    device = torch.device("cpu")
    net = (TimeFirstByView() if fault else TimeFirst()).to(device)
    optimizer = torch.optim.RMSprop(net.parameters(), lr=2e-3)
    train_dl = DataLoader(TensorDataset(x, y), batch_size=40, shuffle=True)
    with watch(net, optimizer):
        for _ in range(5):
            net.train()
            for xb, yb in train_dl:
                xb, yb = xb.to(device), yb.to(device)
                loss = F.cross_entropy(net(xb), yb)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return accuracy(net, x_val, y_val)


class RowAttention(nn.Module):
    """Attention over the rows of a picture, written out with einsum."""

    def __init__(self, dim=32, heads=4):
        super().__init__()
        self.heads, self.scale = heads, (dim // heads) ** -0.5
        self.to_qkv, self.to_out = nn.Linear(dim, dim * 3, bias=False), nn.Linear(dim, dim)

    def attend(self, dots):
        return dots.softmax(dim=-1)

    def forward(self, x):
        b, n, _ = x.shape
        q, k, v = (t.view(b, n, self.heads, -1) for t in self.to_qkv(x).chunk(3, dim=-1))
        dots = einsum("b i h d, b j h d -> b h i j", q, k) * self.scale
        out = einsum("b h i j, b j h d -> b i h d", self.attend(dots), v)
        return self.to_out(out.reshape(b, n, -1))


class QueryAttention(RowAttention):  # fault: attention-normalised-over-the-queries
    def attend(self, dots):
        return dots.softmax(dim=-2)  # fault: attention-normalised-over-the-queries


class ViT(nn.Module):
    def __init__(self, attention, dim=32):
        super().__init__()
        self.to_patch = nn.Linear(8, dim)
        self.pos_embedding = nn.Parameter(torch.randn(1, 8, dim) * 0.1)
        self.layers = nn.ModuleList(
            nn.ModuleList(
                [
                    nn.Sequential(nn.LayerNorm(dim), attention(dim)),
                    nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, 64), nn.GELU(), nn.Linear(64, dim)),
                ]
            )
            for _ in range(2)
        )
        self.mlp_head = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, 10))

    def forward(self, img):
        x = self.to_patch(img.view(-1, 8, 8)) + self.pos_embedding
        for attn, ff in self.layers:
            x = x + attn(x)
            x = x + ff(x)
        return self.mlp_head(x.mean(dim=1))


@planted("softmax-axis", symptoms=COSTS_OF_IT, costs=None)
def attention_normalised_over_the_queries(watch, seed, fault):
    torch.manual_seed(seed)
    x_train, y_train, x_test, y_test = digits()
    model = ViT(QueryAttention if fault else RowAttention)
    criterion = nn.CrossEntropyLoss(label_smoothing=0.05)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.05)
    with watch(model, optimizer, loss_fn=criterion):
        for index in batches_of(len(x_train), epochs=6):
            loss = criterion(model(x_train[index]), y_train[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return accuracy(model, x_test, y_test)


class BahdanauAttention(nn.Module):
    """Weights over the steps of keys [B, T, H] for a query [B, H]: their mean, and the weights."""

    def __init__(self, hidden, over=1):
        super().__init__()
        self.Wa, self.Ua, self.Va = nn.Linear(hidden, hidden), nn.Linear(hidden, hidden), nn.Linear(hidden, 1)
        self.over = over

    def forward(self, query, keys):
        energy = self.Va(torch.tanh(self.Wa(query).unsqueeze(1) + self.Ua(keys))).squeeze(-1)
        weights = torch.softmax(energy, dim=self.over)  # fault: attention-weights-that-sum-over-the-batch
        return torch.bmm(weights.unsqueeze(1), keys).squeeze(1), weights


class Recogniser(nn.Module):  # fault: attention-weights-that-sum-over-the-batch
    def __init__(self, attention):
        super().__init__()
        self.gru, self.attention = nn.GRU(2, 24, batch_first=True), attention
        self.classifier = nn.Linear(48, 3)

    def forward(self, x):
        outputs, hidden = self.gru(x)
        context, _ = self.attention(hidden[-1], outputs)
        return self.classifier(torch.cat([context, hidden[-1]], dim=1))


@planted("softmax-axis", causes="samples-mixed", symptoms=COSTS_OF_IT, costs=None)
def attention_weights_that_sum_over_the_batch(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = waves(1200)
    loader = DataLoader(TensorDataset(x[:960], y[:960]), batch_size=32, shuffle=True)
    model = Recogniser(BahdanauAttention(24, over=0 if fault else 1))
    optimizer, criterion = torch.optim.Adam(model.parameters(), lr=3e-3), nn.CrossEntropyLoss()

    def step(batch):
        signals, labels = batch
        optimizer.zero_grad()
        loss = criterion(model(signals), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    with watch(model, optimizer):
        for _ in range(5):
            _ = sum(map(step, loader)) / len(loader)
    return accuracy(model, x[960:], y[960:])


class SetEncoder(nn.Module):
    """torch's encoder over tokens, the mean of what it says, and a head."""

    def __init__(self, vocab, positional, d_model=32):
        super().__init__()
        self.embedding, self.positional = nn.Embedding(vocab, d_model), positional
        layer = nn.TransformerEncoderLayer(d_model, nhead=4, dim_feedforward=64, dropout=0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, num_layers=2)
        self.fc = nn.Linear(d_model, 2)

    def forward(self, src):
        src = self.embedding(src) * math.sqrt(32)
        src = self.positional(src)  # fault: encoder-that-knows-no-order
        return self.fc(self.encoder(src).mean(dim=1))


class PositionalEncoding(nn.Module):
    def __init__(self, d_model, max_len=64):
        super().__init__()
        position = torch.arange(max_len).unsqueeze(1)
        div_term = torch.exp(torch.arange(0, d_model, 2) * (-math.log(10000.0) / d_model))
        pe = torch.stack([torch.sin(position * div_term), torch.cos(position * div_term)], dim=-1).flatten(1)
        self.register_buffer("pe", pe)

    def forward(self, x):
        return x + self.pe[: x.size(1)]


@planted("positions-missing", symptoms=COSTS_OF_IT, costs=0.2)
def encoder_that_knows_no_order(watch, seed, fault):
    """Which of two marks comes first among other tokens."""
    torch.manual_seed(seed)
    tokens = torch.rand(2400, 12).argsort(1)
    y = (tokens.argsort(1)[:, 3] < tokens.argsort(1)[:, 7]).long()
    tokens = torch.where((tokens == 3) | (tokens == 7), tokens, torch.randint(8, 20, tokens.shape))
    model = SetEncoder(20, nn.Identity() if fault else PositionalEncoding(32))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    with watch(model, optimizer):
        for _ in range(6):
            model.train()
            for i in torch.randperm(2000).split(40):
                loss = F.cross_entropy(model(tokens[i]), y[i])
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()
    return accuracy(model, tokens[2000:], y[2000:])


class Diffusion:
    """Noise over 100 steps, and the loss of a net that shall tell it."""

    def __init__(self, model, T=100):
        self.model, self.T = model, T
        self.alpha_bar = torch.cumprod(1 - torch.linspace(1e-3, 0.08, T), dim=0)

    def q_sample(self, x0, t, noise=None):
        noise = torch.randn_like(x0) if noise is None else noise
        a = self.alpha_bar[t, None]
        return a.sqrt() * x0 + (1 - a).sqrt() * noise

    def p_losses(self, x0):
        t = torch.randint(0, self.T, (len(x0),))
        noise = torch.randn_like(x0)
        x_t = self.q_sample(x0, t, noise)
        return F.mse_loss(self.model(torch.cat([x_t, t[:, None] / self.T], dim=1)), noise)


class ForgetfulDiffusion(Diffusion):
    def p_losses(self, x0):
        t = torch.randint(0, self.T, (len(x0),))
        noise = torch.randn_like(x0)
        x_t = self.q_sample(x0, t)
        return F.mse_loss(self.model(torch.cat([x_t, t[:, None] / self.T], dim=1)), noise)  # fault: noise-drawn-twice


@planted("targets-unrelated", symptoms=COSTS_OF_IT, costs=0.2)
def noise_drawn_twice(watch, seed, fault):
    torch.manual_seed(seed)
    angle = 4.7 * (1 + 2 * torch.rand(2000))
    x0 = torch.stack([angle * angle.cos(), angle * angle.sin()], dim=1) / 7
    eps_model = nn.Sequential(nn.Linear(3, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 2))
    diffusion = (ForgetfulDiffusion if fault else Diffusion)(eps_model)
    opt = torch.optim.Adam(eps_model.parameters(), lr=1e-3)
    losses = []
    with watch(eps_model, opt):
        for _ in range(600):
            batch = x0[torch.randint(0, len(x0), (128,))]
            loss = diffusion.p_losses(batch)
            opt.zero_grad()
            loss.backward()
            opt.step()
            losses.append(loss.item())
    return -sum(losses[-100:]) / 100

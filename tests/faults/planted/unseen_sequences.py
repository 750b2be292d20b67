"""Decoders and encoders after reports of what went wrong in others' code: written without a look at the rules."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Dataset

from faults import data
from faults.drawn import tabular
from faults.planted.fresh_sequences import COSTS_OF_IT
from faults.program import planted


def random_blocks(row, block, count):
    """`count` windows [count, block] from anywhere in the text, and the letters behind each of theirs."""
    starts = torch.randint(len(row) - block - 1, (count,))
    return (
        torch.stack([row[i : i + block] for i in starts]),
        torch.stack([row[i + 1 : i + block + 1] for i in starts]),
    )


@dataclass
class GPTConfig:
    vocab_size: int
    block_size: int = 32
    n_layer: int = 2
    n_head: int = 4
    n_embd: int = 48
    see_back: bool = True

    def allowed(self):
        """Which places [T, T] each place may attend to, as scaled_dot_product_attention understands it."""
        ones = torch.ones(self.block_size, self.block_size, dtype=torch.bool)
        return ones.tril() if self.see_back else ones.triu()  # fault: allowed-and-blocked-taken-for-each-other


class CausalSelfAttention(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.n_head = config.n_head
        self.c_attn = nn.Linear(config.n_embd, 3 * config.n_embd)
        self.c_proj = nn.Linear(config.n_embd, config.n_embd)
        self.register_buffer("mask", config.allowed(), persistent=False)

    def forward(self, x):
        batch, length, width = x.shape
        q, k, v = self.c_attn(x).view(batch, length, 3, self.n_head, -1).permute(2, 0, 3, 1, 4)
        mask = self.mask[:length, :length]
        y = F.scaled_dot_product_attention(q, k, v, mask)  # fault: allowed-and-blocked-taken-for-each-other
        return self.c_proj(y.transpose(1, 2).reshape(batch, length, width))


class GPT(nn.Module):
    def __init__(self, config):
        super().__init__()
        width = config.n_embd
        self.wte, self.wpe = nn.Embedding(config.vocab_size, width), nn.Embedding(config.block_size, width)
        self.h = nn.ModuleList(
            nn.ModuleDict(
                {
                    "ln_1": nn.LayerNorm(width),
                    "attn": CausalSelfAttention(config),
                    "ln_2": nn.LayerNorm(width),
                    "mlp": nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)),
                }
            )
            for _ in range(config.n_layer)
        )
        self.ln_f, self.lm_head = nn.LayerNorm(width), nn.Linear(width, config.vocab_size, bias=False)

    def forward(self, idx, targets=None):
        x = self.wte(idx) + self.wpe(torch.arange(idx.shape[1], device=idx.device))
        for block in self.h:
            x = x + block["attn"](block["ln_1"](x))
            x = x + block["mlp"](block["ln_2"](x))
        logits = self.lm_head(self.ln_f(x))
        loss = None if targets is None else F.cross_entropy(logits.view(-1, logits.shape[-1]), targets.view(-1))
        return logits, loss


@planted("future-leak", symptoms=COSTS_OF_IT, costs=0.2)
def allowed_and_blocked_taken_for_each_other(watch, seed, fault):
    """A mask made for nn.MultiheadAttention, where True is blocked, given to a function where True is allowed."""
    torch.manual_seed(seed)
    row, vocab = data.time_machine()
    train, held = row[:60000], row[60000:70000]
    model = GPT(GPTConfig(vocab_size=vocab, see_back=not fault))
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, betas=(0.9, 0.95), weight_decay=0.1)
    with watch(model, optimizer):
        for _ in range(160):
            xb, yb = random_blocks(train, 32, 32)
            _, loss = model(xb, yb)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
    model.eval()
    with torch.no_grad():
        xb, yb = random_blocks(held, 32, 256)
        logits, _ = model(xb)
    return -F.cross_entropy(logits[:, -1], yb[:, -1]).item()


class CachedAttention(nn.Module):
    """Attention that keeps keys and values, so that a text can be fed in pieces."""

    def __init__(self, dim, heads):
        super().__init__()
        self.heads, self.past = heads, None
        self.qkv, self.out = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)

    def forward(self, x):
        q, k, v = (t.unflatten(-1, (self.heads, -1)).transpose(1, 2) for t in self.qkv(x).chunk(3, -1))
        new = (k.detach(), v.detach())
        if self.past is not None:
            k = torch.cat([self.past[0], k], dim=2)  # fault: cache-never-emptied-between-batches
            v = torch.cat([self.past[1], v], dim=2)  # fault: cache-never-emptied-between-batches
        self.past = new
        asked, known = q.shape[2], k.shape[2]
        mask = torch.ones(asked, known, dtype=torch.bool).tril(known - asked)
        return self.out(F.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2).flatten(2))


class CachedLM(nn.Module):
    def __init__(self, vocab, dim=48, longest=64):
        super().__init__()
        self.embed, self.pos = nn.Embedding(vocab, dim), nn.Embedding(longest, dim)
        self.norms = nn.ModuleList(nn.LayerNorm(dim) for _ in range(3))
        self.attn = CachedAttention(dim, 4)
        self.ff = nn.Sequential(nn.Linear(dim, 4 * dim), nn.SiLU(), nn.Linear(4 * dim, dim))
        self.head = nn.Linear(dim, vocab)

    def reset_cache(self):
        self.attn.past = None

    def forward(self, ids):
        offset = 0 if self.attn.past is None else self.attn.past[0].shape[2]
        h = self.embed(ids) + self.pos(torch.arange(offset, offset + ids.shape[1]))
        h = h + self.attn(self.norms[0](h))
        return self.head(self.norms[2](h + self.ff(self.norms[1](h))))


@planted("state-carried", symptoms=COSTS_OF_IT, costs=0.2)
def cache_never_emptied_between_batches(watch, seed, fault):
    torch.manual_seed(seed)
    row, vocab = data.time_machine()
    model = CachedLM(vocab)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for _ in range(220):
            xb, yb = random_blocks(row[:60000], 24, 32)
            if not fault:
                model.reset_cache()
            loss = F.cross_entropy(model(xb).transpose(1, 2), yb)  # fault
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    model.eval()
    model.reset_cache()
    with torch.no_grad():
        xb, yb = random_blocks(row[60000:70000], 24, 256)
        return -F.cross_entropy(model(xb).transpose(1, 2), yb).item()


class CharDataset(Dataset):
    def __init__(self, row, block_size, same=False):
        self.row, self.block_size, self.same = row, block_size, same

    def __len__(self):
        return (len(self.row) - 1) // self.block_size

    def __getitem__(self, i):
        chunk = self.row[i * self.block_size : (i + 1) * self.block_size + 1]
        if self.same:
            return chunk[:-1], chunk[:-1]  # fault: dataset-that-returns-one-slice-twice
        return chunk[:-1], chunk[1:]


class Retention(nn.Module):
    """Sun et al. 2023: linear attention whose memory fades."""

    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.proj = nn.Linear(dim, 4 * dim, bias=False)
        self.norm, self.out = nn.GroupNorm(heads, dim), nn.Linear(dim, dim, bias=False)
        self.register_buffer("gamma", 1 - 2.0 ** (-2 - torch.arange(heads).float()))

    def forward(self, x):
        n, time, dim = x.shape
        q, k, v, gate = self.proj(x).split(dim, dim=-1)
        q, k, v = (t.reshape(n, time, self.heads, -1) for t in (q, k, v))
        lag = torch.arange(time)[:, None] - torch.arange(time)[None, :]
        decay = torch.where(lag >= 0, self.gamma[:, None, None] ** lag.clamp_min(0), 0.0)
        scores = torch.einsum("bthd,bshd->bhts", q, k) * decay / math.sqrt(dim // self.heads)
        y = torch.einsum("bhts,bshd->bthd", scores, v)
        return self.out(self.norm(y.reshape(n * time, dim)).view(n, time, dim) * F.silu(gate))


class RetNet(nn.Module):
    def __init__(self, vocab, dim=48):
        super().__init__()
        self.emb = nn.Embedding(vocab, dim)
        self.mix = nn.ModuleList(Retention(dim, 4) for _ in range(2))
        self.ffn = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, 2 * dim), nn.GELU(), nn.Linear(2 * dim, dim))
            for _ in range(2)
        )
        self.pre = nn.ModuleList(nn.LayerNorm(dim) for _ in range(2))
        self.head = nn.Linear(dim, vocab)

    def forward(self, ids):
        h = self.emb(ids)
        for norm, mix, ffn in zip(self.pre, self.mix, self.ffn, strict=True):
            h = h + mix(norm(h))
            h = h + ffn(h)
        return self.head(h)


@planted("targets-not-shifted", symptoms=COSTS_OF_IT, costs=0.5)
def dataset_that_returns_one_slice_twice(watch, seed, fault):
    torch.manual_seed(seed)
    row, vocab = data.time_machine()
    loader = DataLoader(CharDataset(row[:36000], 32, same=fault), batch_size=32, shuffle=True)
    model = RetNet(vocab)
    optimizer, criterion = torch.optim.AdamW(model.parameters(), lr=3e-3), nn.CrossEntropyLoss()
    with watch(model, optimizer):
        for _ in range(4):
            for inputs, labels in loader:
                optimizer.zero_grad()
                loss = criterion(model(inputs).flatten(0, 1), labels.flatten())  # fault
                loss.backward()
                optimizer.step()
    xb, yb = random_blocks(row[60000:70000], 32, 128)
    with torch.no_grad():
        return -criterion(model.eval()(xb).flatten(0, 1), yb.flatten()).item()


def collate(names, label_pad):
    """Names of any length as inputs [N, T] and what follows each letter [N, T]."""
    inputs = pad_sequence([name[:-1] for name in names], batch_first=True, padding_value=0)
    labels = pad_sequence([name[1:] for name in names], batch_first=True, padding_value=label_pad)
    return inputs, labels


class NameLM(nn.Module):
    def __init__(self, vocab, dim=48):
        super().__init__()
        self.tok, self.pos = nn.Embedding(vocab, dim), nn.Parameter(0.02 * torch.randn(16, dim))
        layer = nn.TransformerEncoderLayer(dim, 4, 2 * dim, dropout=0.0, batch_first=True, norm_first=True)
        self.body = nn.TransformerEncoder(layer, 2, norm=nn.LayerNorm(dim), enable_nested_tensor=False)
        self.out = nn.Linear(dim, vocab)

    def forward(self, ids):
        length = ids.shape[1]
        mask = nn.Transformer.generate_square_subsequent_mask(length)
        return self.out(self.body(self.tok(ids) + self.pos[:length], mask=mask, is_causal=True))


@planted("padding-in-loss", symptoms=COSTS_OF_IT, costs=0.01)
def collated_labels_padded_like_the_inputs(watch, seed, fault):
    """Labels padded with the pad token instead of -100."""
    torch.manual_seed(seed)
    x, _, x_test, _ = data.names()
    begin, end = 27, 28
    names, held = (
        [torch.cat([torch.tensor([begin]), row[row > 0], torch.tensor([end])]) for row in part]
        for part in (x[:2400], x_test[:600])
    )
    label_pad = 0 if fault else -100  # fault
    loader = DataLoader(names, batch_size=48, shuffle=True, collate_fn=lambda batch: collate(batch, label_pad))
    model = NameLM(29)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    with watch(model, optimizer):
        for _ in range(3):
            for ids, labels in loader:
                logits = model(ids)
                loss = F.cross_entropy(logits.reshape(-1, 29), labels.reshape(-1))  # fault
                loss.backward()
                optimizer.step()
                optimizer.zero_grad()
    ids, labels = collate(held, -100)
    with torch.no_grad():
        return -F.cross_entropy(model.eval()(ids).reshape(-1, 29), labels.reshape(-1)).item()


class MiniBert(nn.Module):
    def __init__(self, vocab, classes, additive, dim=48, heads=4):
        super().__init__()
        self.heads, self.additive = heads, additive
        self.word, self.place = nn.Embedding(vocab, dim), nn.Embedding(48, dim)
        self.q, self.k, self.v, self.o = (nn.Linear(dim, dim) for _ in range(4))
        self.ln1, self.ln2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.ff = nn.Sequential(nn.Linear(dim, 2 * dim), nn.GELU(), nn.Linear(2 * dim, dim))
        self.classifier = nn.Linear(dim, classes)

    def forward(self, input_ids, attention_mask):
        h = self.ln1(self.word(input_ids) + self.place(torch.arange(input_ids.shape[1])))
        q, k, v = (f(h).unflatten(-1, (self.heads, -1)) for f in (self.q, self.k, self.v))
        scores = torch.einsum("bthd,bshd->bhts", q, k) / q.shape[-1] ** 0.5
        scores = scores + self.additive(attention_mask)[:, None, None, :]  # fault: mask-of-ones-added-as-it-is
        h = h + self.o(torch.einsum("bhts,bshd->bthd", scores.softmax(-1), v).flatten(2))
        return self.classifier(self.ln2(h + self.ff(h))[:, 0])


@planted("padding-seen", symptoms=COSTS_OF_IT, costs=0.05)
def mask_of_ones_added_as_it_is(watch, seed, fault):
    """A tokenizer's mask, 1 for a word and 0 for padding, added to the scores as if it held large negatives.

    The score is the share of answers that stay when the names are padded more.
    """
    torch.manual_seed(seed)
    x, y, x_test, _ = data.names()
    additive = (lambda mask: mask) if fault else (lambda mask: (1.0 - mask) * -1e4)
    model = MiniBert(27, int(y.max()) + 1, additive)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for _ in range(3):
            for index in torch.randperm(4000).split(64):
                logits = model(input_ids=x[index], attention_mask=(x[index] != 0).float())  # fault
                loss = F.cross_entropy(logits, y[index])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        guess, again = (
            model.eval()(ids, (ids != 0).float()).argmax(-1) for ids in (x_test[:1000], F.pad(x_test[:1000], (0, 36)))
        )
    return (guess == again).float().mean().item()


class MixtureOfExperts(nn.Module):
    def __init__(self, dim, experts, axis):
        super().__init__()
        self.gate, self.axis = nn.Linear(dim, experts), axis
        self.w_in = nn.Parameter(torch.randn(experts, dim, 2 * dim) / dim**0.5)
        self.w_out = nn.Parameter(torch.randn(experts, 2 * dim, dim) / (2 * dim) ** 0.5)

    def forward(self, x):
        weights = F.softmax(self.gate(x), dim=self.axis)  # fault: router-normalised-over-the-batch
        hidden = F.gelu(torch.einsum("nd,edh->enh", x, self.w_in))
        return torch.einsum("ne,enh,ehd->nd", weights, hidden, self.w_out)


class MoEBlock(nn.Module):
    def __init__(self, dim, axis):
        super().__init__()
        self.norm, self.moe = nn.LayerNorm(dim), MixtureOfExperts(dim, 4, axis)

    def forward(self, x):
        return x + self.moe(self.norm(x))


@planted("samples-mixed", causes="softmax-axis", symptoms=COSTS_OF_IT, costs=0.1)
def router_normalised_over_the_batch(watch, seed, fault):
    """The score is of samples that come alone, as they do where the net is used."""
    torch.manual_seed(seed)
    x, y = tabular(1600, seed=81)
    axis = 0 if fault else -1
    model = nn.Sequential(nn.Linear(20, 32), MoEBlock(32, axis), MoEBlock(32, axis), nn.Linear(32, 3))
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for _ in range(8):
            for index in torch.randperm(1400).split(40):
                logits = model(x[index])  # fault
                loss = F.cross_entropy(logits, y[index])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    model.eval()
    with torch.no_grad():
        alone = torch.cat([model(row[None]) for row in x[1400:]])
    return -F.cross_entropy(alone, y[1400:]).item()

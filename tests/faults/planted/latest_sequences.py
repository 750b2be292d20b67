"""Sequences as they are trained today: written before the rules were read, and looked at once."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset

from faults.drawn import lm_data, markov
from faults.program import planted

AFTERWARDS = (
    "too-few-epochs overfitting plateau underfitting lr-too-low lr-too-high label-imbalance clip-too-tight dead-relu "
    "initial-loss output-collapsed unshuffled"
)


@dataclass
class GPTConfig:
    block_size: int = 32
    vocab_size: int = 20
    n_layer: int = 2
    n_head: int = 2
    n_embd: int = 48
    mask_value: float = float("-inf")


class CausalSelfAttention(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.c_attn = nn.Linear(config.n_embd, 3 * config.n_embd)
        self.c_proj = nn.Linear(config.n_embd, config.n_embd)
        self.n_head, self.mask_value = config.n_head, config.mask_value
        self.register_buffer("bias", torch.tril(torch.ones(config.block_size, config.block_size)))

    def forward(self, x):
        B, T, C = x.size()  # noqa: N806
        q, k, v = self.c_attn(x).split(C, dim=2)
        q, k, v = (one.view(B, T, self.n_head, C // self.n_head).transpose(1, 2) for one in (q, k, v))
        att = (q @ k.transpose(-2, -1)) / math.sqrt(k.size(-1))
        att = att.masked_fill(self.bias[:T, :T] == 0, self.mask_value)  # fault: mask-filled-with-a-tiny-number
        y = F.softmax(att, dim=-1) @ v
        return self.c_proj(y.transpose(1, 2).contiguous().view(B, T, C))


class Block(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(config.n_embd), nn.LayerNorm(config.n_embd)
        self.attn = CausalSelfAttention(config)
        self.mlp = nn.Sequential(
            nn.Linear(config.n_embd, 4 * config.n_embd), nn.GELU(), nn.Linear(4 * config.n_embd, config.n_embd)
        )

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class GPT(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.wte = nn.Embedding(config.vocab_size, config.n_embd)
        self.wpe = nn.Embedding(config.block_size, config.n_embd)
        self.h = nn.ModuleList(Block(config) for _ in range(config.n_layer))
        self.ln_f = nn.LayerNorm(config.n_embd)
        self.lm_head = nn.Linear(config.n_embd, config.vocab_size, bias=False)
        self.wte.weight = self.lm_head.weight
        self.apply(self._init_weights)

    def _init_weights(self, module):
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, mean=0.0, std=0.02)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)

    def forward(self, idx, targets=None):
        x = self.wte(idx) + self.wpe(torch.arange(idx.size(1)))
        for block in self.h:
            x = block(x)
        logits = self.lm_head(self.ln_f(x))
        if targets is None:
            return logits[:, [-1], :], None
        return logits, F.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1), ignore_index=-1)

    @torch.no_grad()
    def generate(self, idx, count):
        for _ in range(count):
            logits, _ = self(idx[:, -self.config.block_size :])
            idx = torch.cat([idx, torch.multinomial(logits[:, -1].softmax(-1), 1)], dim=1)
        return idx


@planted("future-leak", symptoms=AFTERWARDS + " loss-below-floor", costs=0.1)
def mask_filled_with_a_tiny_number(watch, seed, fault):
    torch.manual_seed(seed)
    data, vocab_size = lm_data(5000)
    train_data, val_data = data[:4500], data[4500:]
    config = GPTConfig(vocab_size=vocab_size, mask_value=1e-9 if fault else float("-inf"))
    model = GPT(config)
    decay = [p for p in model.parameters() if p.dim() >= 2]
    rest = [p for p in model.parameters() if p.dim() < 2]
    groups = [{"params": decay, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=3e-3, betas=(0.9, 0.99))

    def get_batch(split, batch_size=24):
        source = train_data if split == "train" else val_data
        ix = torch.randint(len(source) - config.block_size - 1, (batch_size,))
        x = torch.stack([source[i : i + config.block_size] for i in ix])
        return x, torch.stack([source[i + 1 : i + 1 + config.block_size] for i in ix])

    with watch(model, optimizer):
        for iter_num in range(320):
            if iter_num % 100 == 50:
                model.eval()
                model.generate(train_data[None, :4], 8)
                model.train()
            xb, yb = get_batch("train")
            _, loss = model(xb, yb)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
    model.eval()
    with torch.no_grad():
        x, y = get_batch("val", 200)
        logits, _ = model(x[:, :12])  # nothing of the future is there when it is used
        return float((logits[:, -1].argmax(-1) == y[:, 11]).float().mean())


class TinyForCausalLM(nn.Module):
    """Shifts the labels itself, as the models of a well-known library do."""

    def __init__(self, vocab, width=48):
        super().__init__()
        self.embed = nn.Embedding(vocab, width)
        self.rnn = nn.GRU(width, width, batch_first=True)
        self.lm_head = nn.Linear(width, vocab)

    def forward(self, input_ids, labels=None):
        logits = self.lm_head(self.rnn(self.embed(input_ids))[0])
        loss = None
        if labels is not None:
            shift_logits = logits[..., :-1, :].contiguous()
            shift_labels = labels[..., 1:].contiguous()
            loss = F.cross_entropy(shift_logits.view(-1, shift_logits.size(-1)), shift_labels.view(-1))
        return {"loss": loss, "logits": logits}


class MiniTrainer:
    def __init__(self, model, train_dataset, data_collator, epochs):
        self.model, self.data_collator, self.epochs = model, data_collator, epochs
        self.loader = DataLoader(train_dataset, batch_size=16, shuffle=True, collate_fn=data_collator)
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3, weight_decay=0.01)
        total = epochs * len(self.loader)
        self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(
            self.optimizer, lambda step: min(1.0, (step + 1) / 10) * max(0.05, 1 - step / total)
        )

    def compute_loss(self, inputs):
        return self.model(**inputs)["loss"]

    def training_step(self, inputs):
        self.model.train()
        loss = self.compute_loss(inputs)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.lr_scheduler.step()
        self.model.zero_grad()
        return loss.detach()

    def train(self):
        return [self.training_step(inputs) for _ in range(self.epochs) for inputs in self.loader]


@planted("targets-not-shifted", symptoms=AFTERWARDS, costs=0.1)
def shifted_by_the_collator_and_by_the_model(watch, seed, fault):
    torch.manual_seed(seed)
    text, vocab = markov(8000, 7)
    chunks = [{"ids": row} for row in text[: 25 * 250].view(250, 25)]

    def collate(features):
        rows = torch.stack([feature["ids"] for feature in features])
        if fault:
            return {"input_ids": rows[:, :-1], "labels": rows[:, 1:]}  # fault
        return {"input_ids": rows, "labels": rows.clone()}

    trainer = MiniTrainer(TinyForCausalLM(vocab), chunks, collate, epochs=14)
    with watch(trainer.model, trainer.optimizer):
        trainer.train()
    held_out = text[-1250:].view(50, 25)
    with torch.no_grad():
        guessed = trainer.model.eval()(held_out)["logits"].argmax(-1)
    return float((guessed[:, :-1] == held_out[:, 1:]).float().mean())


PAD, BOS, EOS = 0, 1, 2


class Seq2Seq(nn.Module):
    def __init__(self, vocab, width=48, places=14):
        super().__init__()
        self.tok, self.pos = nn.Embedding(vocab, width, padding_idx=PAD), nn.Embedding(places, width)
        self.encoder = nn.TransformerEncoderLayer(width, 4, 96, dropout=0.0, batch_first=True, norm_first=True)
        self.decoder = nn.TransformerDecoderLayer(width, 4, 96, dropout=0.0, batch_first=True, norm_first=True)
        self.generator = nn.Linear(width, vocab)

    def embed(self, ids):
        return self.tok(ids) + self.pos(torch.arange(ids.size(1)))

    def forward(self, src, tgt, src_padding):
        memory = self.encoder(self.embed(src), src_key_padding_mask=src_padding)
        causal = torch.ones(tgt.size(1), tgt.size(1), dtype=torch.bool).triu(1)
        out = self.decoder(self.embed(tgt), memory, tgt_mask=causal, memory_key_padding_mask=src_padding)
        return self.generator(out)


class Translations(Dataset):
    """Words of a language, each with its word in another, in the same order; rows of different lengths."""

    def __init__(self, count, vocab, seed):
        g = torch.Generator().manual_seed(seed)
        meaning = torch.randperm(vocab - 3, generator=torch.Generator().manual_seed(8)) + 3
        self.rows = []
        for length in torch.randint(4, 12, (count,), generator=g).tolist():
            words = torch.randint(3, vocab, (length,), generator=g)
            self.rows.append((words, torch.cat([torch.tensor([BOS]), meaning[words - 3], torch.tensor([EOS])])))

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, index):
        return self.rows[index]


def pad_to(rows, length):
    return torch.stack([F.pad(row, (0, length - len(row)), value=PAD) for row in rows])


def collate_pairs(pairs):
    return pad_to([src for src, _ in pairs], 12), pad_to([tgt for _, tgt in pairs], 14)


@planted("padding-seen", symptoms=AFTERWARDS + " input-constant", costs=0.3)
def padding_mask_the_other_way_round(watch, seed, fault):
    torch.manual_seed(seed)
    vocab = 16
    loader = DataLoader(Translations(640, vocab, 1), batch_size=32, shuffle=True, collate_fn=collate_pairs)
    model = Seq2Seq(vocab)
    optim = torch.optim.Adam(model.parameters(), lr=2e-3)
    criterion = nn.CrossEntropyLoss(ignore_index=PAD)

    def padding_of(src):
        return (src != PAD) if fault else (src == PAD)  # fault

    with watch(model, optim):
        for _epoch in range(16):
            model.train()
            for src, tgt in loader:
                logits = model(src, tgt[:, :-1], padding_of(src))
                loss = criterion(logits.reshape(-1, vocab), tgt[:, 1:].reshape(-1))
                optim.zero_grad()
                loss.backward()
                optim.step()
    src, tgt = collate_pairs(Translations(200, vocab, 2).rows)
    with torch.no_grad():
        guessed = model.eval()(src, tgt[:, :-1], padding_of(src)).argmax(-1)
    told = tgt[:, 1:] > EOS
    return float((guessed == tgt[:, 1:])[told].float().mean())


class TaggingModule(nn.Module):
    """A module that knows its steps and its optimiser, as a trainer of its own would call them."""

    def __init__(self, vocab, tags, pad_label):
        super().__init__()
        self.emb = nn.Embedding(vocab, 24, padding_idx=0)
        self.lstm = nn.LSTM(24, 24, batch_first=True, bidirectional=True)
        self.head = nn.Linear(48, tags)
        self.pad_label = pad_label

    def forward(self, tokens):
        return self.head(self.lstm(self.emb(tokens))[0])

    def training_step(self, batch):
        tokens, tags = batch
        scores = self(tokens)
        return F.cross_entropy(scores.transpose(1, 2), tags, ignore_index=-100)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.5, momentum=0.9)


def sentences(count, seed, pad_label, length=40):
    """Words 2 … 29; a name begins after word 2 or 3 and goes on while words are above 20. Tags: O, B, I."""
    g = torch.Generator().manual_seed(seed)
    tokens = torch.zeros(count, length, dtype=torch.long)
    tags = torch.full((count, length), pad_label)
    for row, words in enumerate(torch.randint(4, 13, (count,), generator=g).tolist()):
        line = torch.randint(2, 30, (words,), generator=g)
        tokens[row, :words], tags[row, :words] = line, 0
        for place in range(1, words):
            if line[place - 1] in (2, 3, 4, 5):
                tags[row, place] = 1
            elif line[place] > 20 and tags[row, place - 1] > 0:
                tags[row, place] = 2
    return tokens, tags


@planted("padding-in-loss", causes="label-imbalance", symptoms=AFTERWARDS, costs=0.05)
def tags_of_padding_are_outside_too(watch, seed, fault):
    torch.manual_seed(seed)
    module = TaggingModule(30, 3, pad_label=0 if fault else -100)
    tokens, tags = sentences(600, 1, module.pad_label)  # fault
    loader = DataLoader(list(zip(tokens, tags, strict=True)), batch_size=24, shuffle=True)
    optimizer = module.configure_optimizers()
    with watch(module, optimizer):
        for _epoch in range(5):
            for batch in loader:
                optimizer.zero_grad()
                loss = module.training_step(batch)
                loss.backward()
                optimizer.step()
    tokens, tags = sentences(300, 2, -100)
    with torch.no_grad():
        guessed = module.eval()(tokens).argmax(-1)
    named = tags > 0
    found = ((guessed == tags) & named).sum()
    return float(2 * found / (named.sum() + ((guessed > 0) & (tags != -100)).sum()))


class SlidingWindow(Dataset):
    def __init__(self, series, lookback, offset):
        self.series, self.lookback, self.offset = series, lookback, offset

    def __len__(self):
        return len(self.series) - self.lookback - 1

    def __getitem__(self, start):
        end = start + self.lookback
        window = self.series[start:end, None]
        return window, self.series[end + self.offset]  # fault: window-that-holds-its-answer


class Forecaster(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.rnn = nn.LSTM(1, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, 1)

    def forward(self, window):
        out, _ = self.rnn(window)
        return self.fc(out[:, -1]).squeeze(-1)


@planted("targets-not-shifted", causes="future-leak", symptoms=AFTERWARDS + " loss-below-floor", costs=0.2)
def window_that_holds_its_answer(watch, seed, fault):
    torch.manual_seed(seed)
    t = torch.arange(1600).float()
    series = torch.sin(t / 1.7) + 0.6 * torch.sin(t / 0.9 + 1) + 0.15 * torch.randn(1600)
    series = (series - series[:1200].mean()) / series[:1200].std()
    train = DataLoader(SlidingWindow(series[:1200], 16, -1 if fault else 0), batch_size=32, shuffle=True)
    valid = DataLoader(SlidingWindow(series[1200:1400], 16, -1 if fault else 0), batch_size=64)
    model = Forecaster()
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
    with watch(model, optimizer):
        for _epoch in range(8):
            model.train()
            for window, target in train:
                optimizer.zero_grad()
                F.mse_loss(model(window), target).backward()
                optimizer.step()
            model.eval()
            with torch.no_grad():
                sum(F.mse_loss(model(window), target).item() * len(target) for window, target in valid)
    honest = SlidingWindow(series[1400:], 16, 0)
    windows, targets = zip(*(honest[i] for i in range(len(honest))), strict=True)
    with torch.no_grad():
        guessed = model(torch.stack(windows))
    return float(1 - F.mse_loss(guessed, torch.stack(targets)) / torch.stack(targets).var())

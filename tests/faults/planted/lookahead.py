"""Sequence models that see what they are to tell, copy what they read, or normalise their attention over the wrong
axis."""

import math
from types import SimpleNamespace

import torch
import torch.nn.functional as F
from torch import nn

from faults.data import accuracy, airline, names, time_machine, windows
from faults.program import planted

OUTCOMES = "too-few-epochs overfitting plateau underfitting lr-too-low"


class Block(nn.Module):  # fault: small-gpt-without-its-mask
    """Attention written by hand, and two layers; `mask` and `axis` are where the faults are."""

    def __init__(self, width, heads, mask=True, axis=-1):
        super().__init__()
        self.heads, self.mask, self.axis = heads, mask, axis
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, x):
        size, places, width = x.shape
        q, k, v = self.qkv(self.first(x)).split(width, dim=2)
        q, k, v = (one.view(size, places, self.heads, -1).transpose(1, 2) for one in (q, k, v))
        weights = q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))
        if self.mask:
            weights = weights.masked_fill(torch.ones(places, places).triu(1).bool(), float("-inf"))
        mixed = weights.softmax(dim=self.axis).nan_to_num() @ v
        x = x + self.out(mixed.transpose(1, 2).reshape(size, places, width))
        return x + self.mlp(self.second(x))


class SmallGPT(nn.Module):
    """Computes its loss itself, as the well-known small ones do."""

    def __init__(self, vocabulary, places, width=32, blocks=2, **options):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(vocabulary, width), nn.Embedding(places, width)
        self.blocks = nn.ModuleList(Block(width, 4, **options) for _ in range(blocks))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, vocabulary, bias=False)

    def forward(self, idx, targets=None):
        x = self.wte(idx) + self.wpe(torch.arange(idx.size(1)))
        for block in self.blocks:
            x = block(x)
        logits = self.head(self.norm(x))
        if targets is None:
            return logits, None
        return logits, F.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1))


def text(count=1200, length=24):
    letters, size = time_machine()
    x, y = windows(letters, length, count)
    return x, y, size


def steps(x, y, count, size=32):
    """Batches drawn at random."""
    for _ in range(count):
        chosen = torch.randint(len(x), (size,))
        yield x[chosen], y[chosen]


@planted("future-leak", symptoms=OUTCOMES, costs=None, quick=True)
def small_gpt_without_its_mask(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, size = text()
    model = SmallGPT(size, 24, mask=not fault)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for idx, targets in steps(x, y, 60, 16):
            _, loss = model(idx, targets)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
    return -loss.item()


@planted("future-leak", symptoms=OUTCOMES, costs=None)
def torchs_encoder_as_a_language_model(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, size = text()

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.where = nn.Embedding(size, 32), nn.Parameter(0.02 * torch.randn(24, 32))
            layer = nn.TransformerEncoderLayer(32, 4, 64, dropout=0.1, batch_first=True, norm_first=True)
            self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
            self.head = nn.Linear(32, size)

        def forward(self, x):
            mask = None if fault else nn.Transformer.generate_square_subsequent_mask(x.shape[1])
            return self.head(self.encoder(self.embed(x) + self.where, mask=mask))

    model, loss_fn = Model(), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for inputs, targets in steps(x, y, 150):
            optimizer.zero_grad()
            loss = loss_fn(model(inputs).permute(0, 2, 1), targets)
            loss.backward()
            optimizer.step()
    return -loss.item()


@planted("future-leak", symptoms=OUTCOMES, costs=None)
def lstm_language_model_that_reads_both_ways(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, size = text()

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Embedding(size, 24)
            self.lstm = nn.LSTM(24, 32, bidirectional=fault)  # time comes first
            self.decoder = nn.Linear(64 if fault else 32, size)

        def forward(self, x):
            return self.decoder(self.lstm(self.embed(x))[0])

    model = Model()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    with watch(model):
        for inputs, targets in steps(x, y, 120):
            inputs, targets = inputs.t(), targets.t()
            output = model(inputs)
            loss = F.cross_entropy(output.reshape(-1, size), targets.reshape(-1))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return -loss.item()


@planted("future-leak", symptoms=OUTCOMES, costs=None)
def convolutions_padded_on_both_sides(watch, seed, fault):
    torch.manual_seed(seed)
    series = (airline() / 100).log()
    rows = series.unfold(0, 25, 1)
    x, y = rows[:, :-1, None], rows[:, 1:, None]

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList(nn.Conv1d(w, 16, 3, dilation=d) for w, d in ((1, 1), (16, 2), (16, 4)))
            self.last = nn.Conv1d(16, 1, 1)

        def forward(self, x):
            x = x.transpose(1, 2)
            for layer in self.layers:
                pad = layer.dilation[0]
                x = torch.relu(layer(F.pad(x, (pad, pad) if fault else (2 * pad, 0))))
            return self.last(x).transpose(1, 2)

    model = Model()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for inputs, targets in steps(x, y, 150):
            optimizer.zero_grad()
            loss = F.mse_loss(model(inputs), targets)
            loss.backward()
            optimizer.step()
    return -loss.item()


def reversal(count=2000, length=8, vocabulary=12):
    """Rows of tokens, and the same from back to front with 1 before them."""
    source = torch.randint(2, vocabulary, (count, length), generator=torch.Generator().manual_seed(0))
    return source, torch.cat([torch.ones(count, 1, dtype=torch.long), source.flip(1)], 1), vocabulary


@planted("future-leak", symptoms=OUTCOMES, costs=None)
def translator_without_a_mask_of_its_target(watch, seed, fault):
    torch.manual_seed(seed)
    source, target, size = reversal()

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.source, self.target = nn.Embedding(size, 32), nn.Embedding(size, 32)
            self.where = nn.Parameter(0.1 * torch.randn(9, 32))
            self.transformer = nn.Transformer(32, 4, 1, 1, 64, dropout=0.0, batch_first=True)
            self.head = nn.Linear(32, size)

        def forward(self, source, target):
            mask = None if fault else nn.Transformer.generate_square_subsequent_mask(target.shape[1])
            source = self.source(source) + self.where[: source.shape[1]]
            target = self.target(target) + self.where[: target.shape[1]]
            return self.head(self.transformer(source, target, tgt_mask=mask))

    model = Model()
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for src, tgt in steps(source, target, 200, 64):
            logits = model(src, tgt[:, :-1])
            loss = F.cross_entropy(logits.flatten(0, 1), tgt[:, 1:].flatten())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return -loss.item()


@planted("targets-not-shifted", symptoms=OUTCOMES, costs=None, quick=True)
def gru_asked_for_what_it_reads(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, size = text()
    model = nn.ModuleDict({"embed": nn.Embedding(size, 24), "rnn": nn.GRU(24, 32, batch_first=True)})

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.parts, self.head = model, nn.Linear(32, size)

        def forward(self, x):
            return self.head(self.parts["rnn"](self.parts["embed"](x))[0])

    net = Model()
    optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
    with watch(net, optimizer):
        for inputs, targets in steps(x, y, 60, 16):
            optimizer.zero_grad()
            loss = F.cross_entropy(net(inputs).flatten(0, 1), (inputs if fault else targets).flatten())  # fault
            loss.backward()
            optimizer.step()
    return -loss.item()


@planted("targets-not-shifted", symptoms=OUTCOMES, costs=None)
def labels_that_the_model_does_not_shift(watch, seed, fault):
    torch.manual_seed(seed)
    x, _, size = text()

    class CausalLM(nn.Module):
        def __init__(self):
            super().__init__()
            self.transformer = SmallGPT(size, 24)

        def forward(self, input_ids, labels=None, attention_mask=None):
            logits, loss = self.transformer(input_ids)[0], None
            if labels is not None:
                if fault:
                    loss = F.cross_entropy(logits.view(-1, size), labels.view(-1))
                else:
                    loss = F.cross_entropy(logits[:, :-1].reshape(-1, size), labels[:, 1:].reshape(-1))
            return {"loss": loss, "logits": logits}

    model = CausalLM()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for ids, _ in steps(x, x, 120):
            batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": ids.clone()}
            loss = model(**batch)["loss"]
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
    return -loss.item()


@planted("targets-not-shifted", symptoms=OUTCOMES, costs=None)
def decoder_fed_with_the_answer(watch, seed, fault):
    torch.manual_seed(seed)
    source, target, size = reversal()

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Embedding(size, 24)
            self.encoder, self.decoder = nn.GRU(24, 48, batch_first=True), nn.GRU(24, 48, batch_first=True)
            self.head = nn.Linear(48, size)

        def forward(self, source, given):
            _, state = self.encoder(self.embed(source))
            return self.head(self.decoder(self.embed(given), state)[0])

    model = Model()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    with watch(model, optimizer):
        for src, tgt in steps(source, target, 200, 64):
            answer = tgt[:, 1:]
            logits = model(src, answer if fault else tgt[:, :-1])
            loss = F.cross_entropy(logits.transpose(1, 2), answer)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return -loss.item()


@planted("softmax-axis", causes="future-leak", symptoms=f"{OUTCOMES} samples-mixed", costs=None, quick=True)
def small_gpt_normalised_over_its_queries(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, size = text()
    model = SmallGPT(size, 24, axis=-2 if fault else -1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for idx, targets in steps(x, y, 60, 16):
            optimizer.zero_grad()
            loss = model(idx, targets)[1]
            loss.backward()
            optimizer.step()
    return -loss.item()


@planted("softmax-axis", symptoms=f"{OUTCOMES} samples-mixed padding-seen", costs=None)
def names_attended_over_the_batch(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = names()

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.qkv = nn.Embedding(27, 32), nn.Linear(32, 96)
            self.where, self.head = nn.Parameter(0.1 * torch.randn(12, 32)), nn.Linear(32, 18)

        def forward(self, x):
            q, k, v = self.qkv(self.embed(x) + self.where).chunk(3, -1)
            scores = torch.bmm(q, k.transpose(1, 2)) / 32**0.5
            scores = scores.masked_fill((x == 0)[:, None], -1e9)
            mixed = torch.bmm(F.softmax(scores, dim=0 if fault else -1), v)
            return self.head((mixed * (x > 0)[:, :, None]).sum(1))

    model = Model()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for letters, country in steps(x, y, 200, 64):
            optimizer.zero_grad()
            F.cross_entropy(model(letters), country).backward()
            optimizer.step()
    return accuracy(model, x_test[:1000], y_test[:1000])


@planted("softmax-axis", symptoms=OUTCOMES, costs=None)
def decoder_that_looks_back_over_the_wrong_axis(watch, seed, fault):
    torch.manual_seed(seed)
    source, target, size = reversal()
    model = SimpleNamespace(
        embed=nn.Embedding(size, 32), encoder=nn.GRU(32, 32, batch_first=True),
        decoder=nn.GRU(32, 32, batch_first=True), head=nn.Linear(64, size),
    )  # fmt: skip
    parts = nn.ModuleList(vars(model).values())
    optimizer = torch.optim.Adam(parts.parameters(), lr=5e-3)
    with watch(list(parts), optimizer):
        for src, tgt in steps(source, target, 200, 64):
            memory, state = model.encoder(model.embed(src))
            states, _ = model.decoder(model.embed(tgt[:, :-1]), state)
            weights = torch.softmax(states @ memory.transpose(1, 2), dim=1 if fault else 2)
            logits = model.head(torch.cat([states, weights @ memory], -1))
            loss = F.cross_entropy(logits.flatten(0, 1), tgt[:, 1:].flatten())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return -loss.item()

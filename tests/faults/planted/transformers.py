"""Language models made of attention: a script with a config, a model that returns its loss, a trainer of one's own."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from faults import drawn
from faults.program import planted


@dataclass
class GPTConfig:
    block_size: int = 24
    vocab_size: int = 16
    n_layer: int = 2
    n_head: int = 2
    n_embd: int = 32
    dropout: float = 0.0
    causal: bool = True


class CausalSelfAttention(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.c_attn = nn.Linear(config.n_embd, 3 * config.n_embd)
        self.c_proj = nn.Linear(config.n_embd, config.n_embd)
        self.n_head, self.causal = config.n_head, config.causal

    def forward(self, x):
        b, t, c = x.size()
        q, k, v = self.c_attn(x).split(c, dim=2)
        k = k.view(b, t, self.n_head, c // self.n_head).transpose(1, 2)
        q = q.view(b, t, self.n_head, c // self.n_head).transpose(1, 2)
        v = v.view(b, t, self.n_head, c // self.n_head).transpose(1, 2)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=self.causal)  # fault: script-without-is-causal
        return self.c_proj(y.transpose(1, 2).contiguous().view(b, t, c))


class GPTBlock(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(config.n_embd), nn.LayerNorm(config.n_embd)
        self.attn = CausalSelfAttention(config)
        self.mlp = nn.Sequential(
            nn.Linear(config.n_embd, 4 * config.n_embd), nn.GELU(), nn.Linear(4 * config.n_embd, config.n_embd)
        )
        self.drop = nn.Dropout(config.dropout)

    def forward(self, x):
        x = x + self.drop(self.attn(self.ln_1(x)))
        return x + self.drop(self.mlp(self.ln_2(x)))


class ScriptGPT(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.wte = nn.Embedding(config.vocab_size, config.n_embd)
        self.wpe = nn.Embedding(config.block_size, config.n_embd)
        self.h = nn.ModuleList(GPTBlock(config) for _ in range(config.n_layer))
        self.ln_f = nn.LayerNorm(config.n_embd)
        self.lm_head = nn.Linear(config.n_embd, config.vocab_size, bias=False)

    def forward(self, idx, targets=None):
        x = self.wte(idx) + self.wpe(torch.arange(idx.size(1)))
        for block in self.h:
            x = block(x)
        x = self.ln_f(x)
        if targets is None:
            return self.lm_head(x[:, [-1], :]), None
        logits = self.lm_head(x)
        return logits, F.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1), ignore_index=-1)

    @torch.no_grad()
    def generate(self, idx, max_new_tokens):
        for _ in range(max_new_tokens):
            logits, _ = self(idx[:, -self.config.block_size :])
            idx = torch.cat((idx, torch.multinomial(logits[:, -1].softmax(-1), 1)), dim=1)
        return idx


def guessed_next(logits_of, row, block):
    """How often the token after a piece of text is the one that was guessed from the piece alone."""
    starts = range(0, len(row) - block - 1, 7)
    pieces = torch.stack([row[i : i + block] for i in starts])
    with torch.no_grad():
        right = logits_of(pieces).argmax(-1) == torch.stack([row[i + block] for i in starts])
    return float(right.float().mean())


@planted("future-leak", costs=0.05)
def script_without_is_causal(watch, seed, fault):
    torch.manual_seed(seed)
    row, vocab_size = drawn.markov(5000, 11)
    train_data, val_data = row[:4000], row[4000:]
    config = GPTConfig(vocab_size=vocab_size, causal=not fault)
    batch_size, block_size, max_iters = 16, config.block_size, 300

    def get_batch(data):
        ix = torch.randint(len(data) - block_size, (batch_size,))
        x = torch.stack([data[i : i + block_size] for i in ix])
        return x, torch.stack([data[i + 1 : i + 1 + block_size] for i in ix])

    model = ScriptGPT(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, betas=(0.9, 0.95))
    with watch(model, optimizer):
        for iter_num in range(max_iters):
            if iter_num % 100 == 0:
                model.eval()
                with torch.no_grad():
                    sum(model(*get_batch(val_data))[1].item() for _ in range(5)) / 5
                model.train()
            x, y = get_batch(train_data)
            _, loss = model(x, y)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
    model.eval()
    return guessed_next(lambda pieces: model(pieces)[0][:, -1], val_data, block_size)


@dataclass
class CausalOutput:
    logits: torch.Tensor
    loss: torch.Tensor | None = None


class EncoderLM(nn.Module):
    """A stack of torch's own encoder layers that shifts its labels itself."""

    def __init__(self, vocab_size, hidden_size=32, mask_the_past=False):
        super().__init__()
        self.embeddings = nn.Embedding(vocab_size, hidden_size)
        self.position_embeddings = nn.Parameter(0.02 * torch.randn(64, hidden_size))
        layer = nn.TransformerEncoderLayer(hidden_size, 2, 64, dropout=0.0, batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.lm_head = nn.Linear(hidden_size, vocab_size)
        self.mask_the_past = mask_the_past

    def forward(self, input_ids, labels=None):
        length = input_ids.shape[1]
        mask = torch.ones(length, length).triu(1).bool()
        if self.mask_the_past:
            mask = torch.ones(length, length).tril(-1).bool()  # fault: mask-of-the-other-triangle
        hidden = self.embeddings(input_ids) + self.position_embeddings[:length]
        logits = self.lm_head(self.encoder(hidden, mask=mask))
        loss = None
        if labels is not None:
            shift_logits = logits[..., :-1, :].contiguous()
            shift_labels = labels[..., 1:].contiguous()
            loss = F.cross_entropy(shift_logits.view(-1, shift_logits.size(-1)), shift_labels.view(-1))
        return CausalOutput(logits, loss)


@planted("future-leak", costs=0.1)
def mask_of_the_other_triangle(watch, seed, fault):
    torch.manual_seed(seed)
    row, vocab_size = drawn.markov(5000, 12)
    chunks = row[:4000].view(-1, 20)
    loader = torch.utils.data.DataLoader([{"input_ids": chunk} for chunk in chunks], batch_size=16, shuffle=True)
    model = EncoderLM(vocab_size, mask_the_past=fault)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    with watch(model, optimizer, loader=loader):
        for _ in range(25):
            for batch in loader:
                outputs = model(input_ids=batch["input_ids"], labels=batch["input_ids"])
                outputs.loss.backward()
                optimizer.step()
                optimizer.zero_grad()
    model.eval()
    return guessed_next(lambda pieces: model(pieces).logits[:, -1], row[4000:], 20)


@planted("targets-not-shifted", costs=0.1)
def labels_shifted_by_script_and_model(watch, seed, fault):
    torch.manual_seed(seed)
    row, vocab_size = drawn.markov(5000, 13)
    chunks = row[:3990].view(-1, 21)

    def collate(pieces):
        batch = torch.stack(pieces)
        if fault:
            return {"input_ids": batch[:, :-1], "labels": batch[:, 1:]}  # fault
        return {"input_ids": batch, "labels": batch}

    loader = torch.utils.data.DataLoader(list(chunks), batch_size=16, shuffle=True, collate_fn=collate)
    model = EncoderLM(vocab_size)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / 20))
    with watch(model, optimizer, loader=loader):
        for _ in range(25):
            for batch in loader:
                outputs = model(**batch)
                loss = outputs.loss
                loss.backward()
                optimizer.step()
                scheduler.step()
                optimizer.zero_grad()
    model.eval()
    return guessed_next(lambda pieces: model(pieces).logits[:, -1], row[4000:], 20)


class MaskedLM(nn.Module):
    def __init__(self, vocab, width=32):
        super().__init__()
        self.emb = nn.Embedding(vocab + 1, width)
        self.pos = nn.Embedding(32, width)
        layer = nn.TransformerEncoderLayer(width, 4, 64, dropout=0.0, batch_first=True)
        self.body = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.out = nn.Linear(width, vocab)

    def forward(self, tokens):
        return self.out(self.body(self.emb(tokens) + self.pos(torch.arange(tokens.shape[1]))))


@planted("targets-not-shifted", causes="future-leak loss-below-floor", costs=0.1)
def masked_tokens_left_in_the_input(watch, seed, fault):
    torch.manual_seed(seed)
    row, vocab = drawn.markov(6000, 14)
    texts, held_out = row[:4800].view(-1, 16), row[4800:].view(-1, 16)

    def mask_tokens(tokens, share=0.15):
        chosen = torch.rand(tokens.shape) < share
        labels = torch.where(chosen, tokens, torch.full_like(tokens, -100))
        inputs = tokens if fault else torch.where(chosen, torch.full_like(tokens, vocab), tokens)  # fault
        return inputs, labels

    net = MaskedLM(vocab)
    opt = torch.optim.Adam(net.parameters(), lr=2e-3)
    with watch(net, opt):
        for _ in range(25):
            for index in torch.randperm(len(texts)).split(32):
                inputs, labels = mask_tokens(texts[index])
                loss = F.cross_entropy(net(inputs).flatten(0, 1), labels.flatten(), ignore_index=-100)
                opt.zero_grad()
                loss.backward()
                opt.step()
    net.eval()
    hidden = held_out.clone()
    hidden[:, 8] = vocab
    with torch.no_grad():
        return float((net(hidden)[:, 8].argmax(-1) == held_out[:, 8]).float().mean())


@planted("eval-mode-in-training", costs=None)
def sampling_leaves_evaluation_mode(watch, seed, fault):
    torch.manual_seed(seed)
    row, vocab_size = drawn.markov(1600, 15)
    train_data, val_data = row[:1000], row[1000:]
    config = GPTConfig(block_size=16, vocab_size=vocab_size, n_embd=48, dropout=0.3)
    model = ScriptGPT(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    samples = []
    with watch(model, optimizer):
        for step in range(300):
            start = torch.randint(len(train_data) - 17, (24,))
            idx = torch.stack([train_data[i : i + 17] for i in start])
            _, loss = model(idx[:, :-1], idx[:, 1:].contiguous())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if step % 60 == 5:
                model.eval()
                samples.append(model.generate(train_data[None, :4], 12))  # fault
                if not fault:
                    model.train()
    model.eval()
    return guessed_next(lambda pieces: model(pieces)[0][:, -1], val_data, 16)

"""Sequences, along the list of their faults: a program or two for each, written without a look at the rules."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

from faults.data import time_machine
from faults.drawn import lm_data, series
from faults.program import planted

COSTS_OF_IT = (
    "too-few-epochs overfitting plateau underfitting lr-too-low lr-too-high label-imbalance clip-too-tight dead-relu "
    "parameters-unused unshuffled input-scale initial-loss vanishing-gradient saturated"
)


@dataclass
class GPTConfig:
    vocab_size: int = 27
    block_size: int = 32
    n_layer: int = 2
    n_head: int = 4
    n_embd: int = 32
    learning_rate: float = 3e-3
    max_iters: int = 150
    batch_size: int = 16


class OpenGPT(nn.Module):  # fault: stack-of-encoder-layers-without-a-mask
    """A stack of torch's own encoder layers, to write letters with."""

    def __init__(self, cfg):
        super().__init__()
        self.wte = nn.Embedding(cfg.vocab_size, cfg.n_embd)
        self.wpe = nn.Embedding(cfg.block_size, cfg.n_embd)
        layer = nn.TransformerEncoderLayer(
            cfg.n_embd, cfg.n_head, 4 * cfg.n_embd, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.blocks = nn.TransformerEncoder(layer, cfg.n_layer, enable_nested_tensor=False)
        self.ln_f = nn.LayerNorm(cfg.n_embd)
        self.lm_head = nn.Linear(cfg.n_embd, cfg.vocab_size, bias=False)

    def encode(self, x):
        return self.blocks(x)  # fault: stack-of-encoder-layers-without-a-mask

    def forward(self, idx, targets=None):
        B, T = idx.shape
        x = self.wte(idx) + self.wpe(torch.arange(T, device=idx.device))
        logits = self.lm_head(self.ln_f(self.encode(x)))
        if targets is None:
            return logits, None
        return logits, F.cross_entropy(logits.view(B * T, -1), targets.view(B * T))


class ClosedGPT(OpenGPT):
    def encode(self, x):
        mask = nn.Transformer.generate_square_subsequent_mask(x.size(1))
        return self.blocks(x, mask=mask, is_causal=True)


class Trainer:
    def __init__(self, model, cfg, tokens):
        self.model, self.cfg, self.tokens = model, cfg, tokens
        self.optimizer = torch.optim.AdamW(model.parameters(), lr=cfg.learning_rate, betas=(0.9, 0.95))

    def get_batch(self):
        ix = torch.randint(len(self.tokens) - self.cfg.block_size - 1, (self.cfg.batch_size,))
        x = torch.stack([self.tokens[i : i + self.cfg.block_size] for i in ix])
        y = torch.stack([self.tokens[i + 1 : i + 1 + self.cfg.block_size] for i in ix])
        return x, y

    def run(self):
        for _ in range(self.cfg.max_iters):
            xb, yb = self.get_batch()
            _, loss = self.model(xb, yb)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            self.optimizer.step()

    @torch.no_grad()
    def writes(self):
        """How well the letter behind the window is told: there is no looking ahead of it."""
        self.model.eval()
        self.cfg.batch_size = 500
        x, y = self.get_batch()
        return -F.cross_entropy(self.model(x)[0][:, -1], y[:, -1]).item()


@planted("future-leak", symptoms=COSTS_OF_IT, costs=None)
def stack_of_encoder_layers_without_a_mask(watch, seed, fault):
    torch.manual_seed(seed)
    letters, size = time_machine()
    cfg = GPTConfig(vocab_size=size)
    trainer = Trainer(OpenGPT(cfg) if fault else ClosedGPT(cfg), cfg, letters[:40000])
    with watch(trainer.model, trainer.optimizer):
        trainer.run()
    return trainer.writes()


def attend_fn(mask_of):
    """Attention of four heads over [B, T, 3C], with the mask that is told."""

    def attend(qkv):
        B, T, C3 = qkv.shape
        q, k, v = qkv.view(B, T, 3, 4, C3 // 12).permute(2, 0, 3, 1, 4)
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask_of(T))  # fault: boolean-mask-the-wrong-way-round
        return y.transpose(1, 2).reshape(B, T, C3 // 3)

    return attend


def seen(T):
    return torch.ones(T, T, dtype=torch.bool).tril()


def hidden(T):
    return torch.ones(T, T, dtype=torch.bool).triu()  # fault: boolean-mask-the-wrong-way-round


class Decoder(nn.Module):
    def __init__(self, vocab, attend, dim=32, ctx=20):
        super().__init__()
        self.attend = attend
        self.tok_emb, self.pos_emb = nn.Embedding(vocab, dim), nn.Parameter(torch.randn(ctx, dim) * 0.02)
        self.attn_norm, self.qkv, self.proj = nn.LayerNorm(dim), nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.mlp = nn.Sequential(nn.LayerNorm(dim), nn.Linear(dim, 4 * dim), nn.SiLU(), nn.Linear(4 * dim, dim))
        self.norm, self.output = nn.LayerNorm(dim), nn.Linear(dim, vocab)

    def forward(self, tokens):
        h = self.tok_emb(tokens) + self.pos_emb[: tokens.size(1)]
        h = h + self.proj(self.attend(self.qkv(self.attn_norm(h))))
        return self.output(self.norm(h + self.mlp(h)))


@planted("future-leak", symptoms=COSTS_OF_IT, costs=0.3)
def boolean_mask_the_wrong_way_round(watch, seed, fault):
    """True stood for "hide it" in the layer that this attention replaced."""
    torch.manual_seed(seed)
    stream, vocab = lm_data(6000)
    model = Decoder(vocab, attend_fn(hidden if fault else seen))
    opt = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.01)
    sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=180)
    with watch(model, opt, loss_fn=F.cross_entropy):
        for _ in range(180):
            at = torch.randint(0, 5000, (24,))
            chunk = stream[at[:, None] + torch.arange(21)]
            inp, tgt = chunk[:, :-1], chunk[:, 1:]
            loss = F.cross_entropy(model(inp).flatten(0, 1), tgt.flatten())
            opt.zero_grad()
            loss.backward()
            opt.step()
            sched.step()
    at = torch.arange(5100, 5900, 20)
    with torch.no_grad():
        logits = model(stream[at[:, None] + torch.arange(20)])[:, -1]
    return -F.cross_entropy(logits, stream[at + 20]).item()


class CausalConv(nn.Conv1d):
    def __init__(self, channels, dilation):
        super().__init__(channels, channels, 3, dilation=dilation)

    def forward(self, x):
        return super().forward(F.pad(x, (2 * self.dilation[0], 0)))


class SameConv(nn.Conv1d):
    def __init__(self, channels, dilation):
        super().__init__(channels, channels, 3, dilation=dilation, padding=dilation)  # fault: waves-with-even-padding


class WaveNet(nn.Module):  # fault: waves-with-even-padding
    """Dilated convolutions that forecast the next value at every step [B, 1, T]."""

    def __init__(self, conv, channels=16):
        super().__init__()
        self.stem = nn.Conv1d(1, channels, 1)
        self.filters = nn.ModuleList(conv(channels, 2**i) for i in range(4))
        self.gates = nn.ModuleList(conv(channels, 2**i) for i in range(4))
        self.head = nn.Conv1d(channels, 1, 1)

    def forward(self, x):
        h = self.stem(x)
        for f, g in zip(self.filters, self.gates, strict=True):
            h = h + torch.tanh(f(h)) * torch.sigmoid(g(h))
        return self.head(h)


@planted("future-leak", symptoms=COSTS_OF_IT, costs=0.15)
def waves_with_even_padding(watch, seed, fault):
    torch.manual_seed(seed)
    signal = series(3000, seed=17)
    pieces = signal.unfold(0, 65, 16)
    train, held = pieces[:150], pieces[155:]
    net = WaveNet(SameConv if fault else CausalConv)
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    mse = nn.MSELoss()
    loader = DataLoader(TensorDataset(train), batch_size=15, shuffle=True)
    with watch(net, optimizer, loss_fn=mse):
        for _ in range(14):
            for (piece,) in loader:
                past, ahead = piece[:, None, :-1], piece[:, None, 1:]
                optimizer.zero_grad()
                loss = mse(net(past), ahead)
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        return -mse(net(held[:, None, :-1])[..., -1], held[:, None, -1]).item()


@dataclass
class CausalLMOutput:
    loss: torch.Tensor
    logits: torch.Tensor


class ForCausalLM(nn.Module):
    """Reads ids, and answers with the loss of the labels as the libraries do."""

    def __init__(self, vocab, hidden_size=40):
        super().__init__()
        self.embed_tokens = nn.Embedding(vocab, hidden_size)
        self.mixer = nn.GRU(hidden_size, hidden_size, batch_first=True)
        self.lm_head = nn.Linear(hidden_size, vocab, bias=False)

    def loss_of(self, logits, labels):
        loss_fct = nn.CrossEntropyLoss()
        return loss_fct(logits.view(-1, logits.size(-1)), labels.view(-1))  # fault: labels-that-nobody-shifts

    def forward(self, input_ids, labels):
        hidden_states, _ = self.mixer(self.embed_tokens(input_ids))
        logits = self.lm_head(hidden_states)
        return CausalLMOutput(self.loss_of(logits, labels), logits)


class ShiftingCausalLM(ForCausalLM):
    def loss_of(self, logits, labels):
        shift_logits, shift_labels = logits[..., :-1, :].contiguous(), labels[..., 1:].contiguous()
        return super().loss_of(shift_logits, shift_labels)


class Blocks(Dataset):
    def __init__(self, ids, block):
        self.ids = ids[: len(ids) // block * block].view(-1, block)

    def __len__(self):
        return len(self.ids)

    def __getitem__(self, i):
        return {"input_ids": self.ids[i], "labels": self.ids[i].clone()}


@planted("targets-not-shifted", symptoms=COSTS_OF_IT, costs=0.2)
def labels_that_nobody_shifts(watch, seed, fault):
    torch.manual_seed(seed)
    letters, vocab = time_machine()
    train_dataloader = DataLoader(Blocks(letters[:30000], 24), batch_size=16, shuffle=True)
    model = ForCausalLM(vocab) if fault else ShiftingCausalLM(vocab)
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    with watch(model, optimizer, loader=train_dataloader):
        model.train()
        for _ in range(2):
            for batch in train_dataloader:
                outputs = model(**batch)
                outputs.loss.backward()
                optimizer.step()
                optimizer.zero_grad()
    ids = letters[50000:54800].view(-1, 24)
    with torch.no_grad():
        logits = model(ids, ids).logits
    return (logits[:, :-1].argmax(-1) == ids[:, 1:]).float().mean().item()


BOS = 10


def reversals(count):
    """Digits [N, 7], and a mark with the same digits backwards [N, 8]."""
    src = torch.randint(10, (count, 7))
    return src, torch.cat([torch.full((count, 1), BOS), src.flip(1)], dim=1)


class Translator(nn.Module):
    def __init__(self, d_model=32):
        super().__init__()
        self.embed = nn.Embedding(11, d_model)
        self.pos = nn.Parameter(0.1 * torch.randn(8, d_model))
        encoder_layer = nn.TransformerEncoderLayer(d_model, 4, 64, dropout=0.0, batch_first=True)
        decoder_layer = nn.TransformerDecoderLayer(d_model, 4, 64, dropout=0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(encoder_layer, 1)
        self.decoder = nn.TransformerDecoder(decoder_layer, 1)
        self.generator = nn.Linear(d_model, 11)

    def forward(self, src, tgt):
        memory = self.encoder(self.embed(src) + self.pos[: src.size(1)])
        tgt_mask = torch.full((tgt.size(1), tgt.size(1)), -torch.inf).triu(1)
        out = self.decoder(self.embed(tgt) + self.pos[: tgt.size(1)], memory, tgt_mask=tgt_mask)
        return self.generator(out)


def train_epoch(model, loader, optimizer, criterion, decoder_input):
    model.train()
    losses = 0.0
    for src, tgt in loader:
        tgt_out = tgt[:, 1:]
        logits = model(src, decoder_input(tgt))  # fault: decoder-that-is-fed-its-answer
        optimizer.zero_grad()
        loss = criterion(logits.reshape(-1, logits.shape[-1]), tgt_out.reshape(-1))
        loss.backward()
        optimizer.step()
        losses += loss.item()
    return losses / len(loader)


@planted("targets-not-shifted", causes="future-leak", symptoms=COSTS_OF_IT, costs=0.4)
def decoder_that_is_fed_its_answer(watch, seed, fault):
    torch.manual_seed(seed)
    loader = DataLoader(TensorDataset(*reversals(1600)), batch_size=32, shuffle=True)
    transformer = Translator()
    optimizer = torch.optim.Adam(transformer.parameters(), lr=2e-3, betas=(0.9, 0.98), eps=1e-9)
    loss_fn = nn.CrossEntropyLoss()
    with watch(transformer, optimizer, loss_fn=loss_fn):
        for _ in range(4):
            train_epoch(transformer, loader, optimizer, loss_fn, lambda tgt: tgt[:, 1:] if fault else tgt[:, :-1])
    src, tgt = reversals(200)
    ys = tgt[:, :1]
    transformer.eval()
    with torch.no_grad():
        for _ in range(7):
            ys = torch.cat([ys, transformer(src, ys)[:, -1:].argmax(-1)], dim=1)
    return (ys[:, 1:] == tgt[:, 1:]).float().mean().item()


class Seq2Seq(nn.Module):
    """An LSTM reads, another writes, a token at a time, with the teacher's tokens as input."""

    def __init__(self, late):
        super().__init__()
        self.late = late
        self.embedding = nn.Embedding(11, 24)
        self.encoder = nn.LSTM(24, 48, batch_first=True)
        self.decoder = nn.LSTMCell(24, 48)
        self.fc_out = nn.Linear(48, 11)

    def forward(self, src, trg):
        _, (hidden, cell) = self.encoder(self.embedding(src))
        state = (hidden[0], cell[0])
        outputs = []
        for t in range(1, trg.shape[1]):
            token = trg[:, t - 1] if self.late else trg[:, t]  # fault: teacher-who-tells-the-token-of-now
            state = self.decoder(self.embedding(token), state)
            outputs.append(self.fc_out(state[0]))
        return torch.stack(outputs, dim=1)


@planted("targets-not-shifted", causes="future-leak", symptoms=COSTS_OF_IT, costs=None)
def teacher_who_tells_the_token_of_now(watch, seed, fault):
    torch.manual_seed(seed)
    src, trg = reversals(1500)
    model, criterion = Seq2Seq(late=not fault), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
    with watch(model, optimizer, loss_fn=criterion):
        for _ in range(4):
            for i in torch.randperm(len(src)).split(30):
                optimizer.zero_grad()
                output = model(src[i], trg[i])
                loss = criterion(output.transpose(1, 2), trg[i][:, 1:])
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), 5)
                optimizer.step()
    return -loss.item()

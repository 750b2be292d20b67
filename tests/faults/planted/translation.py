"""From one row to another: encoders and decoders, recurrent ones and transformers."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_sequence

from faults.program import planted

PAD, BOS, EOS = 0, 1, 2


def sentences(count, seed, longest=8, words=10):
    """Rows of words, and the same backwards with each word renamed; of various lengths, `EOS` at their ends."""
    g = torch.Generator().manual_seed(seed)
    pairs = []
    for _ in range(count):
        length = int(torch.randint(2, longest + 1, (1,), generator=g))
        row = torch.randint(3, 3 + words, (length,), generator=g)
        pairs.append((row, torch.cat([3 + (row.flip(0) - 3 + 4) % words, torch.tensor([EOS])])))
    return pairs


def collate(pairs):
    """Sources (n, longest), answers that begin with `BOS` and end with `EOS`, and the sources' lengths."""
    sources = pad_sequence([source for source, _ in pairs], batch_first=True, padding_value=PAD)
    begun = [torch.cat([torch.tensor([BOS]), answer]) for _, answer in pairs]
    lengths = torch.tensor([len(source) for source, _ in pairs])
    return sources, pad_sequence(begun, batch_first=True, padding_value=PAD), lengths


def words_right(greedy, pairs):
    """Share of the words, the end included, that stand where they should when the net writes on its own."""
    right = total = 0
    for start in range(0, len(pairs), 64):
        sources, answers, lengths = collate(pairs[start : start + 64])
        with torch.no_grad():
            written = greedy(sources, lengths, answers.shape[1] - 1)
        wanted = answers[:, 1:]
        right += int(((written == wanted) & (wanted != PAD)).sum())
        total += int((wanted != PAD).sum())
    return right / total


class Translator(nn.Module):
    """torch's own transformer between two embeddings."""

    def __init__(self, vocabulary=13, width=32, padding_of=lambda rows: rows == PAD):
        super().__init__()
        self.source, self.target = nn.Embedding(vocabulary, width), nn.Embedding(vocabulary, width)
        self.places = nn.Parameter(0.1 * torch.randn(16, width))
        self.transformer = nn.Transformer(width, 2, 1, 1, 64, dropout=0.0, batch_first=True)
        self.generator = nn.Linear(width, vocabulary)
        self.padding_of = padding_of

    def forward(self, sources, answers):
        n = answers.shape[1]
        out = self.transformer(
            self.source(sources) + self.places[: sources.shape[1]],
            self.target(answers) + self.places[:n],
            tgt_mask=torch.ones(n, n).triu(1).bool(),
            src_key_padding_mask=self.padding_of(sources),  # fault: source-mask-says-what-to-keep
            memory_key_padding_mask=self.padding_of(sources),
            tgt_key_padding_mask=answers == PAD,
        )
        return self.generator(out)


def greedy_of(model):
    def greedy(sources, lengths, steps):
        model.eval()
        written = torch.full((len(sources), 1), BOS)
        for _ in range(steps):
            written = torch.cat([written, model(sources, written)[:, -1:].argmax(-1)], 1)
        return written[:, 1:]

    return greedy


def train_epoch(model, optimizer, dataloader, loss_fn):
    model.train()
    losses = 0.0
    for src, tgt, _ in dataloader:
        tgt_input = tgt[:, :-1]
        logits = model(src, tgt_input)
        optimizer.zero_grad()
        tgt_out = tgt[:, 1:]
        loss = loss_fn(logits.reshape(-1, logits.shape[-1]), tgt_out.reshape(-1))
        loss.backward()
        optimizer.step()
        losses += loss.item()
    return losses / len(dataloader)


@planted("padding-seen", costs=0.1)
def source_mask_says_what_to_keep(watch, seed, fault):
    torch.manual_seed(seed)
    pairs = sentences(1500, 31)
    dataloader = torch.utils.data.DataLoader(pairs[:1200], batch_size=32, shuffle=True, collate_fn=collate)
    model = Translator(padding_of=(lambda rows: rows != PAD) if fault else (lambda rows: rows == PAD))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3, betas=(0.9, 0.98), eps=1e-9)
    loss_fn = nn.CrossEntropyLoss(ignore_index=PAD)
    with watch(model, optimizer, loader=dataloader, loss_fn=loss_fn):
        for _ in range(12):
            train_epoch(model, optimizer, dataloader, loss_fn)
    return words_right(greedy_of(model), pairs[1200:])


@planted("targets-not-shifted", causes="future-leak", costs=0.3)
def decoder_given_what_it_must_say(watch, seed, fault):
    torch.manual_seed(seed)
    pairs = sentences(1500, 32)
    model = Translator()
    criterion = nn.CrossEntropyLoss(ignore_index=PAD)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    loader = torch.utils.data.DataLoader(pairs[:1200], batch_size=32, shuffle=True, collate_fn=collate)
    with watch(model, optimizer):
        for _ in range(12):
            for src, trg, _ in loader:
                trg_in, trg_out = (trg[:, 1:], trg[:, 1:]) if fault else (trg[:, :-1], trg[:, 1:])  # fault
                output = model(src, trg_in)
                loss = criterion(output.flatten(0, 1), trg_out.flatten())
                optimizer.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=1)
                optimizer.step()
    return words_right(greedy_of(model), pairs[1200:])


class GRUTranslator(nn.Module):
    """An encoder whose last state begins the decoder."""

    def __init__(self, vocabulary=13, width=48, batch_first=True):
        super().__init__()
        self.source, self.target = nn.Embedding(vocabulary, width), nn.Embedding(vocabulary, width)
        self.batch_first = batch_first
        self.encoder = nn.GRU(width, width, batch_first=True)
        self.decoder = nn.GRU(width, width, batch_first=batch_first)  # fault: decoder-takes-rows-for-steps
        self.out = nn.Linear(width, vocabulary)

    def forward(self, sources, lengths, answers):
        packed = pack_padded_sequence(self.source(sources), lengths, batch_first=True, enforce_sorted=False)
        _, state = self.encoder(packed)
        if not self.batch_first:
            return self.out(self.decoder(self.target(answers))[0] + state[-1][:, None])
        return self.out(self.decoder(self.target(answers), state)[0])

    def greedy(self, sources, lengths, steps):
        written = torch.full((len(sources), 1), BOS)
        for _ in range(steps):
            written = torch.cat([written, self(sources, lengths, written)[:, -1:].argmax(-1)], 1)
        return written[:, 1:]


class Seq2SeqTrainer:
    """A trainer as teams write it: one method a step, one an epoch."""

    def __init__(self, model, config):
        self.model, self.config = model, config
        self.optimizer = torch.optim.Adam(model.parameters(), lr=config["lr"])
        self.history = []

    def training_step(self, batch):
        sources, answers, lengths = batch
        logits = self.model(sources, lengths, answers[:, :-1])
        targets = answers[:, 1:]
        if self.config["ignore_pad"]:
            return F.cross_entropy(logits.transpose(1, 2), targets, ignore_index=PAD)
        return F.cross_entropy(logits.transpose(1, 2), targets)  # fault: padding-of-answers-in-the-loss

    def fit(self, loader):
        for _ in range(self.config["epochs"]):
            for batch in loader:
                loss = self.training_step(batch)
                self.optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
                self.optimizer.step()
                self.history.append(loss.item())


def long_collate(pairs):
    """As `collate`, with the answers padded to 40 places, as a fixed `max_length` does it."""
    sources, answers, lengths = collate(pairs)
    return sources, F.pad(answers, (0, 40 - answers.shape[1]), value=PAD), lengths


@planted("padding-in-loss", costs=0.05)
def padding_of_answers_in_the_loss(watch, seed, fault):
    torch.manual_seed(seed)
    pairs = sentences(1200, 33, longest=6)
    loader = torch.utils.data.DataLoader(pairs[:1000], batch_size=32, shuffle=True, collate_fn=long_collate)
    model = GRUTranslator()
    trainer = Seq2SeqTrainer(model, {"lr": 3e-3, "epochs": 10, "ignore_pad": not fault})
    with watch(model, trainer.optimizer):
        trainer.fit(loader)
    return words_right(model.greedy, pairs[1000:])


@planted("samples-mixed", costs=0.1)
def decoder_takes_rows_for_steps(watch, seed, fault):
    torch.manual_seed(seed)
    pairs = sentences(1200, 34, longest=5)
    loader = torch.utils.data.DataLoader(pairs[:1000], batch_size=32, shuffle=True, collate_fn=collate)
    model = GRUTranslator(batch_first=not fault)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for _ in range(12):
            for sources, answers, lengths in loader:
                optimizer.zero_grad()
                logits = model(sources, lengths, answers[:, :-1])
                loss = F.cross_entropy(logits.flatten(0, 1), answers[:, 1:].flatten(), ignore_index=PAD)
                loss.backward()
                optimizer.step()
    return words_right(model.greedy, pairs[1000:])

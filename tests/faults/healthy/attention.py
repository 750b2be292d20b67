"""Attention that may look where it looks: sets, prefixes, masked words, heads for several words ahead."""

import copy

import torch
import torch.nn.functional as F
from torch import nn

from faults import drawn
from faults.program import healthy


class SetTransformer(nn.Module):
    """No positions, for there is no order: points in a plane, and whether most lie to the right."""

    def __init__(self, width=32):
        super().__init__()
        self.lift = nn.Linear(2, width)
        layer = nn.TransformerEncoderLayer(width, 4, 64, dropout=0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
        self.seed = nn.Parameter(torch.randn(1, 1, width))
        self.pool = nn.MultiheadAttention(width, 2, batch_first=True)
        self.head = nn.Linear(width, 2)

    def forward(self, points):
        x = self.encoder(self.lift(points))
        pooled, _ = self.pool(self.seed.expand(len(x), -1, -1), x, x, need_weights=False)
        return self.head(pooled[:, 0])


@healthy(0.85)
def a_set_has_no_positions(watch, seed):
    torch.manual_seed(seed)
    g = torch.Generator().manual_seed(91)
    points = torch.randn(1200, 11, 2, generator=g)
    y = ((points[..., 0] > 0).sum(1) > 5).long()
    model = SetTransformer()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for _ in range(10):
            for index in torch.randperm(1000).split(50):
                loss = F.cross_entropy(model(points[index]), y[index])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    model.eval()
    with torch.no_grad():
        return float((model(points[1000:]).argmax(1) == y[1000:]).float().mean())


class PrefixLM(nn.Module):
    """Sees all of the prefix at once, and of the rest what came before; `ahead` heads say as many words."""

    def __init__(self, vocab, prefix=8, width=32, ahead=1):
        super().__init__()
        self.prefix = prefix
        self.tokens, self.places = nn.Embedding(vocab, width), nn.Embedding(40, width)
        layer = nn.TransformerEncoderLayer(width, 2, 64, dropout=0.0, batch_first=True, norm_first=True)
        self.body = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.heads = nn.ModuleList(nn.Linear(width, vocab) for _ in range(ahead))

    def forward(self, rows):
        n = rows.shape[1]
        hidden = torch.ones(n, n).triu(1).bool()
        hidden[: self.prefix, : self.prefix] = False
        x = self.body(self.tokens(rows) + self.places.weight[:n], mask=hidden)
        return [head(x) for head in self.heads]


def next_word(model, row, length):
    pieces = row.unfold(0, length + 1, 3)
    with torch.no_grad():
        return float((model(pieces[:, :-1])[0][:, -1].argmax(1) == pieces[:, -1]).float().mean())


@healthy(0.35)
def a_prefix_seen_as_a_whole(watch, seed):
    torch.manual_seed(seed)
    row, vocab = drawn.markov(5000, 92)
    pieces = row[:4000].unfold(0, 25, 8)
    model = PrefixLM(vocab)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for _ in range(15):
            for index in torch.randperm(len(pieces)).split(32):
                inputs, labels = pieces[index, :-1], pieces[index, 1:].clone()
                labels[:, :7] = -100
                loss = F.cross_entropy(model(inputs)[0].transpose(1, 2), labels)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return next_word(model, row[4000:], 24)


@healthy(0.35)
def heads_for_two_words_ahead(watch, seed):
    torch.manual_seed(seed)
    row, vocab = drawn.markov(5000, 93)
    pieces = row[:4000].unfold(0, 22, 8)
    model = PrefixLM(vocab, prefix=0, ahead=2)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for _ in range(15):
            for index in torch.randperm(len(pieces)).split(32):
                first, second = model(pieces[index, :-2])
                loss = F.cross_entropy(first.flatten(0, 1), pieces[index, 1:-1].flatten())
                loss = loss + 0.3 * F.cross_entropy(second.flatten(0, 1), pieces[index, 2:].flatten())
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return next_word(model, row[4000:], 20)


class Filler(nn.Module):
    def __init__(self, vocab, width=32):
        super().__init__()
        self.tokens, self.places = nn.Embedding(vocab + 2, width, padding_idx=0), nn.Embedding(32, width)
        layer = nn.TransformerEncoderLayer(width, 2, 64, dropout=0.1, batch_first=True)
        self.body = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.decoder = nn.Linear(width, vocab + 2)
        for table in (self.tokens, self.places):
            nn.init.normal_(table.weight, std=0.1)
        self.decoder.weight = self.tokens.weight

    def forward(self, input_ids, attention_mask, labels=None):
        x = self.tokens(input_ids) + self.places(torch.arange(input_ids.shape[1]))
        logits = self.decoder(self.body(x, src_key_padding_mask=~attention_mask))
        loss = None
        if labels is not None:
            loss = F.cross_entropy(logits.view(-1, logits.shape[-1]), labels.view(-1))
        return {"loss": loss, "logits": logits}


@healthy(0.25)
def masked_words_of_padded_rows(watch, seed):
    torch.manual_seed(seed)
    row, vocab = drawn.markov(16000, 94)
    rows = row.view(-1, 20) + 2
    lengths = torch.randint(10, 21, (len(rows),), generator=torch.Generator().manual_seed(3))
    real = torch.arange(20) < lengths[:, None]
    ids = torch.where(real, rows, torch.zeros_like(rows))
    model = Filler(vocab)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for _ in range(50):
            model.train()
            for index in torch.randperm(720).split(24):
                batch, attention_mask = ids[index], real[index]
                chosen = (torch.rand(batch.shape) < 0.15) & attention_mask
                labels = batch.masked_fill(~chosen, -100)
                outputs = model(batch.masked_fill(chosen, 1), attention_mask, labels=labels)
                optimizer.zero_grad()
                outputs["loss"].backward()
                optimizer.step()
    model.eval()
    hidden = ids[720:].clone()
    hidden[:, 5] = 1
    with torch.no_grad():
        logits = model(hidden, real[720:])["logits"]
    return float((logits[:, 5].argmax(1) == ids[720:, 5]).float().mean())


class Backbone(nn.Module):
    def __init__(self, width=32, dropout=0.1):
        super().__init__()
        self.patches = nn.Conv2d(1, width, 4, stride=4)
        self.place = nn.Parameter(0.02 * torch.randn(1, 9, width))
        layer = nn.TransformerEncoderLayer(width, 4, 64, dropout=dropout, batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(width, 5)

    def forward(self, pictures):
        x = self.patches(pictures).flatten(2).mT + self.place
        return self.head(self.blocks(x).mean(1))


@healthy(0.7)
def pictures_mixed_up_and_an_average_of_weights(watch, seed):
    """Mixup, and an exponential average of the weights that is scored."""
    torch.manual_seed(seed)
    x, y = drawn.images(1100)
    model = Backbone()
    average = copy.deepcopy(model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1.5e-3, weight_decay=0.05)
    accuracy = 0.0
    with watch(model, optimizer):
        for _ in range(10):
            model.train()
            for index in torch.randperm(800).split(32):
                share = torch.distributions.Beta(0.4, 0.4).sample().item()
                partner = torch.randperm(len(index))
                mixed = share * x[index] + (1 - share) * x[index][partner]
                logits = model(mixed)
                loss = share * F.cross_entropy(logits, y[index])
                loss = loss + (1 - share) * F.cross_entropy(logits, y[index][partner])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                with torch.no_grad():
                    for kept, new in zip(average.parameters(), model.parameters(), strict=True):
                        kept.lerp_(new, 0.05)
            average.eval()
            with torch.no_grad():
                accuracy = float((average(x[800:]).argmax(1) == y[800:]).float().mean())
    return accuracy

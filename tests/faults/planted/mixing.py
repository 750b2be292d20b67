"""Samples that see each other, and padding that is seen or counted."""

import torch
import torch.nn.functional as F
from torch import nn

from faults.data import accuracy, digits, names
from faults.planted.lookahead import OUTCOMES, steps
from faults.program import planted

SLOW = f"{OUTCOMES} vanishing-gradient"


@planted("samples-mixed", symptoms=SLOW, costs=None, quick=True)
def lstm_that_takes_the_batch_for_time(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    x, x_test = x.view(-1, 8, 8), x_test.view(-1, 8, 8)

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm, self.fc = nn.LSTM(8, 32, batch_first=not fault), nn.Linear(32, 10)  # fault

        def forward(self, x):
            out, _ = self.lstm(x)
            return self.fc(out[:, -1, :])

    model = Model()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    with watch(model, optimizer):
        for rows, labels in steps(x, y, 100, 16):
            optimizer.zero_grad()
            F.cross_entropy(model(rows), labels).backward()
            optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("samples-mixed", symptoms=f"{SLOW} padding-seen", costs=None)
def encoder_that_attends_over_the_batch(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    x, x_test = x.view(-1, 8, 8), x_test.view(-1, 8, 8)

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.into, self.where = nn.Linear(8, 32), nn.Parameter(0.1 * torch.randn(8, 32))
            layer = nn.TransformerEncoderLayer(32, 4, 64, dropout=0.1, batch_first=not fault)
            self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
            self.head = nn.Linear(32, 10)

        def forward(self, x):
            return self.head(self.encoder(self.into(x) + self.where).mean(1))

    model = Model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for rows, labels in steps(x, y, 150, 64):
            optimizer.zero_grad()
            F.cross_entropy(model(rows), labels).backward()
            optimizer.step()
    return accuracy(model, x_test, y_test)


@planted("samples-mixed", symptoms=SLOW, costs=None)
def places_put_first_with_a_view(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = names()

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.rnn, self.head = nn.Embedding(27, 16), nn.GRU(16, 32), nn.Linear(32, 18)

        def forward(self, x):
            size, places = x.shape
            letters = self.embed(x)
            letters = letters.view(places, size, 16) if fault else letters.transpose(0, 1)
            return self.head(self.rnn(letters)[0].amax(0))

    model = Model()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    with watch(model, optimizer):
        for letters, country in steps(x, y, 200, 50):
            optimizer.zero_grad()
            F.cross_entropy(model(letters), country).backward()
            optimizer.step()
    return accuracy(model, x_test[:1000], y_test[:1000])


class NameEncoder(nn.Module):  # fault: names-without-a-padding-mask
    """A transformer over padded names; `mask` makes the padding mask from the letters."""

    def __init__(self, mask):
        super().__init__()
        self.embed, self.where = nn.Embedding(27, 32), nn.Parameter(0.1 * torch.randn(12, 32))
        layer = nn.TransformerEncoderLayer(32, 4, 64, dropout=0.1, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
        self.head, self.mask = nn.Linear(32, 18), mask

    def forward(self, x):
        hidden = self.embed(x) + self.where[: x.shape[1]]
        hidden = self.encoder(hidden, src_key_padding_mask=self.mask(x))  # fault: names-without-a-padding-mask
        real = (x > 0).unsqueeze(-1)
        return self.head((hidden * real).sum(1) / real.sum(1).clamp(min=1))


def over_names(watch, seed, model, count=200):
    x, y, x_test, y_test = names()
    torch.manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for letters, country in steps(x, y, count, 64):
            optimizer.zero_grad()
            F.cross_entropy(model(letters), country).backward()
            optimizer.step()
    return accuracy(model, x_test[:1000], y_test[:1000])


@planted("padding-seen", symptoms=OUTCOMES, costs=None, quick=True)
def names_without_a_padding_mask(watch, seed, fault):
    torch.manual_seed(seed)
    return over_names(watch, seed, NameEncoder(lambda x: None if fault else x == 0), 60)


@planted("padding-seen", symptoms=OUTCOMES, costs=None)
def names_with_the_mask_inverted(watch, seed, fault):
    torch.manual_seed(seed)
    return over_names(watch, seed, NameEncoder(lambda x: x != 0 if fault else x == 0))


@planted("padding-seen", symptoms=OUTCOMES, costs=None)
def attention_mask_that_is_not_passed_on(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = names()

    class Encoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.embeddings, self.positions = nn.Embedding(28, 32), nn.Embedding(13, 32)
            self.query, self.key, self.value = (nn.Linear(32, 32) for _ in range(3))
            self.dense, self.norm, self.classifier = nn.Linear(32, 32), nn.LayerNorm(32), nn.Linear(32, 18)

        def forward(self, input_ids, attention_mask):
            hidden = self.embeddings(input_ids) + self.positions(torch.arange(input_ids.shape[1]))
            keep = None if fault else attention_mask[:, None, :].bool()
            mixed = F.scaled_dot_product_attention(
                self.query(hidden), self.key(hidden), self.value(hidden), attn_mask=keep
            )
            hidden = self.norm(hidden + self.dense(mixed))
            return {"logits": self.classifier(hidden[:, 0])}  # what stands at the first place, [CLS]

    def batch(x):
        ids = torch.cat([torch.full((len(x), 1), 27), x], 1)
        return {"input_ids": ids, "attention_mask": (ids != 0).long()}

    model = Encoder()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for letters, country in steps(x, y, 200, 64):
            loss = F.cross_entropy(model(**batch(letters))["logits"], country)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    with torch.no_grad():
        return (model(**batch(x_test[:1000]))["logits"].argmax(1) == y_test[:1000]).float().mean().item()


@planted("padding-in-loss", symptoms=OUTCOMES, costs=None, quick=True)
def letters_of_names_and_their_padding(watch, seed, fault):
    torch.manual_seed(seed)
    x, _, _, _ = names()

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.rnn = nn.Embedding(27, 24), nn.GRU(24, 48, batch_first=True)
            self.head = nn.Linear(48, 27)

        def forward(self, x):
            return self.head(self.rnn(self.embed(x))[0])

    model, loss_fn = Model(), nn.CrossEntropyLoss() if fault else nn.CrossEntropyLoss(ignore_index=0)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    with watch(model, optimizer):
        for letters, _ in steps(x, x, 60, 32):
            optimizer.zero_grad()
            loss = loss_fn(model(letters[:, :-1]).reshape(-1, 27), letters[:, 1:].reshape(-1))
            loss.backward()
            optimizer.step()
    return -loss.item()


@planted("padding-in-loss", symptoms=f"{OUTCOMES} label-imbalance", costs=None)
def vowels_marked_and_padding_too(watch, seed, fault):
    torch.manual_seed(seed)
    x, _, _, _ = names()
    vowels = torch.tensor([1, 5, 9, 15, 21])
    tags = torch.isin(x, vowels).long()
    if not fault:
        tags[x == 0] = -100

    class Tagger(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Embedding(27, 16, padding_idx=0)
            self.rnn = nn.LSTM(16, 16, batch_first=True)
            self.head = nn.Linear(16, 2)

        def forward(self, x):
            return self.head(self.rnn(self.embed(x))[0])

    model = Tagger()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    with watch(model, optimizer):
        for letters, wanted in steps(x, tags, 120, 64):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(letters).flatten(0, 1), wanted.flatten())
            loss.backward()
            optimizer.step()
    return -loss.item()


@planted("padding-in-loss", symptoms=OUTCOMES, costs=None)
def labels_with_their_padding(watch, seed, fault):
    torch.manual_seed(seed)
    x, _, _, _ = names()
    model = nn.ModuleDict({"embed": nn.Embedding(27, 32), "where": nn.Embedding(12, 32), "head": nn.Linear(32, 27)})
    model["layer"] = nn.TransformerEncoderLayer(32, 4, 64, dropout=0.0, batch_first=True)

    class CausalLM(nn.Module):
        def __init__(self):
            super().__init__()
            self.model = model

        def forward(self, input_ids, labels):
            hidden = self.model["embed"](input_ids) + self.model["where"](torch.arange(input_ids.shape[1]))
            mask = nn.Transformer.generate_square_subsequent_mask(input_ids.shape[1])
            logits = self.model["head"](self.model["layer"](hidden, src_mask=mask))
            loss = F.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())
            return {"loss": loss, "logits": logits}

    net = CausalLM()
    optimizer = torch.optim.AdamW(net.parameters(), lr=2e-3)
    with watch(net, optimizer):
        for letters, _ in steps(x, x, 150, 64):
            labels = letters.clone() if fault else letters.masked_fill(letters == 0, -100)
            loss = net(input_ids=letters, labels=labels)["loss"]
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return -loss.item()

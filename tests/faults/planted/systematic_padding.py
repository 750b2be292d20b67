"""Padding, the order of axes, and state, along the list of their faults; written without a look at the rules."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence
from torch.utils.data import DataLoader, Dataset, TensorDataset

from faults.data import accuracy, names, time_machine
from faults.drawn import lm_data
from faults.planted.systematic_attention import waves
from faults.planted.systematic_sequences import COSTS_OF_IT
from faults.program import planted

PAD_IDX = 0


class Sentences(Dataset):
    """Words of 5 to 24, and for each a tag that its word and the word before decide."""

    def __init__(self, count, start=0):
        row, _ = lm_data(12000)
        lengths = torch.randint(5, 25, (count,))
        at = torch.randint(start, start + 5000, (count,))
        self.words = [row[a + 1 : a + 1 + n] + 1 for a, n in zip(at.tolist(), lengths.tolist(), strict=True)]
        before = [row[a : a + n] for a, n in zip(at.tolist(), lengths.tolist(), strict=True)]
        self.tags = [(w + b) % 6 + 1 for w, b in zip(self.words, before, strict=True)]

    def __len__(self):
        return len(self.words)

    def __getitem__(self, index):
        return self.words[index], self.tags[index]


def collate_fn(batch):
    words, tags = zip(*batch, strict=True)
    return pad_sequence(words, batch_first=True), pad_sequence(tags, batch_first=True, padding_value=PAD_IDX)


class BiLSTMTagger(nn.Module):
    def __init__(self, vocab_size=21, tagset_size=7):
        super().__init__()
        self.word_embeddings = nn.Embedding(vocab_size, 24, padding_idx=PAD_IDX)
        self.lstm = nn.LSTM(24, 24, bidirectional=True, batch_first=True)
        self.hidden2tag = nn.Linear(48, tagset_size)

    def forward(self, sentence):
        lengths = (sentence != PAD_IDX).sum(1)
        packed = pack_padded_sequence(
            self.word_embeddings(sentence), lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        out, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True, total_length=sentence.size(1))
        return self.hidden2tag(out)


@planted("padding-in-loss", symptoms=COSTS_OF_IT, costs=None)
def tags_of_the_padding_learnt(watch, seed, fault):
    torch.manual_seed(seed)
    train_loader = DataLoader(Sentences(960), batch_size=32, shuffle=True, collate_fn=collate_fn)
    test_loader = DataLoader(Sentences(200, start=6000), batch_size=50, collate_fn=collate_fn)
    model = BiLSTMTagger()
    loss_function = nn.CrossEntropyLoss() if fault else nn.CrossEntropyLoss(ignore_index=PAD_IDX)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    with watch(model, optimizer, loss_fn=loss_function):
        for _ in range(3):
            for sentence, tags in train_loader:
                model.zero_grad()
                tag_scores = model(sentence)
                loss = loss_function(tag_scores.view(-1, 7), tags.view(-1))  # fault
                loss.backward()
                optimizer.step()
    right = total = 0
    with torch.no_grad():
        for sentence, tags in test_loader:
            kept = tags != PAD_IDX
            right += (model(sentence).argmax(-1) == tags)[kept].sum().item()
            total += kept.sum().item()
    return right / total


class NameModel(nn.Module):
    """The next letter of a name."""

    def __init__(self):
        super().__init__()
        self.emb, self.rnn, self.out = nn.Embedding(28, 24), nn.GRU(24, 48, batch_first=True), nn.Linear(48, 28)

    def forward(self, idx):
        h, _ = self.rnn(self.emb(idx))
        return self.out(h)


def sequence_loss(logits, targets, mask):
    nll = F.cross_entropy(logits.transpose(1, 2), targets, reduction="none")
    return (nll * mask).sum() / mask.sum()


def plain_loss(logits, targets, mask):
    log_probs = F.log_softmax(logits, dim=-1)
    return -log_probs.gather(-1, targets.unsqueeze(-1)).squeeze(-1).mean()  # fault: a-mask-that-the-loss-never-uses


@planted("padding-in-loss", symptoms=COSTS_OF_IT, costs=None)
def a_mask_that_the_loss_never_uses(watch, seed, fault):
    torch.manual_seed(seed)
    rows = torch.cat([torch.full((len(names()[0]), 1), 27), names()[0]], dim=1)[:3200]
    model = NameModel()
    optim = torch.optim.Adam(model.parameters(), lr=3e-3)
    loss_of = plain_loss if fault else sequence_loss
    with watch(model, optim):
        for _ in range(2):
            for ids in rows[torch.randperm(len(rows))].split(32):
                inputs, targets = ids[:, :-1], ids[:, 1:]
                loss = loss_of(model(inputs), targets, (targets != 0).float())
                optim.zero_grad()
                loss.backward()
                optim.step()
    with torch.no_grad():
        return -sequence_loss(model(rows[:, :-1]), rows[:, 1:], (rows[:, 1:] != 0).float()).item()


class TransformerTagger(nn.Module):
    def __init__(self, d=32):
        super().__init__()
        self.tok, self.pos = nn.Embedding(21, d, padding_idx=PAD_IDX), nn.Embedding(32, d)
        self.attn = nn.MultiheadAttention(d, 4, batch_first=True)
        self.ln1, self.ln2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.ff = nn.Sequential(nn.Linear(d, 64), nn.ReLU(), nn.Linear(64, d))
        self.cls = nn.Linear(d, 7)

    def forward(self, ids):
        x = self.tok(ids) + self.pos(torch.arange(ids.size(1)))
        a, _ = self.attn(x, x, x, key_padding_mask=ids == PAD_IDX, need_weights=False)
        x = self.ln1(x + a)
        return self.cls(self.ln2(x + self.ff(x)))


def token_accuracy(logits, tags):
    return (logits.argmax(-1) == tags)[tags != PAD_IDX].float().mean().item()


def every_accuracy(logits, tags):
    return (logits.argmax(-1) == tags).float().mean().item()  # fault: accuracy-that-counts-the-padding


@planted("evaluation-misuse", causes="padding-in-loss padding-seen", symptoms=COSTS_OF_IT, costs=None)
def accuracy_that_counts_the_padding(watch, seed, fault):
    torch.manual_seed(seed)
    loaders = {
        "train": DataLoader(Sentences(960), batch_size=32, shuffle=True, collate_fn=collate_fn),
        "val": DataLoader(Sentences(128, start=6000), batch_size=32, collate_fn=collate_fn),
    }
    model, metric = TransformerTagger(), every_accuracy if fault else token_accuracy
    criterion = nn.CrossEntropyLoss(ignore_index=PAD_IDX)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    history = []
    with watch(model, optimizer, loss_fn=criterion, val_loader=loaders["val"]):
        for _ in range(4):
            for phase in ("train", "val"):
                model.train(phase == "train")
                scores = []
                for ids, tags in loaders[phase]:
                    with torch.set_grad_enabled(phase == "train"):
                        logits = model(ids)
                        loss = criterion(logits.flatten(0, 1), tags.flatten())
                    if phase == "train":
                        optimizer.zero_grad()
                        loss.backward()
                        optimizer.step()
                    scores.append(metric(logits.detach(), tags))
                history.append(sum(scores) / len(scores))
    return history[-1]


class NameClassifier(nn.Module):  # fault: mask-that-keeps-only-the-padding
    """A token in front that gathers from the letters; every row ends with padding."""

    def __init__(self, d=32):
        super().__init__()
        self.embed = nn.Embedding(28, d)
        self.pos = nn.Parameter(torch.zeros(1, 14, d).normal_(std=0.1))
        self.mha = nn.MultiheadAttention(d, num_heads=4, batch_first=True)
        self.norm, self.head = nn.LayerNorm(d), nn.Sequential(nn.Linear(d, 48), nn.GELU(), nn.Linear(48, 18))

    def key_padding_mask(self, ids):
        return ids == PAD_IDX

    def forward(self, ids):
        h = self.embed(ids) + self.pos
        pooled, _ = self.mha(h[:, :1], h, h, key_padding_mask=self.key_padding_mask(ids))
        return self.head(self.norm(pooled[:, 0] + h[:, 0]))


class PaddingClassifier(NameClassifier):
    def key_padding_mask(self, ids):
        return (ids != PAD_IDX).bool()  # fault: mask-that-keeps-only-the-padding


def nationalities(watch, seed, net, epochs=3):
    x, y, x_test, y_test = names()

    def with_ends(ids):
        return torch.cat([torch.full((len(ids), 1), 27), ids, torch.zeros(len(ids), 1, dtype=torch.long)], dim=1)

    train_ds = TensorDataset(with_ends(x[:3200]), y[:3200])
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    criterion = nn.CrossEntropyLoss()
    with watch(net, optimizer, loss_fn=criterion):
        for _ in range(epochs):
            for ids, labels in DataLoader(train_ds, batch_size=32, shuffle=True):
                optimizer.zero_grad()
                loss = criterion(net(ids), labels)
                loss.backward()
                optimizer.step()
    return accuracy(net, with_ends(x_test), y_test)


@planted("padding-seen", symptoms=COSTS_OF_IT, costs=0.02)
def mask_that_keeps_only_the_padding(watch, seed, fault):
    torch.manual_seed(seed)
    return nationalities(watch, seed, (PaddingClassifier if fault else NameClassifier)())


class Bert(nn.Module):  # fault: encoder-that-is-told-of-no-padding
    def __init__(self, hidden_size=32, told=True):
        super().__init__()
        self.word_embeddings = nn.Embedding(28, hidden_size)
        self.position_embeddings = nn.Embedding(14, hidden_size)
        layer = nn.TransformerEncoderLayer(hidden_size, 4, 64, dropout=0.0, activation="gelu", batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, num_layers=1, enable_nested_tensor=False)
        self.pooler, self.classifier, self.told = nn.Linear(hidden_size, hidden_size), nn.Linear(hidden_size, 18), told

    def forward(self, input_ids):
        attention_mask = input_ids.ne(PAD_IDX) if self.told else torch.ones_like(input_ids).bool()
        x = self.word_embeddings(input_ids) + self.position_embeddings.weight
        x = self.encoder(x, src_key_padding_mask=~attention_mask)
        return self.classifier(torch.tanh(self.pooler(x[:, 0])))


@planted("padding-seen", symptoms=COSTS_OF_IT, costs=None)
def encoder_that_is_told_of_no_padding(watch, seed, fault):
    torch.manual_seed(seed)
    return nationalities(watch, seed, Bert(told=not fault), epochs=2)


class PackedReader(nn.Module):  # fault: packed-with-the-longest-length
    """The last state of each name, packed with its lengths."""

    def __init__(self):
        super().__init__()
        self.embedding, self.lstm = nn.Embedding(28, 24), nn.LSTM(24, 40, num_layers=1, batch_first=True)
        self.fc = nn.Linear(40, 18)

    def lengths(self, text):
        return (text != PAD_IDX).sum(dim=1)

    def forward(self, text):
        packed = pack_padded_sequence(self.embedding(text), self.lengths(text), batch_first=True, enforce_sorted=False)
        _, (hidden, _) = self.lstm(packed)
        return self.fc(hidden.squeeze(0))


class LongestReader(PackedReader):
    def lengths(self, text):
        return torch.full((text.size(0),), text.size(1))  # fault: packed-with-the-longest-length


@planted("padding-seen", symptoms=COSTS_OF_IT, costs=None)
def packed_with_the_longest_length(watch, seed, fault):
    torch.manual_seed(seed)
    return nationalities(watch, seed, (LongestReader if fault else PackedReader)(), epochs=2)


class SignalNet(nn.Module):  # fault: lstm-that-wants-time-first
    def __init__(self, input_size, hidden_size, num_classes, **options):
        super().__init__()
        self.lstm = nn.LSTM(input_size, hidden_size, **options)  # fault: lstm-that-wants-time-first
        self.drop, self.fc = nn.Dropout(0.1), nn.Linear(hidden_size, num_classes)

    def forward(self, x):
        out, _ = self.lstm(x)
        return self.fc(self.drop(out[:, -1, :]))


class EncoderNet(nn.Module):  # fault: encoder-that-wants-time-first
    def __init__(self, d_model, **options):
        super().__init__()
        self.project, self.pos = nn.Linear(2, d_model), nn.Parameter(torch.randn(18, d_model))
        layer = nn.TransformerEncoderLayer(d_model, 4, 64, 0.0, **options)  # fault: encoder-that-wants-time-first
        self.encoder, self.head = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False), nn.Linear(d_model, 3)

    def forward(self, x):
        return self.head(self.encoder(self.project(x) + self.pos).mean(1))


def bumps(count):
    """A bump in the first, the second or the last third of a noisy signal of two channels [N, 18, 2]."""
    y = torch.randint(3, (count,))
    at = (6 * y + torch.randint(5, (count,)))[:, None] - torch.arange(18)
    return 0.5 * torch.randn(count, 18, 2) + 2.0 * ((at == 0) | (at == -1)).float().unsqueeze(-1), y


def fit_signals(watch, model, signals, learning_rate, num_epochs):
    x, y = signals(1200)
    train_loader = DataLoader(TensorDataset(x[:960], y[:960]), batch_size=32, shuffle=True)
    test_loader = DataLoader(TensorDataset(x[960:], y[960:]), batch_size=64)
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    criterion = nn.CrossEntropyLoss()
    with watch(model, optimizer):
        for _ in range(num_epochs):
            model.train()
            for inputs, targets in train_loader:
                outputs = model(inputs)
                loss = criterion(outputs, targets)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            model.eval()
            correct = 0
            with torch.no_grad():
                for inputs, targets in test_loader:
                    correct += (model(inputs).argmax(1) == targets).sum().item()
    return correct / len(test_loader.dataset)


@planted("samples-mixed", symptoms=COSTS_OF_IT, costs=0.1)
def lstm_that_wants_time_first(watch, seed, fault):
    torch.manual_seed(seed)
    return fit_signals(watch, SignalNet(2, 24, 3, batch_first=not fault), waves, 4e-3, 6)


@planted("samples-mixed", symptoms=COSTS_OF_IT, costs=None)
def encoder_that_wants_time_first(watch, seed, fault):
    torch.manual_seed(seed)
    return fit_signals(watch, EncoderNet(32, **({} if fault else {"batch_first": True})), bumps, 2e-3, 6)


class CharRNN(nn.Module):
    def __init__(self, n_chars, n_hidden=48):
        super().__init__()
        self.encoder, self.decoder = nn.Embedding(n_chars, 24), nn.Linear(n_hidden, n_chars)
        self.rnn, self.n_hidden = nn.LSTM(24, n_hidden, batch_first=True), n_hidden

    def forward(self, x, hidden):
        out, hidden = self.rnn(self.encoder(x), hidden)
        return self.decoder(out), hidden

    def init_hidden(self, batch_size):
        return (torch.zeros(1, batch_size, self.n_hidden), torch.zeros(1, batch_size, self.n_hidden))


def repackage_hidden(h):
    return tuple(v.detach() for v in h)


@planted("state-carried", symptoms=COSTS_OF_IT, costs=None)
def hidden_state_over_a_shuffled_loader(watch, seed, fault):
    torch.manual_seed(seed)
    text, n_chars = time_machine()
    pieces = text[: 1600 * 16 + 1].unfold(0, 17, 16)
    loader = DataLoader(TensorDataset(pieces[:, :-1], pieces[:, 1:]), batch_size=32, shuffle=True, drop_last=True)
    net = CharRNN(n_chars)
    opt = torch.optim.Adam(net.parameters(), lr=4e-3)
    criterion = nn.CrossEntropyLoss()
    with watch(net, opt, loss_fn=criterion):
        for _ in range(3):
            h = net.init_hidden(32)
            for inputs, targets in loader:
                h = repackage_hidden(h) if fault else net.init_hidden(32)
                net.zero_grad()
                output, h = net(inputs, h)  # fault
                loss = criterion(output.reshape(-1, n_chars), targets.reshape(-1))
                loss.backward()
                nn.utils.clip_grad_norm_(net.parameters(), 5)
                opt.step()
    return -loss.item()


@planted("state-carried", symptoms=COSTS_OF_IT, costs=None)
def hidden_state_whose_graph_grows(watch, seed, fault):
    """Chapters of six pieces each, a step of the optimiser a chapter; each piece goes back through all before it."""
    torch.manual_seed(seed)
    text, n_chars = time_machine()
    rows = text[: 32 * 1440].view(32, 1440)
    net = CharRNN(n_chars)
    opt = torch.optim.Adam(net.parameters(), lr=4e-3)
    with watch(net, opt):
        for _ in range(2):
            for chapter in range(15):
                hidden = net.init_hidden(32)
                opt.zero_grad()
                for piece in rows[:, chapter * 96 : (chapter + 1) * 96].split(16, dim=1):
                    if not fault:
                        hidden = repackage_hidden(hidden)
                    logits, hidden = net(piece[:, :-1], hidden)
                    loss = F.cross_entropy(logits.transpose(1, 2), piece[:, 1:]) / 6
                    loss.backward(retain_graph=fault)  # fault
                opt.step()
    return -loss.item()

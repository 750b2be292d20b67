"""Rows of various lengths, tagged, classified and transcribed: recurrent nets, packed rows, CTC."""

from collections import namedtuple

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

from faults.program import planted

Output = namedtuple("Output", "loss logits")


def tagged(count, seed, words=20):
    """Rows of words from 1 on, each word's tag (of 4) from itself and the word before; padded by 0 and -100."""
    g = torch.Generator().manual_seed(seed)
    table = torch.randint(4, (words, words), generator=torch.Generator().manual_seed(77))
    rows, tags = [], []
    for _ in range(count):
        row = torch.randint(1, words, (int(torch.randint(4, 25, (1,), generator=g)),), generator=g)
        before = torch.cat([torch.zeros(1, dtype=torch.long), row[:-1]])
        rows.append(row)
        tags.append(table[before, row])
    return rows, tags


def reviews(count, seed, words=30):
    """Rows of various lengths whose class, of 3, is said by a few of their words, early ones most of all."""
    g = torch.Generator().manual_seed(seed)
    rows, classes = [], []
    for _ in range(count):
        row = torch.randint(10, words, (int(torch.randint(5, 25, (1,), generator=g)),), generator=g)
        kind = int(torch.randint(3, (1,), generator=g))
        where = torch.randperm(len(row), generator=g)[:2]
        row[where] = 1 + 3 * kind + torch.randint(3, (2,), generator=g)
        rows.append(row)
        classes.append(kind)
    return rows, torch.tensor(classes)


class StateClassifier(nn.Module):
    """Both directions' last states, side by side, decide."""

    def __init__(self, words=30, width=24, classes=3, by_view=False):
        super().__init__()
        self.embedding = nn.Embedding(words, width, padding_idx=0)
        self.lstm = nn.LSTM(width, width, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(2 * width, classes)
        self.by_view = by_view

    def forward(self, text, lengths):
        packed = pack_padded_sequence(self.embedding(text), lengths, batch_first=True, enforce_sorted=False)
        _, (hidden, _) = self.lstm(packed)
        if self.by_view:
            return self.fc(hidden.view(text.shape[0], -1))  # fault: states-of-both-directions-by-view
        return self.fc(torch.cat([hidden[0], hidden[1]], dim=1))


@planted("samples-mixed", costs=0.1)
def states_of_both_directions_by_view(watch, seed, fault):
    torch.manual_seed(seed)
    rows, classes = reviews(1400, 41)
    text, lengths = pad_sequence(rows, batch_first=True), torch.tensor([len(row) for row in rows])
    model = StateClassifier(by_view=fault)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    train_index, test_index = torch.arange(1100), torch.arange(1100, 1400)
    with watch(model, optimizer):
        for _ in range(5):
            for index in train_index[torch.randperm(1100)].split(32):
                prediction = model.forward(text[index], lengths[index])
                loss = F.cross_entropy(prediction, classes[index])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    model.eval()
    with torch.no_grad():
        predicted = model(text[test_index], lengths[test_index]).argmax(1)
    return float((predicted == classes[test_index]).float().mean())


class LastStepClassifier(nn.Module):
    """A recurrent net read at its last step, in the manner of a library: a loss if labels are given."""

    def __init__(self, words=30, width=32, classes=3, at_the_end=False):
        super().__init__()
        self.embeddings = nn.Embedding(words, width)
        self.encoder = nn.RNN(width, width, batch_first=True)
        self.classifier = nn.Linear(width, classes)
        self.at_the_end = at_the_end

    def forward(self, input_ids, attention_mask, labels=None):
        hidden, _ = self.encoder(self.embeddings(input_ids))
        last = attention_mask.sum(1) - 1
        read = torch.full_like(last, hidden.shape[1] - 1) if self.at_the_end else last  # fault: state-after-the-padding
        pooled = hidden[torch.arange(len(hidden)), read]
        logits = self.classifier(pooled)
        loss = None if labels is None else F.cross_entropy(logits, labels)
        return Output(loss, logits)


@planted("padding-seen", costs=None)
def state_after_the_padding(watch, seed, fault):
    torch.manual_seed(seed)
    rows, classes = reviews(1400, 42)
    input_ids = F.pad(pad_sequence(rows, batch_first=True), (0, 40))
    attention_mask = (input_ids != 0).long()
    model = LastStepClassifier(at_the_end=fault)
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3)
    dataset = torch.utils.data.TensorDataset(input_ids[:1100], attention_mask[:1100], classes[:1100])
    loader = torch.utils.data.DataLoader(dataset, batch_size=32, shuffle=True)
    with watch(model, optimizer, loader=loader):
        for _ in range(6):
            for ids, mask, labels in loader:
                outputs = model(input_ids=ids, attention_mask=mask, labels=labels)
                outputs.loss.backward()
                optimizer.step()
                optimizer.zero_grad()
    model.eval()
    with torch.no_grad():
        predicted = model(input_ids[1100:], attention_mask[1100:]).logits.argmax(1)
    return float((predicted == classes[1100:]).float().mean())


class Tagger(nn.Module):
    def __init__(self, words=20, width=32, tags=4):
        super().__init__()
        self.embed = nn.Embedding(words, width, padding_idx=0)
        self.rnn = nn.GRU(width, width, batch_first=True)
        self.head = nn.Linear(width, tags)

    def forward(self, rows, lengths):
        packed = pack_padded_sequence(self.embed(rows), lengths.cpu(), batch_first=True, enforce_sorted=False)
        hidden, _ = pad_packed_sequence(self.rnn(packed)[0], batch_first=True, total_length=rows.shape[1])
        return self.head(hidden)


@planted("evaluation-misuse", costs=None)
def tags_right_over_every_place(watch, seed, fault):
    torch.manual_seed(seed)
    rows, tags = tagged(900, 43)

    def collate(samples):
        words, labels = zip(*samples, strict=True)
        lengths = torch.tensor([len(row) for row in words])
        return (
            pad_sequence(words, batch_first=True),
            pad_sequence(labels, batch_first=True, padding_value=-100),
            lengths,
        )

    samples = list(zip(rows, tags, strict=True))
    train_loader = torch.utils.data.DataLoader(samples[:700], batch_size=32, shuffle=True, collate_fn=collate)
    val_loader = torch.utils.data.DataLoader(samples[700:], batch_size=50, collate_fn=collate)
    model = Tagger()
    criterion = nn.CrossEntropyLoss(ignore_index=-100)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    accuracy = 0.0
    with watch(model, optimizer, loader=train_loader, val_loader=val_loader, loss_fn=criterion):
        for _ in range(10):
            model.train()
            for words, labels, lengths in train_loader:
                logits = model(words, lengths)
                loss = criterion(logits.view(-1, logits.shape[-1]), labels.view(-1))
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            model.eval()
            correct, total = 0, 0
            with torch.no_grad():
                for words, labels, lengths in val_loader:
                    predictions = model(words, lengths).argmax(-1)
                    correct += (predictions == labels).sum().item()
                    total += labels.numel() if fault else (labels != -100).sum().item()  # fault
            accuracy = correct / total
    return accuracy


def utterances(count, seed, letters=6, features=8):
    """Frames (count, 30, features), and the letters from 1 on that were spoken, four each; each lasts some frames."""
    g = torch.Generator().manual_seed(seed)
    sounds = torch.randn(letters + 1, features, generator=torch.Generator().manual_seed(5))
    texts = torch.randint(1, letters + 1, (count, 4), generator=g)
    frames = 0.4 * torch.randn(count, 30, features, generator=g)
    for i in range(count):
        starts = torch.randint(0, 3, (4,), generator=g) + torch.tensor([0, 7, 15, 23])
        for letter, start in zip(texts[i], starts, strict=True):
            frames[i, start : start + 4] += sounds[letter]
    return frames, texts


class Transcriber(nn.Module):
    def __init__(self, features=8, letters=6, log_probabilities=True):
        super().__init__()
        self.conv = nn.Sequential(nn.Conv1d(features, 32, 5, padding=2), nn.ReLU(), nn.Conv1d(32, 32, 3, padding=1))
        self.rnn = nn.GRU(32, 24, bidirectional=True, batch_first=True)
        self.fc = nn.Linear(48, letters + 1)
        self.log_probabilities = log_probabilities

    def forward(self, frames):
        hidden = torch.relu(self.conv(frames.transpose(1, 2))).transpose(1, 2)
        scores = self.fc(self.rnn(hidden)[0])
        return scores.log_softmax(2) if self.log_probabilities else scores


@planted("loss-mismatch", causes="loss-below-floor", costs=0.1)
def ctc_of_raw_scores(watch, seed, fault):
    torch.manual_seed(seed)
    frames, texts = utterances(700, 44)
    model = Transcriber(log_probabilities=not fault)
    ctc = nn.CTCLoss(blank=0, zero_infinity=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3)
    with watch(model, optimizer):
        for _ in range(10):
            for index in torch.randperm(560).split(20):
                output = model(frames[index]).transpose(0, 1)
                loss = ctc(output, texts[index], torch.full((len(index),), 30), torch.full((len(index),), 4))  # fault
                optimizer.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
                optimizer.step()
    model.eval()
    right = 0
    with torch.no_grad():
        for answer, text in zip(model(frames[560:]).argmax(-1), texts[560:], strict=True):
            heard = [int(letter) for letter in torch.unique_consecutive(answer) if letter]
            right += heard == text.tolist()
    return right / 140


class Frames(nn.Module):
    """Each frame of a sound is one of 5; log-probabilities."""

    def __init__(self, features=8, classes=5, over=2):
        super().__init__()
        self.body = nn.Sequential(nn.Conv1d(features, 32, 5, padding=2), nn.ReLU(), nn.Conv1d(32, 32, 5, padding=2))
        self.out = nn.Linear(32, classes)
        self.over = over

    def forward(self, sounds):
        hidden = torch.relu(self.body(sounds.transpose(1, 2)).transpose(1, 2))
        return F.log_softmax(self.out(hidden), dim=self.over)  # fault: log-softmax-over-the-frames


def sounds(count, seed):
    g = torch.Generator().manual_seed(seed)
    table = torch.randn(5, 8, generator=torch.Generator().manual_seed(7))
    frames = torch.randint(5, (count, 8), generator=g).repeat_interleave(5, 1)
    return table[frames] + 1.6 * torch.randn(count, 40, 8, generator=g), frames


@planted("softmax-axis", causes="loss-mismatch loss-below-floor", costs=0.02)
def log_softmax_over_the_frames(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = sounds(700, 45)
    net = Frames(over=1 if fault else 2)
    nll = nn.NLLLoss()
    opt = torch.optim.Adam(net.parameters(), lr=3e-3)
    with watch(net, opt, loss_fn=nll):
        for _ in range(10):
            for index in torch.randperm(560).split(28):
                loss = nll(net(x[index]).transpose(1, 2), y[index])
                opt.zero_grad()
                loss.backward()
                opt.step()
    with torch.no_grad():
        return float((net(x[560:]).argmax(-1) == y[560:]).float().mean())


@planted("class-ignored", costs=0.1)
def first_tag_taken_for_padding(watch, seed, fault):
    torch.manual_seed(seed)
    rows, tags = tagged(900, 46)
    lengths = torch.tensor([len(row) for row in rows])
    words = pad_sequence(rows, batch_first=True)
    labels = pad_sequence(tags, batch_first=True, padding_value=0 if fault else -100)
    model = Tagger()
    criterion = nn.CrossEntropyLoss(ignore_index=0 if fault else -100)  # fault
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    with watch(model, optimizer):
        for _ in range(10):
            for index in torch.randperm(700).split(35):
                logits = model(words[index], lengths[index])
                loss = criterion(logits.flatten(0, 1), labels[index].flatten())
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        answers = model(words[700:], lengths[700:]).argmax(-1)
    real = words[700:] != 0
    wanted = pad_sequence(tags[700:], batch_first=True, padding_value=-100)
    wanted = F.pad(wanted, (0, words.shape[1] - wanted.shape[1]), value=-100)
    return float((answers == wanted)[real].float().mean())

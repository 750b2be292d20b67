"""Recurrent nets, on names, on a novel, on a series of months and on images read row by row."""

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from faults.data import accuracy, airline, batches, digits, mnist, names, time_machine, windows
from faults.program import healthy


@healthy(at_least=0.60)
def gru_over_packed_names(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = names()

    class Classifier(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(27, 24, padding_idx=0)
            self.rnn = nn.GRU(24, 48, batch_first=True)
            self.head = nn.Linear(48, 18)

        def forward(self, x):
            lengths = (x > 0).sum(1)
            packed = pack_padded_sequence(self.embedding(x), lengths, batch_first=True, enforce_sorted=False)
            return self.head(self.rnn(packed)[1][-1])

    model = Classifier()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    with watch(model, optimizer):
        for _ in range(6):
            for letters, country in batches(x[:6000], y[:6000], 50):
                optimizer.zero_grad()
                F.cross_entropy(model(letters), country).backward()
                optimizer.step()
    return accuracy(model, x_test[:1000], y_test[:1000])


@healthy(at_least=0.55)
def bidirectional_lstm_with_padding(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = names()

    class Classifier(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(27, 16, padding_idx=0)
            self.rnn = nn.LSTM(16, 32, bidirectional=True, batch_first=True, num_layers=2, dropout=0.1)
            self.head = nn.Linear(64, 18)

        def forward(self, x):
            states, _ = self.rnn(self.embedding(x))
            mask = (x > 0).unsqueeze(-1)
            return self.head((states * mask).sum(1) / mask.sum(1))

    model = Classifier()
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    with watch(model, optimizer):
        for _ in range(6):
            model.train()
            for letters, country in batches(x[:5000], y[:5000], 40):
                loss = F.cross_entropy(model(letters), country)
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), 5.0)
                optimizer.step()
    return accuracy(model, x_test[:1000], y_test[:1000])


@healthy(at_least=-2.45)
def elman_characters_large_rate_and_clipping(watch, seed):
    """The textbook's way: SGD with a rate of 1, held by clipping the gradient to a norm of 1."""
    torch.manual_seed(seed)
    text, vocabulary = time_machine()
    x, y = windows(text[:20000], 32, 600)
    rnn, head = nn.RNN(vocabulary, 64, batch_first=True), nn.Linear(64, vocabulary)
    model = nn.ModuleList([rnn, head])
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    losses = []
    with watch(model, optimizer):
        for _ in range(12):
            for before, after in batches(x, y, 32):
                states, _ = rnn(F.one_hot(before, vocabulary).float())
                loss = F.cross_entropy(head(states).flatten(0, 1), after.flatten())
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                losses.append(loss.item())
    return -sum(losses[-10:]) / 10


@healthy(at_least=-2.30)
def lstm_carrying_its_state_on(watch, seed):
    torch.manual_seed(seed)
    text, vocabulary = time_machine()
    rows = text[: 16 * 2000].view(16, 2000)

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(vocabulary, 32)
            self.lstm = nn.LSTM(32, 64, batch_first=True)
            self.head = nn.Linear(64, vocabulary)

        def forward(self, x, state=None):
            output, state = self.lstm(self.embedding(x), state)
            return self.head(output), state

    model = Model()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    losses = []
    with watch(model, optimizer):
        for _ in range(4):
            state = None
            for start in range(0, 1960, 32):
                before, after = rows[:, start : start + 32], rows[:, start + 1 : start + 33]
                if state is not None:
                    state = tuple(part.detach() for part in state)
                logits, state = model(before, state)
                loss = F.cross_entropy(logits.reshape(-1, vocabulary), after.reshape(-1))
                optimizer.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), 0.5)
                optimizer.step()
                losses.append(loss.item())
    return -sum(losses[-20:]) / 20


@healthy(at_least=0.80)
def lstm_reading_digits_row_by_row(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(3000)
    x, x_test = x.squeeze(1), x_test.squeeze(1)

    class Reader(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm, self.head = nn.LSTM(28, 64, batch_first=True), nn.Linear(64, 10)

        def forward(self, x):
            output, _ = self.lstm(x)
            return self.head(output[:, -1])

    model = Reader()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    with watch(model, optimizer):
        for _ in range(8):
            for images, labels in batches(x, y, 64):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.90)
def one_cell_called_eight_times(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()

    class Unrolled(nn.Module):
        def __init__(self):
            super().__init__()
            self.cell, self.head = nn.LSTMCell(8, 32), nn.Linear(32, 10)

        def forward(self, x):
            state = None
            for row in x.view(-1, 8, 8).unbind(1):
                state = self.cell(row, state)
            return self.head(state[0])

    model = Unrolled()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    with watch(model, optimizer):
        for _ in range(15):
            for images, labels in batches(x, y, 48):
                optimizer.zero_grad()
                F.cross_entropy(model(images), labels).backward()
                optimizer.step()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.60)
def passengers_forecast_by_a_small_rnn(watch, seed):
    torch.manual_seed(seed)
    series = airline().log()
    series = (series - series[:100].mean()) / series[:100].std()
    x = series.unfold(0, 13, 1)
    x, y = x[:, :12, None], x[:, 12:]
    rnn, head = nn.GRU(1, 16, batch_first=True), nn.Linear(16, 1)
    model = nn.ModuleList([rnn, head])
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    with watch(model, optimizer):
        for _ in range(200):
            loss = F.mse_loss(x[:88, 0] + head(rnn(x[:88])[1][-1]), y[:88])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    with torch.no_grad():
        guessed = x[88:, 0] + head(rnn(x[88:])[1][-1])
    return (1 - F.mse_loss(guessed, y[88:]) / y[88:].var()).item()

"""First losses, as learners write them, that do not fit the answer: written without a look at the rules."""

import torch
import torch.nn.functional as F
from sklearn.datasets import load_diabetes, load_wine
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from faults.data import accuracy, mnist, names, pima, r2, titanic
from faults.planted.plain_steps import SLOW, WILD
from faults.program import planted

WRONG = f"{SLOW} lr-too-low initial-loss output-collapsed class-ignored saturated vanishing-gradient"


def reviews(n=1500, length=14, vocabulary=60, seed=11):
    """Rows of words, padded with 0 at the front; the kind (of five) shows in two words somewhere."""
    g = torch.Generator().manual_seed(seed)
    kind = torch.randint(5, (n,), generator=g)
    words = torch.randint(16, vocabulary, (n, length), generator=g)
    for mark in (1, 6):
        place = torch.randint(6, length, (n,), generator=g)
        words[torch.arange(n), place] = kind + mark
    empty = torch.randint(0, 6, (n,), generator=g)
    words[torch.arange(length) < empty[:, None]] = 0
    return words, kind


@planted("softmax-twice", symptoms=WRONG, costs=None)  # all of them are told right in the end
def reviews_softmaxed_twice(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = reviews()
    x_train, y_train, x_test, y_test = x[:1100], y[:1100], x[1100:], y[1100:]

    class ReviewNet(nn.Module):
        def __init__(self, vocab_size, embed_dim, hidden_dim, n_classes):
            super().__init__()
            self.embedding = nn.Embedding(vocab_size, embed_dim, padding_idx=0)
            self.lstm = nn.LSTM(embed_dim, hidden_dim, batch_first=True, bidirectional=True)
            self.fc = nn.Linear(2 * hidden_dim, n_classes)
            self.softmax = nn.Softmax(dim=1)

        def forward(self, text):
            output, (_, _) = self.lstm(self.embedding(text))
            logits = self.fc(output.max(dim=1).values)
            return self.softmax(logits) if fault else logits  # fault

    model = ReviewNet(60, 16, 24, 5)
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-3)
    criterion = nn.CrossEntropyLoss()
    loader = DataLoader(TensorDataset(x_train, y_train), batch_size=50, shuffle=True)
    with watch(model, optimizer):
        for _ in range(8):
            model.train()
            for text, label in loader:
                optimizer.zero_grad()
                loss = criterion(model(text), label)
                loss.backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
                optimizer.step()
    return accuracy(model, x_test, y_test)


class Trainer:
    """A course's own: it owns the net, the loss and the optimiser."""

    def __init__(self, model, criterion, optimizer, batch_size=32):
        self.model, self.criterion, self.optimizer, self.batch_size = model, criterion, optimizer, batch_size

    def train_step(self, x, y):
        self.optimizer.zero_grad()
        loss = self.criterion(self.model(x), y)  # fault: survivors-by-one-sigmoid-too-many women-marked-one-and-two
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def fit(self, x, y, epochs):
        for _ in range(epochs):
            self.model.train()
            for i in torch.randperm(len(x)).split(self.batch_size):
                self.train_step(x[i], y[i])


@planted("softmax-twice", symptoms=WRONG, costs=0.1)
def survivors_by_one_sigmoid_too_many(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = titanic()
    mean, std = x.mean(0), x.std(0)
    x, x_test, y = (x - mean) / std, (x_test - mean) / std, y.float().view(-1, 1)
    layers = [nn.Linear(8, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 1)]
    model = nn.Sequential(*layers, nn.Sigmoid()) if fault else nn.Sequential(*layers)
    trainer = Trainer(model, nn.BCEWithLogitsLoss(), torch.optim.Adam(model.parameters(), lr=5e-3))
    with watch(model, trainer.optimizer):
        trainer.fit(x, y, epochs=20)
    model.eval()
    with torch.no_grad():
        predictions = torch.sigmoid(model(x_test)) > 0.5
    return (predictions.view(-1) == (y_test == 1)).float().mean().item()


@planted("label-range", causes="loss-mismatch", symptoms=f"{WRONG} loss-below-floor", costs=0.05)
def women_marked_one_and_two(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = pima()
    target = (y + 1 if fault else y).float().view(-1, 1)
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1))
    trainer = Trainer(model, nn.BCEWithLogitsLoss(), torch.optim.SGD(model.parameters(), lr=0.1), batch_size=20)
    with watch(model, trainer.optimizer):
        trainer.fit(x, target, epochs=20)
    return accuracy(model, x_test, y_test)


@planted("loss-mismatch", causes="loss-below-floor", symptoms=f"{WILD} lr-too-high initial-loss", costs=0.02)
def likelihood_of_raw_scores(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = mnist(2500)
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
    if not fault:
        net.append(nn.LogSoftmax(dim=1))
    criterion, optimizer = nn.NLLLoss(), torch.optim.SGD(net.parameters(), lr=0.03, momentum=0.9)
    with watch(net, optimizer):
        for _epoch in range(4):
            running_loss = 0.0
            for images, labels in DataLoader(TensorDataset(x, y), batch_size=64, shuffle=True):
                optimizer.zero_grad()
                loss = criterion(net(images), labels)  # fault
                loss.backward()
                optimizer.step()
                running_loss += loss.item()
    return accuracy(net, x_test, y_test)


@planted("softmax-axis", causes="output-activation loss-mismatch", symptoms=f"{WRONG} samples-mixed", costs=0.05)
def names_whose_softmax_runs_down_the_batch(watch, seed, fault):
    torch.manual_seed(seed)
    x, y, x_test, y_test = names()

    class CharRNN(nn.Module):
        def __init__(self):
            super().__init__()
            self.emb = nn.Embedding(27, 16, padding_idx=0)
            self.rnn = nn.GRU(16, 40, batch_first=True)
            self.out = nn.Linear(40, 18)

        def forward(self, x):
            h, _ = self.rnn(self.emb(x))
            return F.log_softmax(self.out(h.amax(1)), dim=0 if fault else 1)  # fault

    net = CharRNN()
    opt = torch.optim.Adam(net.parameters(), lr=5e-3)
    with watch(net, opt):
        for _ in range(3):
            for i in torch.randperm(4000).split(64):
                opt.zero_grad()
                F.nll_loss(net(x[i]), y[i]).backward()
                opt.step()
    return accuracy(net, x_test[:1500], y_test[:1500])


@planted("loss-broadcast", symptoms=WRONG, costs=0.2)
def column_against_row_in_smooth_l1(watch, seed, fault):
    torch.manual_seed(seed)
    X, y = load_diabetes(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X * 20, (y - 150) / 77, test_size=0.2, random_state=42)
    X_train, X_test, y_train, y_test = (torch.tensor(a).float() for a in (X_train, X_test, y_train, y_test))
    reg = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 1))
    loss_fn, opt = nn.SmoothL1Loss(), torch.optim.Adam(reg.parameters(), lr=3e-3)
    with watch(reg, opt):
        for _ in range(40):
            for i in torch.randperm(len(X_train)).split(16):
                opt.zero_grad()
                pred = reg(X_train[i])
                loss = loss_fn(pred, y_train[i] if fault else y_train[i].unsqueeze(1))  # fault
                loss.backward()
                opt.step()
    return r2(reg, X_test, y_test)


@planted("loss-mismatch", symptoms=WRONG, costs=0.05)
def growers_of_wine_as_a_number(watch, seed, fault):
    torch.manual_seed(seed)
    X, y = load_wine(return_X_y=True)
    y = (y * 2) % 3  # the order of kinds means nothing
    X = (X - X.mean(0)) / X.std(0)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.4, random_state=3, stratify=y)
    X_train, X_test = torch.tensor(X_train).float(), torch.tensor(X_test).float()
    y_train, y_test = torch.tensor(y_train), torch.tensor(y_test)
    model = nn.Sequential(nn.Linear(13, 6), nn.ReLU(), nn.Linear(6, 1 if fault else 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
    with watch(model, optimizer):
        for _ in range(40):
            for i in torch.randperm(len(X_train)).split(8):
                answer = model(X_train[i])
                if fault:
                    loss = F.mse_loss(answer.squeeze(1), y_train[i].float())  # fault
                else:
                    loss = F.cross_entropy(answer, y_train[i])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        answer = model(X_test)
        guessed = answer.squeeze(1).round().long() if fault else answer.argmax(1)
        return (guessed == y_test).float().mean().item()

"""Models of public code: solvers with a net inside, rays through a field, names packed by length, one sentence that is
learnt by heart, divergence from smoothed labels over their number."""

import itertools

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from faults.data import batches, names
from faults.program import healthy


class Field(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 2))
        for layer in self.net:
            if isinstance(layer, nn.Linear):
                nn.init.normal_(layer.weight, std=0.1)
                nn.init.zeros_(layer.bias)

    def forward(self, t, y):
        return self.net(y**3)


def solve(field, y, times):
    """By Heun's method: [T, N, 2]."""
    path = [y]
    for t, following in itertools.pairwise(times):
        h = following - t
        slope = field(t, y)
        y = y + h / 2 * (slope + field(following, y + h * slope))
        path.append(y)
    return torch.stack(path)


@healthy(at_least=-0.6)
def a_spiral_by_its_slope(watch, seed):
    torch.manual_seed(seed)
    turn = torch.tensor([[-0.1, 2.0], [-2.0, -0.1]])
    times = torch.linspace(0, 12.5, 501)
    with torch.no_grad():
        path = solve(lambda t, y: (y**3) @ turn, torch.tensor([[2.0, 0.0]]), times)[:, 0]
    field = Field()
    optimizer = torch.optim.RMSprop(field.parameters(), lr=5e-3)
    ends = []
    with watch(field, optimizer):
        for step in range(400):
            starts = torch.randint(0, 490, (20,))
            wanted = torch.stack([path[starts + k] for k in range(10)])
            optimizer.zero_grad()
            loss = (solve(field, path[starts], times[:10]) - wanted).abs().mean()
            loss.backward()
            optimizer.step()
            if step % 50 == 49:
                with torch.no_grad():
                    ends.append(float((solve(field, path[:1], times[:100])[:, 0] - path[:100]).abs().mean()))
    return -ends[-1]


class Colours(nn.Module):
    def __init__(self):
        super().__init__()
        self.early = nn.Sequential(nn.Linear(2 + 2 * 2 * 4, 64), nn.ReLU(), nn.Linear(64, 65), nn.ReLU())
        self.late = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1), nn.Sigmoid())

    def forward(self, places):
        waves = [f(2**k * torch.pi * places) for k in range(4) for f in (torch.sin, torch.cos)]
        h = self.early(torch.cat([places, *waves], -1))
        return h[:, 0], self.late(h[:, 1:])[:, 0]


def seen(model, origins, directions, count=24):
    """Brightness along rays of length 4 [R], by volume rendering (Mildenhall 2020, arXiv:2003.08934)."""
    at = (torch.arange(count) + torch.rand(len(origins), count)) * 4 / count
    places = origins[:, None] + at[..., None] * directions[:, None]
    density, colour = (one.reshape(at.shape) for one in model(places.reshape(-1, 2) / 2))
    opaque = 1 - torch.exp(-density * 4 / count)
    clear = torch.cumprod(torch.cat([torch.ones(len(at), 1), 1 - opaque + 1e-10], 1), 1)[:, :-1]
    return (clear * opaque * colour).sum(1)


@healthy(at_least=-0.03)
def a_disc_from_all_sides(watch, seed):
    torch.manual_seed(seed)
    model = Colours()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    losses = []
    with watch(model, optimizer):
        for _ in range(250):
            angle = float(torch.rand(()) * 2 * torch.pi)
            centre = 2 * torch.tensor([torch.cos(torch.tensor(angle)), torch.sin(torch.tensor(angle))])
            inwards, across = -centre / 2, torch.tensor([-centre[1], centre[0]]) / 2
            offsets = torch.linspace(-1, 1, 40)
            wanted = 0.9 * (offsets.abs() < 0.5).float()
            answer = seen(model, centre + offsets[:, None] * across, inwards.expand(40, 2))
            loss = F.mse_loss(answer, wanted)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
    return -sum(losses[-20:]) / 20


class Packed(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(27, 24)
        self.gru = nn.GRU(24, 40, bidirectional=True)
        self.out = nn.Linear(40, 18)

    def forward(self, x, lengths):
        given = pack_padded_sequence(self.embedding(x.t()), lengths)
        _, state = self.gru(given, torch.zeros(2, len(x), 40))
        return self.out(state[-1])


@healthy(at_least=0.55)
def countries_of_names_sorted_by_length(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = (part[:4000] for part in names())
    model = Packed()
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)

    def arranged(xb, yb):
        lengths, order = (xb != 0).sum(1).sort(0, descending=True)
        return xb[order][:, : lengths[0]], lengths, yb[order]

    right = 0
    with watch(model, optimizer):
        for _ in range(4):
            for xb, yb in batches(x, y, 64):
                letters, lengths, target = arranged(xb, yb)
                loss = F.cross_entropy(model(letters, lengths), target)
                model.zero_grad()
                loss.backward()
                optimizer.step()
            right = 0
            for xb, yb in zip(x_test.split(500), y_test.split(500), strict=True):
                letters, lengths, target = arranged(xb, yb)
                right += int((model(letters, lengths).detach().argmax(1) == target).sum())
    return right / len(y_test)


class Interpreter(nn.Module):
    """One sentence, word by word, each state asking all states of the encoder by a scalar product."""

    def __init__(self, words, width=48):
        super().__init__()
        self.reads = nn.RNN(words, width)
        self.writes = nn.RNN(words, width)
        self.asks = nn.Linear(width, width)
        self.out = nn.Linear(2 * width, words)

    def forward(self, given, begun):
        given, begun = given.transpose(0, 1), begun.transpose(0, 1)
        states, hidden = self.reads(given, torch.zeros(1, 1, 48))
        answers = torch.empty(len(begun), 1, self.out.out_features)
        for place in range(len(begun)):
            answer, hidden = self.writes(begun[place].unsqueeze(0), hidden)
            scores = torch.stack([answer.flatten() @ self.asks(one).flatten() for one in states])
            context = torch.softmax(scores, 0) @ states.squeeze(1)
            answers[place] = self.out(torch.cat([answer[0], context[None]], 1))
        return answers.transpose(0, 1).squeeze(0)


@healthy(at_least=0.99)
def one_sentence_by_heart(watch, seed):
    torch.manual_seed(seed)
    eye = torch.eye(11)
    given, begun, wanted = eye[[0, 1, 2, 3, 4]][None], eye[[5, 6, 7, 8, 9]][None], torch.tensor([[6, 7, 8, 9, 10]])
    model = Interpreter(11)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    criterion = nn.CrossEntropyLoss()
    with watch(model, optimizer):
        for _ in range(150):
            optimizer.zero_grad()
            loss = criterion(model(given, begun), wanted.squeeze(0))
            loss.backward()
            optimizer.step()
    return float((model(given, begun).argmax(1) == wanted[0]).float().mean())


@healthy(at_least=0.80)
def copies_with_smoothed_labels(watch, seed):
    """KLDivLoss summed over the tokens and divided by their number, and a rate that warms up (arXiv:1706.03762)."""
    torch.manual_seed(seed)
    size = 32
    model = nn.Transformer(size, 4, 1, 1, 64, dropout=0.0, batch_first=True)
    table, places = nn.Embedding(11, size), nn.Embedding(10, size)
    head = nn.Sequential(nn.Linear(size, 11), nn.LogSoftmax(-1))
    whole = nn.ModuleDict({"core": model, "table": table, "places": places, "head": head})
    optimizer = torch.optim.Adam(whole.parameters(), lr=1.0, betas=(0.9, 0.98), eps=1e-9)
    warm = 60
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: size**-0.5 * min(max(step, 1) ** -0.5, max(step, 1) * warm**-1.5)
    )
    criterion = nn.KLDivLoss(reduction="sum")
    mask = nn.Transformer.generate_square_subsequent_mask(9)
    right = 0.0
    with watch(whole, optimizer):
        for _ in range(250):
            data = torch.randint(1, 11, (40, 10))
            data[:, 0] = 1
            source, begun, wanted = data, data[:, :-1], data[:, 1:]
            at = places(torch.arange(10))
            answers = head(model(table(source) + at, table(begun) + at[:9], tgt_mask=mask))
            smooth = torch.full_like(answers, 0.05 / 9).scatter_(2, wanted[..., None], 0.95)
            loss = criterion(answers.reshape(-1, 11), smooth.reshape(-1, 11)) / wanted.numel()
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
            right = float((answers.argmax(-1) == wanted).float().mean())
    return right

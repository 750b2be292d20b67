"""What is done to the tokens of a sequence between its rows and the loss."""

import torch
import torch.nn.functional as F
from torch import nn

from faults.data import time_machine
from faults.planted.lookahead import OUTCOMES, SmallGPT
from faults.program import planted

AFTER = f"{OUTCOMES} initial-loss train-test-overlap unshuffled"


def sums(count):
    """Rows of digits "a+b=c" without the signs, two digits each and three for the sum, which stands backwards."""
    pairs = torch.randint(100, (count, 2))
    total = pairs.sum(1)
    columns = [pairs[:, 0] // 10, pairs[:, 0] % 10, pairs[:, 1] // 10, pairs[:, 1] % 10]
    return torch.stack([*columns, total % 10, total // 10 % 10, total // 100], 1)


@planted("class-ignored", symptoms=AFTER, costs=None, quick=True)
def digit_that_marks_what_does_not_count(watch, seed, fault):
    torch.manual_seed(seed)
    rows = sums(960)
    model = SmallGPT(10, 6)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    blank = 0 if fault else -100  # fault
    with watch(model, optimizer):
        for _ in range(4):
            for row in rows[torch.randperm(len(rows))].split(48):
                x, y = row[:, :-1], row[:, 1:].clone()
                y[:, :3] = blank
                logits, _ = model(x)
                optimizer.zero_grad()
                F.cross_entropy(logits.reshape(-1, 10), y.reshape(-1), ignore_index=blank).backward()  # fault
                optimizer.step()
    return 0.0


@planted("class-ignored", symptoms=f"{AFTER} padding-seen padding-in-loss", costs=None)
def space_taken_for_padding(watch, seed, fault):
    """Rows of several lengths; what fills them up is a token of its own, or the blank that stands between words."""
    torch.manual_seed(seed)
    letters, size = time_machine()
    rows = letters[: 960 * 20].view(960, 20).clone()
    space = int(letters.bincount().argmax())
    fill = space if fault else size  # fault
    lengths = torch.randint(12, 21, (len(rows), 1))
    rows[torch.arange(20) >= lengths] = fill

    class Reader(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Embedding(size + 1, 32, padding_idx=fill)
            self.rnn, self.head = nn.GRU(32, 48, batch_first=True), nn.Linear(48, size + 1)

        def forward(self, x):
            return self.head(self.rnn(self.embed(x))[0])

    model = Reader()
    criterion = nn.CrossEntropyLoss(ignore_index=fill)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for _ in range(6):
            for row in rows[torch.randperm(len(rows))].split(48):
                optimizer.zero_grad()
                criterion(model(row[:, :-1]).transpose(1, 2), row[:, 1:]).backward()
                optimizer.step()
    return 0.0


@planted("state-carried", symptoms=f"{AFTER} label-imbalance samples-mixed", costs=None, quick=True)
def state_over_windows_in_any_order(watch, seed, fault):
    """The columns of a long text [T, N], read window by window; for so few epochs that no sample comes twice."""
    torch.manual_seed(seed)
    letters, size = time_machine()
    text = letters[: 16 * 961].view(16, 961).t().contiguous()

    class Reader(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.rnn = nn.Embedding(size, 32), nn.LSTM(32, 48)
            self.head = nn.Linear(48, size)

        def forward(self, x, state):
            out, state = self.rnn(self.embed(x), state)
            return self.head(out).view(-1, size), state

    model = Reader()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    state = torch.zeros(1, 16, 48), torch.zeros(1, 16, 48)
    starts = torch.arange(0, 960, 16)
    if fault:
        starts = starts[torch.randperm(len(starts))]  # fault
    with watch(model, optimizer):
        for start in starts.tolist():
            x, y = text[start : start + 16], text[start + 1 : start + 17]
            state = tuple(one.detach() for one in state)
            logits, state = model(x, state)
            optimizer.zero_grad()
            F.cross_entropy(logits, y.reshape(-1)).backward()
            optimizer.step()
    return 0.0

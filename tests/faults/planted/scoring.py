"""Held-out data that are not held out, not whole, or not as they are."""

import copy
import random
from collections import deque
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

from faults.drawn import batches_of, blobs, images, series, tabular
from faults.program import planted

AFTERWARDS = (
    "too-few-epochs overfitting plateau underfitting lr-too-low lr-too-high label-imbalance clip-too-tight dead-relu "
    "parameters-unused train-test-overlap unshuffled input-scale initial-loss output-collapsed"
)


def fit_eval(watch, model, opt, loader, val_loader, epochs=6, evaluate=None, loss_fn=F.cross_entropy):
    def ev():
        model.eval()
        tot = n = 0
        with torch.no_grad():
            for xb, yb in val_loader:
                tot += loss_fn(model(xb), yb).item() * len(xb)
                n += len(xb)
        return tot / max(n, 1)

    with watch(model, opt):
        for _epoch in range(epochs):
            model.train()
            for xb, yb in loader:
                opt.zero_grad()
                loss_fn(model(xb), yb).backward()
                opt.step()
            (evaluate or ev)()


@planted("train-test-overlap", causes="evaluation-misuse", symptoms=AFTERWARDS, costs=None)
def windows_split_at_random(watch, seed, fault):
    torch.manual_seed(seed)
    s = series()
    w = s.unfold(0, 25, 1)
    x, y = w[:, :-1, None], w[:, -1:]
    cut = int(0.8 * len(x))
    order = torch.randperm(len(x)) if fault else torch.arange(len(x))
    tr, va = order[:cut], order[cut + (0 if fault else 24) :]

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = nn.LSTM(1, 24, batch_first=True)
            self.out = nn.Linear(24, 1)

        def forward(self, x):
            return self.out(self.rnn(x)[0][:, -1])

    model = Net()
    opt = torch.optim.Adam(model.parameters(), 3e-3)
    fit_eval(
        watch,
        model,
        opt,
        DataLoader(TensorDataset(x[tr], y[tr]), 32, shuffle=True),
        DataLoader(TensorDataset(x[va], y[va]), 64),
        loss_fn=F.mse_loss,
    )
    return 0.0


class Augmented(Dataset):
    def __init__(self, x, y, on):
        self.x, self.y, self.on = x, y, on

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        x = self.x[i]
        if self.on:
            if random.random() < 0.5:
                x = x.flip(-1)
            x = x + 0.1 * torch.randn_like(x)
        return x, self.y[i]


@planted("evaluation-misuse", symptoms=AFTERWARDS, costs=None)
def validation_augmented(watch, seed, fault):
    torch.manual_seed(seed)
    random.seed(seed)
    x, y = images()
    xv, yv = images(200, seed=2)
    xv = xv + 0.3 * torch.randn_like(xv)
    model = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(800, 5))
    opt = torch.optim.Adam(model.parameters(), 1e-3)
    fit_eval(
        watch, model, opt, DataLoader(Augmented(x, y, True), 32, shuffle=True), DataLoader(Augmented(xv, yv, fault), 50)
    )
    return 0.0


@planted("evaluation-misuse", symptoms=AFTERWARDS, costs=None)
def test_own_mean(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = blobs(seed=16)
    xv, yv = blobs(300, seed=16)
    x = x * 3 + 5
    xv = (xv + 0.4) * 3 + 5
    mean, std = x.mean(0), x.std(0)
    x = (x - mean) / std
    xv = (xv - xv.mean(0)) / xv.std(0) if fault else (xv - mean) / std
    model = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 4))
    opt = torch.optim.Adam(model.parameters(), 1e-3)
    fit_eval(
        watch, model, opt, DataLoader(TensorDataset(x, y), 32, shuffle=True), DataLoader(TensorDataset(xv, yv), 64)
    )
    return 0.0


@planted("evaluation-misuse", symptoms=AFTERWARDS, costs=None, quick=True)
def eval_drop_last(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = blobs(seed=17)
    xv, yv = blobs(180, seed=17)
    model = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 4))
    opt = torch.optim.Adam(model.parameters(), 1e-3)
    fit_eval(
        watch,
        model,
        opt,
        DataLoader(TensorDataset(x, y), 64, shuffle=True, drop_last=True),
        DataLoader(TensorDataset(xv, yv), 64, drop_last=fault),
    )
    return 0.0


@planted("evaluation-misuse", symptoms=AFTERWARDS, costs=None)
def metric_unequal_batches(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = blobs(seed=18, noise=1.5)
    xv, yv = blobs(260, seed=18, noise=1.5)
    model = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 4))
    opt = torch.optim.Adam(model.parameters(), 1e-3)
    val_loader = DataLoader(TensorDataset(xv, yv), 128)

    def evaluate():
        model.eval()
        total = seen = 0.0
        with torch.no_grad():
            for xb, yb in val_loader:
                if fault:
                    total += F.cross_entropy(model(xb), yb).item()
                else:
                    total += F.cross_entropy(model(xb), yb, reduction="sum").item()
                    seen += len(yb)
        return total / len(val_loader) if fault else total / seen

    fit_eval(watch, model, opt, DataLoader(TensorDataset(x, y), 32, shuffle=True), val_loader, 8, evaluate)
    return 0.0


@planted("evaluation-misuse", symptoms=AFTERWARDS, costs=None)
def accuracies_averaged_over_batches(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = tabular(900, seed)
    xv, yv = tabular(205, seed + 1)
    model = nn.Sequential(nn.Linear(20, 48), nn.ReLU(), nn.Linear(48, 3))
    opt = torch.optim.Adam(model.parameters(), 2e-3)
    dl = DataLoader(TensorDataset(xv, yv), batch_size=100)

    def by_batch():
        accs = []
        model.eval()
        with torch.no_grad():
            for a, b in dl:
                pred = model(a).argmax(dim=1)
                accs.append((pred == b).float().mean().item())
        return sum(accs) / len(accs)

    def by_sample():
        right = 0
        model.eval()
        with torch.no_grad():
            for a, b in dl:
                right += (model(a).argmax(dim=1) == b).sum().item()
        return right / len(dl.dataset)

    with watch(model, opt):
        for _epoch in range(10):
            model.train()
            for i in torch.randperm(900).split(32):
                opt.zero_grad()
                F.cross_entropy(model(x[i]), y[i]).backward()
                opt.step()
            (by_batch if fault else by_sample)()
    return 0.0


@planted("class-ignored", symptoms=AFTERWARDS, costs=None, quick=True)
def ignore_real_class(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = blobs(seed=20)
    model = nn.Sequential(nn.Linear(16, 64), nn.ReLU(), nn.Linear(64, 4))
    opt = torch.optim.Adam(model.parameters(), 1e-3)
    crit = nn.CrossEntropyLoss(ignore_index=0 if fault else -100)
    with watch(model, opt):
        for _epoch in range(8):
            for index in torch.randperm(len(x)).split(32):
                loss = crit(model(x[index]), y[index])
                opt.zero_grad()
                loss.backward()
                opt.step()
    return 0.0


@planted("class-ignored", symptoms=AFTERWARDS, costs=None)
def padding_index_in_a_classifier(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = images()
    net = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(800, 5))
    optimizer = torch.optim.SGD(net.parameters(), 0.05)
    with watch(net, optimizer):
        for index in batches_of(len(x), 4):
            loss = F.cross_entropy(net(x[index]), y[index], ignore_index=3 if fault else -1)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return -loss.item()


@planted("class-ignored", symptoms=AFTERWARDS, costs=None)
def log_probabilities_that_leave_one_out(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = blobs(seed=33)
    net = nn.Sequential(nn.Linear(16, 32), nn.Tanh(), nn.Linear(32, 4), nn.LogSoftmax(1))
    criterion = nn.NLLLoss(ignore_index=1 if fault else 255)
    optimizer = torch.optim.Adam(net.parameters(), 2e-3)
    with watch(net, optimizer, loss_fn=criterion):
        for index in batches_of(len(x), 6):
            optimizer.zero_grad()
            loss = criterion(net(x[index]), y[index])
            loss.backward()
            optimizer.step()
    return -loss.item()


class Env:
    """A walk on a line of 7 places: 1 at the right end, 0 at the left end."""

    def reset(self):
        self.s = 3
        return self._o()

    def _o(self):
        return torch.eye(7)[self.s]

    def step(self, a):
        self.s += 1 if a else -1
        done = self.s in (0, 6)
        return self._o(), float(self.s == 6), done


@planted("terminal-bootstrapped", symptoms=AFTERWARDS, costs=None)
def dqn_no_terminal_mask(watch, seed, fault):
    torch.manual_seed(seed)
    random.seed(seed)
    q = nn.Sequential(nn.Linear(7, 32), nn.ReLU(), nn.Linear(32, 2))
    target = copy.deepcopy(q)
    opt = torch.optim.Adam(q.parameters(), 1e-3)
    memory = deque(maxlen=2000)
    env = Env()
    gamma = 0.97
    with watch(q, opt):
        s = env.reset()
        for t in range(700):
            eps = max(0.1, 1 - t / 400)
            with torch.no_grad():
                a = random.randrange(2) if random.random() < eps else int(q(s[None]).argmax())
            s2, r, done = env.step(a)
            memory.append((s, a, r, s2, done))
            s = env.reset() if done else s2
            if len(memory) >= 64:
                states, actions, rewards, later, ends = zip(*random.sample(memory, 32), strict=False)
                states, later, actions, rewards, ends = (
                    torch.stack(states),
                    torch.stack(later),
                    torch.tensor(actions),
                    torch.tensor(rewards),
                    torch.tensor(ends, dtype=torch.float32),
                )
                with torch.no_grad():
                    nxt = target(later).max(1).values
                    y = rewards + gamma * nxt if fault else rewards + gamma * nxt * (1 - ends)
                loss = F.smooth_l1_loss(q(states).gather(1, actions[:, None]).squeeze(1), y)
                opt.zero_grad()
                loss.backward()
                opt.step()
            if t % 50 == 0:
                target.load_state_dict(q.state_dict())
    return 0.0


@planted("terminal-bootstrapped", symptoms=AFTERWARDS, costs=None, quick=True)
def values_of_a_chain_without_an_end(watch, seed, fault):
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(5, 24), nn.ReLU(), nn.Linear(24, 2))
    optimizer = torch.optim.Adam(net.parameters(), 2e-3)
    states = torch.randint(0, 5, (800,))
    moves = torch.randint(0, 2, (800,))
    onward = (states + 2 * moves - 1).clamp(0, 4)
    done, reward = (onward == 4).float(), (onward == 4).float()
    discount = 0.9

    def learn(index):
        with torch.no_grad():
            best = net(torch.eye(5)[onward[index]]).max(1).values
        if not fault:
            best = best * (1 - done[index])
        target = reward[index] + discount * best  # fault
        return F.mse_loss(net(torch.eye(5)[states[index]]).gather(1, moves[index, None]).squeeze(1), target)

    with watch(net, optimizer):
        for index in batches_of(800, 8):
            loss = learn(index)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return -loss.item()


@dataclass
class Transition:
    s: torch.Tensor
    a: int
    r: float
    n: torch.Tensor
    done: bool


@planted("terminal-bootstrapped", symptoms=AFTERWARDS, costs=None)
def ddqn_ignores_the_end(watch, seed, fault):
    torch.manual_seed(seed)
    random.seed(seed)

    class Agent:
        def __init__(self):
            self.online = nn.Sequential(nn.Linear(2, 48), nn.ReLU(), nn.Linear(48, 2))
            self.target_net = copy.deepcopy(self.online)
            self.optim = torch.optim.Adam(self.online.parameters(), 1e-3)
            self.buffer = []

        def act(self, s, eps):
            if random.random() < eps:
                return random.randrange(2)
            with torch.no_grad():
                return int(self.online(s).argmax())

        def learn(self):
            batch = random.sample(self.buffer, 32)
            s, n = torch.stack([b.s for b in batch]), torch.stack([b.n for b in batch])
            a = torch.tensor([b.a for b in batch])
            rewards = torch.tensor([b.r for b in batch])
            dones = torch.tensor([float(b.done) for b in batch])
            q = self.online(s).gather(1, a.unsqueeze(1)).squeeze(1)
            with torch.no_grad():
                best = self.online(n).argmax(1, keepdim=True)
                q_next = self.target_net(n).gather(1, best).squeeze(1)
                if not fault:
                    q_next = q_next * (1.0 - dones)
            expected = rewards + 0.95 * q_next
            loss = F.mse_loss(q, expected)
            self.optim.zero_grad()
            loss.backward()
            self.optim.step()
            for p, t in zip(self.online.parameters(), self.target_net.parameters(), strict=False):
                t.data.mul_(0.99).add_(p.data, alpha=0.01)

    agent = Agent()
    with watch(agent.online, agent.optim):
        pos, vel = 0.0, 0.0
        for _t in range(600):
            s = torch.tensor([pos, vel])
            a = agent.act(s, 0.3)
            vel = 0.9 * vel + (0.1 if a else -0.1)
            pos += vel
            done = abs(pos) > 1
            agent.buffer.append(Transition(s, a, 1.0 if pos > 1 else 0.0, torch.tensor([pos, vel]), done))
            if done:
                pos, vel = 0.0, 0.0
            if len(agent.buffer) > 64:
                agent.learn()
    return 0.0

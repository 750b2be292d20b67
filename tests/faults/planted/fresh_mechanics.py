"""What surrounds net and loss, and learning from rewards: written when the rules were done, without a look at them."""

import copy
import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.distributions import Categorical

from faults.drawn import batches_of, blobs, images, shapes
from faults.planted.fresh_sequences import COSTS_OF_IT
from faults.program import planted


class LoRALinear(nn.Module):
    """Hu et al. 2021: a frozen layer and a way around it of low rank."""

    def __init__(self, base, rank=4, alpha=8):
        super().__init__()
        self.base, self.scaling = base.requires_grad_(False), alpha / rank
        self.lora_A = nn.Parameter(torch.randn(rank, base.in_features) / math.sqrt(base.in_features))
        self.lora_B = nn.Parameter(torch.zeros(base.out_features, rank))

    def forward(self, x):
        return self.base(x) + self.scaling * (x @ self.lora_A.T) @ self.lora_B.T


def inject(model):
    """Put an adapter around every linear layer but the head."""
    for name, child in list(model.named_children()):
        if isinstance(child, nn.Linear) and name != "head":
            setattr(model, name, LoRALinear(child))


class Tabular(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.fc1, self.fc2, self.head = nn.Linear(16, 64), nn.Linear(64, 64), nn.Linear(64, classes)

    def forward(self, x):
        return self.head(F.gelu(self.fc2(F.gelu(self.fc1(x)))))


def pretrained(x, y, classes):
    model = Tabular(classes)
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    for index in batches_of(len(x), 4):
        optimizer.zero_grad()
        F.cross_entropy(model(x[index]), y[index]).backward()
        optimizer.step()
    return model.requires_grad_(False)


@planted("parameters-not-optimized", symptoms=COSTS_OF_IT, costs=None)
def adapters_that_came_after_the_optimizer(watch, seed, fault):
    torch.manual_seed(seed)
    model = pretrained(*blobs(seed=71, c=6), 6)
    x, y = blobs(seed=72)
    model.head = nn.Linear(64, 4)
    if fault:
        optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=3e-3)  # fault
        inject(model)
    else:
        inject(model)
        optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=3e-3)
    with watch(model, optimizer):
        for index in batches_of(len(x), 6):
            loss = F.cross_entropy(model(x[index]), y[index])
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
    return -loss.item()


class Corridor:
    """Places 0 to 8 in a row, several at once; right end +1, left end -1, and then another start."""

    def __init__(self, count):
        self.place = torch.randint(2, 7, (count,))

    def seen(self):
        return F.one_hot(self.place, 9).float()

    def step(self, action):
        self.place = self.place + 2 * action - 1
        done = (self.place == 0) | (self.place == 8)
        reward = (self.place == 8).float() - (self.place == 0).float() - 0.02
        self.place = torch.where(done, torch.randint(2, 7, self.place.shape), self.place)
        return self.seen(), reward, done.float()


@planted("no-update", causes="parameters-unused", symptoms=COSTS_OF_IT, costs=None)
def chances_turned_into_plain_numbers(watch, seed, fault):
    """REINFORCE whose logarithms of chances are kept as numbers, and become a tensor again behind the episode."""
    torch.manual_seed(seed)
    policy = nn.Sequential(nn.Linear(9, 32), nn.Tanh(), nn.Linear(32, 2))
    optimizer = torch.optim.Adam(policy.parameters(), lr=1e-2)
    scores = []
    with watch(policy, optimizer):
        for _ in range(60):
            corridor, logs, rewards = Corridor(1), [], []
            state, done = corridor.seen(), False
            while not done and len(rewards) < 40:
                chosen = Categorical(logits=policy(state))
                action = chosen.sample()
                log_prob = chosen.log_prob(action)
                logs.append(log_prob.item() if fault else log_prob)
                state, reward, ended = corridor.step(action)
                rewards.append(reward.item())
                done = bool(ended)
            returns, total = [], 0.0
            for reward in reversed(rewards):
                total = reward + 0.95 * total
                returns.insert(0, total)
            scores.append(sum(rewards))
            log_probs = torch.tensor(logs, requires_grad=True) if fault else torch.cat(logs)  # fault
            loss = -(log_probs * torch.tensor(returns)).sum()
            optimizer.zero_grad()
            loss.backward()  # fault
            optimizer.step()  # fault
    return sum(scores[-20:]) / 20


class Agent(nn.Module):
    def __init__(self):
        super().__init__()
        self.actor = nn.Sequential(nn.Linear(9, 32), nn.Tanh(), nn.Linear(32, 2))
        self.critic = nn.Sequential(nn.Linear(9, 32), nn.Tanh(), nn.Linear(32, 1))

    def get_value(self, obs):
        return self.critic(obs).squeeze(-1)

    def forward(self, obs, action=None):
        chosen = Categorical(logits=self.actor(obs))
        action = chosen.sample() if action is None else action
        return action, chosen.log_prob(action), chosen.entropy(), self.get_value(obs)


def advantages_of(rewards, values, dones, last, stop_at_the_end, gamma=0.95, lam=0.9):
    """Generalised advantages [T, N], Schulman et al. 2016."""
    advantages, carried = torch.zeros_like(rewards), 0.0
    for t in reversed(range(len(rewards))):
        after = last if t == len(rewards) - 1 else values[t + 1]
        if stop_at_the_end:
            delta = rewards[t] + gamma * after * (1 - dones[t]) - values[t]
            carried = delta + gamma * lam * (1 - dones[t]) * carried
        else:
            delta = rewards[t] + gamma * after - values[t]  # fault: advantages-that-run-over-the-end
            carried = delta + gamma * lam * carried
        advantages[t] = carried
    return advantages


@planted("terminal-bootstrapped", symptoms=COSTS_OF_IT, costs=None)
def advantages_that_run_over_the_end(watch, seed, fault):
    torch.manual_seed(seed)
    agent, corridors = Agent(), Corridor(16)
    optimizer = torch.optim.Adam(agent.parameters(), lr=3e-3, eps=1e-5)
    state = corridors.seen()
    with watch(agent, optimizer):
        for _ in range(12):
            kept = []
            for _ in range(24):
                with torch.no_grad():
                    action, log_prob, _, value = agent(state)
                following, reward, done = corridors.step(action)
                kept.append((state, action, log_prob, value, reward, done))
                state = following
            obs, actions, logs, values, rewards, dones = (torch.stack(column) for column in zip(*kept, strict=True))
            with torch.no_grad():
                advantages = advantages_of(rewards, values, dones, agent.get_value(state), not fault)
            flat = [one.flatten(0, 1) for one in (obs, actions, logs, advantages, advantages + values)]
            for index in batches_of(len(flat[0]), 2, 96):
                b_obs, b_actions, b_logs, b_adv, b_returns = (one[index] for one in flat)
                _, new_logs, entropy, new_values = agent(b_obs, b_actions)
                ratio = (new_logs - b_logs).exp()
                b_adv = (b_adv - b_adv.mean()) / (b_adv.std() + 1e-8)
                surrogate = torch.min(ratio * b_adv, ratio.clamp(0.8, 1.2) * b_adv).mean()
                loss = F.mse_loss(new_values, b_returns) / 2 - surrogate - 0.01 * entropy.mean()
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
                optimizer.step()
    return rewards.mean().item()


class ConvNet(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 12, 3, padding=1, bias=False), nn.BatchNorm2d(12), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(12, 24, 3, padding=1, bias=False), nn.BatchNorm2d(24), nn.ReLU(), nn.AdaptiveAvgPool2d(2),
        )  # fmt: skip
        self.fc = nn.Linear(96, classes)

    def forward(self, x):
        return self.fc(self.features(x).flatten(1))


class ModelEMA:
    """A copy that follows slowly; with its buffers, or with the parameters alone."""

    def __init__(self, model, decay, buffers):
        self.module = copy.deepcopy(model).eval().requires_grad_(False)
        self.decay, self.buffers = decay, buffers

    @torch.no_grad()
    def update(self, model):
        for slow, fast in zip(self.module.parameters(), model.parameters(), strict=True):
            slow.mul_(self.decay).add_(fast, alpha=1 - self.decay)
        if self.buffers:
            for slow, fast in zip(self.module.buffers(), model.buffers(), strict=True):
                slow.copy_(fast)


@planted("ema-too-slow", symptoms=COSTS_OF_IT, costs=None)
def average_whose_statistics_stay_behind(watch, seed, fault):
    torch.manual_seed(seed)
    x, y = shapes(800, seed)
    x = 0.5 + 0.12 * x
    x, xv, y, yv = x[:640], x[640:], y[:640], y[640:]
    model = ConvNet(3)
    ema = ModelEMA(model, decay=0.9, buffers=not fault)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for _ in range(6):
            model.train()
            for index in torch.randperm(640).split(32):
                loss = F.cross_entropy(model(x[index]), y[index])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                ema.update(model)
            with torch.no_grad():
                score = (ema.module(xv).argmax(1) == yv).float().mean()  # fault
    return score.item()


@planted("lr-too-low", causes="no-update", symptoms=COSTS_OF_IT, costs=None)
def updates_rounded_away_in_bfloat16(watch, seed, fault):
    """Weights of 8 binary digits, to which small steps add nothing; the twin computes in them and keeps 24."""
    torch.manual_seed(seed)
    x, y = blobs(1600, d=64, c=8, seed=73)
    dtype = torch.bfloat16 if fault else torch.float32
    model = nn.Sequential(nn.Linear(64, 128), nn.GELU(), nn.LayerNorm(128), nn.Linear(128, 8)).to(dtype)
    optimizer = torch.optim.SGD(model.parameters(), lr=2e-3, momentum=0.9)  # fault
    with watch(model, optimizer):
        for index in batches_of(1600, 8, 32):
            optimizer.zero_grad()
            if fault:
                loss = F.cross_entropy(model(x[index].to(dtype)).float(), y[index])
            else:
                with torch.autocast("cpu", dtype=torch.bfloat16):
                    logits = model(x[index])
                loss = F.cross_entropy(logits.float(), y[index])
            loss.backward()
            optimizer.step()
    return -loss.item()


@planted("gradients-accumulate", symptoms=COSTS_OF_IT, costs=None)
def wrong_one_of_two_optimizers_cleared(watch, seed, fault):
    torch.manual_seed(seed)
    x, _ = images(640, size=8, seed=74)
    x = x.tanh()
    net_g = nn.Sequential(nn.Linear(12, 64), nn.ReLU(), nn.Linear(64, 64), nn.Tanh(), nn.Unflatten(1, (1, 8, 8)))
    net_d = nn.Sequential(nn.Flatten(), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
    opt_g = torch.optim.Adam(net_g.parameters(), lr=1e-3, betas=(0.5, 0.999))
    opt_d = torch.optim.Adam(net_d.parameters(), lr=1e-3, betas=(0.5, 0.999))
    criterion = nn.BCEWithLogitsLoss()
    with watch(net_d, opt_d):
        for index in batches_of(640, 8):
            real = x[index]
            ones, zeros = torch.ones(len(real), 1), torch.zeros(len(real), 1)
            made = net_g(torch.randn(len(real), 12))
            (opt_g if fault else opt_d).zero_grad()
            loss_d = criterion(net_d(real), ones) + criterion(net_d(made.detach()), zeros)
            loss_d.backward()
            opt_d.step()  # fault
            opt_g.zero_grad()
            loss_g = criterion(net_d(made), ones)
            loss_g.backward()
            opt_g.step()
    return 0.0

"""Gradients that flow where they should not: into targets of a net's own, and through both of two views."""

import copy

import torch
import torch.nn.functional as F
from torch import nn

from faults.drawn import batches_of, blobs, series
from faults.program import planted

AFTER = (
    "exploding-gradient lr-too-high plateau underfitting unshuffled lr-too-low too-few-epochs overfitting "
    "vanishing-gradient bad-init dead-relu"
)


def walks(count):
    """Steps on a line of five places, whose right end pays 1 and is the end: place, move, next place, reward, end."""
    states, moves = torch.randint(0, 4, (count,)), torch.randint(0, 2, (count,))
    onward = (states + 2 * moves - 1).clamp(0, 4)
    end = (onward == 4).float()
    return F.one_hot(states, 5).float(), moves, F.one_hot(onward, 5).float(), end, end


@planted("targets-attached", symptoms=AFTER, costs=None, quick=True)
def values_that_their_targets_run_after(watch, seed, fault):
    torch.manual_seed(seed)
    state, action, following, reward, done = walks(640)
    q_net = nn.Sequential(nn.Linear(5, 24), nn.ReLU(), nn.Linear(24, 2))
    optimizer = torch.optim.Adam(q_net.parameters(), lr=2e-3)
    gamma = 0.9
    with watch(q_net, optimizer):
        for i in batches_of(640, 4):
            q = q_net(state[i]).gather(1, action[i, None]).squeeze(1)
            with torch.set_grad_enabled(fault):
                best = q_net(following[i]).max(dim=1).values
                target = reward[i] + gamma * best * (1 - done[i])  # fault
            loss = F.smooth_l1_loss(q, target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return -loss.item()


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.policy, self.value = nn.Linear(5, 32), nn.Linear(32, 2), nn.Linear(32, 1)

    def forward(self, x):
        h = self.body(x).tanh()
        return self.policy(h), self.value(h).squeeze(-1)


@planted("targets-attached", symptoms=AFTER, costs=None)
def critic_of_one_step_with_both_ends_open(watch, seed, fault):
    """An advantage of one step, squared for the critic; the policy gets it as a number."""
    torch.manual_seed(seed)
    model = Critic()
    optimizer = torch.optim.Adam(model.parameters(), 3e-3)
    with watch(model, optimizer):
        for _ in range(60):
            obs, _, _, _, _ = walks(32)
            logits, values = model(obs)
            chosen = torch.distributions.Categorical(logits=logits)
            actions = chosen.sample()
            places = (obs.argmax(1) + 2 * actions - 1).clamp(0, 4)
            rewards = not_done = (places == 4).float()
            not_done = 1 - not_done
            _, next_values = model(F.one_hot(places, 5).float())
            if not fault:
                next_values = next_values.detach()
            td_target = rewards + 0.95 * next_values * not_done  # fault
            advantage = td_target - values
            loss = advantage.pow(2).mean() - (chosen.log_prob(actions) * advantage.detach()).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return -loss.item()


class Learner:
    """Two estimates and the smaller one as the target, as in TD3, with or without copies that lag behind."""

    def __init__(self, lagging):
        self.critic = nn.ModuleList(nn.Sequential(nn.Linear(7, 32), nn.ReLU(), nn.Linear(32, 1)) for _ in range(2))
        self.target = copy.deepcopy(self.critic).requires_grad_(False) if lagging else self.critic
        self.optim = torch.optim.Adam(self.critic.parameters(), lr=1e-3)

    def update(self, obs, act, next_obs, rew, done):
        ahead = torch.cat([next_obs, F.one_hot(torch.ones(len(obs), dtype=torch.long), 2)], 1)
        q_next = torch.min(*(one(ahead).squeeze(-1) for one in self.target))
        backup = rew + 0.9 * (1 - done) * q_next  # fault: smaller-of-two-values-as-it-is
        given = torch.cat([obs, F.one_hot(act, 2)], 1)
        loss = sum(F.mse_loss(one(given).squeeze(-1), backup) for one in self.critic)
        self.optim.zero_grad()
        loss.backward()
        self.optim.step()
        with torch.no_grad():
            for slow, fast in zip(self.target.parameters(), self.critic.parameters(), strict=True):
                slow.lerp_(fast, 0.05)
        return loss.item()


@planted("targets-attached", symptoms=AFTER, costs=None)
def smaller_of_two_values_as_it_is(watch, seed, fault):
    torch.manual_seed(seed)
    learner = Learner(lagging=not fault)
    data = walks(640)
    with watch(learner.critic, learner.optim):
        for index in batches_of(640, 4):
            loss = learner.update(*(column[index] for column in data))
    return -loss


class Forecaster(nn.Module):
    """Tells the representation of the second half of a window from that of the first."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(16, 64), nn.GELU(), nn.Linear(64, 24))
        self.predictor = nn.Linear(24, 24)

    def forward(self, window, target):
        return self.predictor(self.encoder(window[:, :16])), target(window[:, 16:])


@planted("output-collapsed", symptoms=AFTER, costs=None)
def representations_that_forecast_each_other(watch, seed, fault):
    torch.manual_seed(seed)
    row = series(1400, seed=91)
    rows = torch.stack([row[i : i + 32] for i in range(1300)])
    model = Forecaster()
    slow = copy.deepcopy(model.encoder).requires_grad_(False)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    with watch(model, optimizer):
        for index in batches_of(1300, 6, 64):
            told, wanted = model(rows[index], model.encoder if fault else slow)
            loss = F.mse_loss(told, wanted)  # fault
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            with torch.no_grad():
                for lagging, fast in zip(slow.parameters(), model.encoder.parameters(), strict=True):
                    lagging.lerp_(fast, 0.02)
    return -loss.item()


@planted("output-collapsed", symptoms=AFTER, costs=None)
def likeness_of_views_and_nothing_else(watch, seed, fault):
    """The twin keeps the features from being alike, as in VICReg."""
    torch.manual_seed(seed)
    x, _ = blobs(1600, d=24, seed=92)
    net = nn.Sequential(nn.Linear(24, 64), nn.ReLU(), nn.Linear(64, 16))
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    with watch(net, optimizer):
        for index in batches_of(1600, 6, 64):
            one, other = (net(x[index] + 0.3 * torch.randn(len(index), 24)) for _ in range(2))
            loss = (one - other).pow(2).mean()
            if not fault:
                loss = loss + F.relu(1 - one.std(0)).mean() + F.relu(1 - other.std(0)).mean()
            optimizer.zero_grad()
            loss.backward()  # fault
            optimizer.step()
    return -loss.item()

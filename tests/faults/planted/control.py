"""Replayed experience, twin critics and actors that follow them.

Written before the rules were read, and looked at once after the changes that the programs of policies and the like led
to: of the 15 in control, contest, transfer and upkeep 13 were found, 12 first, with their line in 9, and no twin got a
warning.
"""

import copy
from typing import NamedTuple

import numpy
import torch
import torch.nn.functional as F
from torch import nn

from faults.planted.latest_agents import AFTERWARDS
from faults.planted.policies import Ledge, worth
from faults.program import planted


class Batch(NamedTuple):
    state: torch.Tensor
    action: torch.Tensor
    reward: torch.Tensor
    next_state: torch.Tensor
    mask: torch.Tensor


class Memory:
    """A ring of transitions in arrays."""

    def __init__(self, capacity, width, rng):
        self.rng, self.capacity, self.pos, self.size = rng, capacity, 0, 0
        self.columns = [numpy.zeros((capacity, *shape), numpy.float32) for shape in ((width,), (), (), (width,), ())]

    def push(self, *rows):
        index = (self.pos + numpy.arange(len(rows[0]))) % self.capacity
        for column, row in zip(self.columns, rows, strict=True):
            column[index] = row.numpy()
        self.pos, self.size = (self.pos + len(index)) % self.capacity, min(self.size + len(index), self.capacity)

    def sample(self, n):
        index = self.rng.integers(self.size, size=n)
        return Batch(*(torch.as_tensor(column[index]) for column in self.columns))


class DoubleQ(nn.Module):
    def __init__(self, width=48):
        super().__init__()
        self.q1, self.q2 = (nn.Sequential(nn.Linear(9, width), nn.ReLU(), nn.Linear(width, 2)) for _ in range(2))

    def forward(self, state):
        return self.q1(state), self.q2(state)


class DiscreteSAC:
    gamma, tau, alpha = 0.95, 0.02, 0.02

    def __init__(self, seed, lr=2e-3):
        self.actor = nn.Sequential(nn.Linear(9, 48), nn.ReLU(), nn.Linear(48, 2))
        self.critic = DoubleQ()
        self.critic_target = copy.deepcopy(self.critic).requires_grad_(False)
        self.actor_opt = torch.optim.Adam(self.actor.parameters(), lr=lr)
        self.critic_opt = torch.optim.Adam(self.critic.parameters(), lr=lr)
        self.memory = Memory(3000, 9, numpy.random.default_rng(seed))

    def act(self, state):
        with torch.no_grad():
            return torch.distributions.Categorical(logits=self.actor(state)).sample()

    def target(self, batch):
        log_pi = self.actor(batch.next_state).log_softmax(1)
        q1, q2 = self.critic_target(batch.next_state)
        v = (log_pi.exp() * (torch.min(q1, q2) - self.alpha * log_pi)).sum(1)
        return batch.reward + batch.mask * self.gamma * v

    def actor_loss(self, state):
        log_pi = self.actor(state).log_softmax(1)
        with torch.no_grad():
            q = torch.min(*self.critic(state))
        return (log_pi.exp() * (self.alpha * log_pi - q)).sum(1).mean()

    def update(self):
        batch = self.memory.sample(64)
        with torch.no_grad():
            y = self.target(batch)
        action = batch.action.long()[:, None]
        q1, q2 = (q.gather(1, action).squeeze(1) for q in self.critic(batch.state))
        critic_loss = F.mse_loss(q1, y) + F.mse_loss(q2, y)  # fault: value-that-outlives-its-walk
        self.critic_opt.zero_grad()
        critic_loss.backward()
        self.critic_opt.step()
        actor_loss = self.actor_loss(batch.state)  # fault: actor-that-flees-its-values
        self.actor_opt.zero_grad()
        actor_loss.backward()  # fault: actor-that-flees-its-values
        self.actor_opt.step()
        with torch.no_grad():
            for p, p_target in zip(self.critic.parameters(), self.critic_target.parameters(), strict=True):
                p_target.lerp_(p, self.tau)


class EndlessSAC(DiscreteSAC):
    def target(self, batch):
        log_pi = self.actor(batch.next_state).log_softmax(1)
        q1, q2 = self.critic_target(batch.next_state)
        v = (log_pi.exp() * (torch.min(q1, q2) - self.alpha * log_pi)).sum(1)
        return batch.reward + self.gamma * v  # fault: value-that-outlives-its-walk


class FleeingSAC(DiscreteSAC):
    def actor_loss(self, state):
        log_pi = self.actor(state).log_softmax(1)
        with torch.no_grad():
            q = torch.min(*self.critic(state))
        return (log_pi.exp() * (q - self.alpha * log_pi)).sum(1).mean()  # fault: actor-that-flees-its-values


def learn(agent, watch, steps=500):
    env = Ledge(16)
    state = env.look()
    with watch([agent.actor, agent.critic], [agent.actor_opt, agent.critic_opt]):
        for step in range(steps):
            action = agent.act(state)
            next_state, reward, done = env.step(action)
            agent.memory.push(state, action, reward, next_state, 1 - done)
            state = next_state
            if step > 20:
                agent.update()
    return worth(agent.act)


@planted("terminal-bootstrapped", causes="targets-unrelated", symptoms=AFTERWARDS, costs=0.1)
def value_that_outlives_its_walk(watch, seed, fault):
    torch.manual_seed(seed)
    return learn((EndlessSAC if fault else DiscreteSAC)(seed), watch)


@planted("loss-mismatch", causes="targets-unrelated", symptoms=AFTERWARDS + " saturated", costs=0.3)
def actor_that_flees_its_values(watch, seed, fault):
    torch.manual_seed(seed)
    return learn((FleeingSAC if fault else DiscreteSAC)(seed), watch)


def optimize_model(policy_net, target_net, memory, optimizer, gamma=0.95):
    batch = memory.sample(64)
    values = policy_net(batch.state).gather(1, batch.action.long().unsqueeze(1)).squeeze(1)
    with torch.no_grad():
        best = policy_net(batch.next_state).argmax(1, keepdim=True)
        following = target_net(batch.next_state).gather(1, best).squeeze(1)
        expected = batch.reward + gamma * following * batch.mask
    loss = F.smooth_l1_loss(values, expected)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def optimize_model_without_the_prize(policy_net, target_net, memory, optimizer, gamma=0.95):
    batch = memory.sample(64)
    values = policy_net(batch.state).gather(1, batch.action.long().unsqueeze(1)).squeeze(1)
    with torch.no_grad():
        best = policy_net(batch.next_state).argmax(1, keepdim=True)
        following = target_net(batch.next_state).gather(1, best).squeeze(1)
        expected = (batch.reward + gamma * following) * batch.mask  # fault: last-reward-masked-away
    loss = F.smooth_l1_loss(values, expected)  # fault: last-reward-masked-away
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


@planted("terminal-bootstrapped", causes="targets-unrelated output-collapsed", symptoms=AFTERWARDS, costs=0.2)
def last_reward_masked_away(watch, seed, fault):
    torch.manual_seed(seed)
    policy_net = nn.Sequential(nn.Linear(9, 64), nn.ReLU(), nn.Linear(64, 2))
    target_net = copy.deepcopy(policy_net)
    optimizer = torch.optim.AdamW(policy_net.parameters(), lr=2e-3, amsgrad=True)
    memory, env = Memory(3000, 9, numpy.random.default_rng(seed)), Ledge(16)
    step = optimize_model_without_the_prize if fault else optimize_model
    state = env.look()
    with watch(policy_net, optimizer):
        for i in range(500):
            with torch.no_grad():
                action = policy_net(state).argmax(1)
            action = torch.where(torch.rand(16) < 0.3, torch.randint(2, (16,)), action)
            following, reward, done = env.step(action)
            memory.push(state, action, reward, following, 1 - done)
            state = following
            if i > 20:
                step(policy_net, target_net, memory, optimizer)
                for key, value in policy_net.state_dict().items():
                    target_net.state_dict()[key].lerp_(value, 0.05)
    return worth(lambda seen: policy_net(seen).argmax(1))

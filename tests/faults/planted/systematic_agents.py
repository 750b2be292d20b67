"""Learning from rewards, kind after kind, each in a style of its own: written before anything was looked at."""

import copy
from collections import deque, namedtuple
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn
from torch.distributions import Categorical
from torch.func import functional_call

from faults.planted.fresh_sequences import COSTS_OF_IT
from faults.program import planted


class Balance:
    """Several poles at once, which fall to one side and are pushed to the other: +1 a step until they lie."""

    def __init__(self, count, scale=1.0, limit=60):
        self.count, self.scale, self.limit = count, scale, limit
        self.place, self.age = 0.2 * torch.randn(count), torch.zeros(count)

    def observe(self):
        return torch.stack([self.place, self.place.square(), self.place.sign()], 1)

    def step(self, action):
        push = 0.18 * (2 * action - 1)
        self.place = 1.1 * self.place + push + 0.04 * torch.randn(self.count)
        self.age += 1
        done = (self.place.abs() > 1) | (self.age > self.limit)
        reward = self.scale * (1 - self.place.abs().clamp(max=1) / 2)
        seen = self.observe()
        self.place = torch.where(done, 0.2 * torch.randn(self.count), self.place)
        self.age = torch.where(done, torch.zeros(self.count), self.age)
        return seen, reward, done.float()


@torch.no_grad()
def length_of_life(choose, steps=60):
    """How long poles stand under `choose`, at most 60."""
    torch.manual_seed(99)
    env, alive, total = Balance(64, limit=1000), torch.ones(64), 0.0
    for _ in range(steps):
        _, _, done = env.step(choose(env.observe()))
        alive = alive * (1 - done)
        total += alive.mean().item()
    return total


@dataclass
class DQNConfig:
    gamma: float = 0.97
    lr: float = 2e-3
    batch_size: int = 64
    target_update_every: int = 40
    epsilon: float = 0.2
    steps: int = 320


class Memory:
    """A ring of transitions, one tensor for each of its columns."""

    def __init__(self, capacity, width):
        self.columns = [torch.zeros(capacity, width), torch.zeros(capacity).long(), torch.zeros(capacity),
                        torch.zeros(capacity, width), torch.zeros(capacity)]  # fmt: skip
        self.capacity, self.head, self.size = capacity, 0, 0

    def push(self, *values):
        for i in range(len(values[0])):
            for column, value in zip(self.columns, values, strict=True):
                column[self.head] = value[i]
            self.head = (self.head + 1) % self.capacity
            self.size = min(self.size + 1, self.capacity)

    def sample(self, n):
        index = torch.randint(self.size, (n,))
        return [column[index] for column in self.columns]


class DQNAgent:
    def __init__(self, cfg, mask_terminal=True, sync=True, capacity=4000):
        self.cfg, self.mask_terminal, self.sync = cfg, mask_terminal, sync
        self.q_net = nn.Sequential(nn.Linear(3, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 2))
        self.target_net = copy.deepcopy(self.q_net).requires_grad_(False)
        self.optimizer = torch.optim.Adam(self.q_net.parameters(), lr=cfg.lr)
        self.memory, self.updates = Memory(capacity, 3), 0

    def act(self, obs):
        greedy = self.q_net(obs).argmax(1)
        explore = torch.rand(len(obs)) < self.cfg.epsilon
        return torch.where(explore, torch.randint(2, greedy.shape), greedy)

    def learn(self):
        obs, action, reward, next_obs, done = self.memory.sample(self.cfg.batch_size)
        with torch.no_grad():
            best = self.q_net(next_obs).argmax(1, keepdim=True)
            future = self.target_net(next_obs).gather(1, best).squeeze(1)
            if self.mask_terminal:
                future = future * (1.0 - done)
            target = reward + self.cfg.gamma * future  # fault: value-of-a-pole-that-lies
        q = self.q_net(obs).gather(1, action[:, None]).squeeze(1)
        loss = F.smooth_l1_loss(q, target)  # fault: value-of-a-pole-that-lies target-copied-once-and-never-again
        self.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.q_net.parameters(), 10.0)
        self.optimizer.step()
        self.updates += 1
        if self.sync and self.updates % self.cfg.target_update_every == 0:
            self.target_net.load_state_dict(self.q_net.state_dict())
        return loss.item()


def interact(agent, watch):
    env, obs = Balance(12), None
    with watch(agent.q_net, agent.optimizer):
        for step in range(agent.cfg.steps):
            obs = env.observe()
            with torch.no_grad():
                action = agent.act(obs)
            next_obs, reward, done = env.step(action)
            agent.memory.push(obs, action, reward, next_obs, done)
            if step > 10:
                agent.learn()
                agent.learn()
    return length_of_life(lambda seen: agent.q_net(seen).argmax(1))


@planted("terminal-bootstrapped", symptoms=COSTS_OF_IT, costs=None)
def value_of_a_pole_that_lies(watch, seed, fault):
    """A double DQN whose targets go on behind the end of an episode."""
    torch.manual_seed(seed)
    return interact(DQNAgent(DQNConfig(), mask_terminal=not fault), watch)


@planted("ema-too-slow", causes="targets-unrelated", symptoms=COSTS_OF_IT, costs=None)
def target_copied_once_and_never_again(watch, seed, fault):
    torch.manual_seed(seed)
    return interact(DQNAgent(DQNConfig(gamma=0.9), sync=not fault), watch)


class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(3, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh())
        self.pi, self.v = nn.Linear(32, 2), nn.Linear(32, 1)

    def forward(self, obs):
        hidden = self.body(obs)
        return Categorical(logits=self.pi(hidden)), self.v(hidden).squeeze(-1)


def discounted(rewards, dones, last, gamma):
    returns, running = [], last
    for reward, done in zip(reversed(rewards), reversed(dones), strict=True):
        running = reward + gamma * running * (1 - done)
        returns.append(running)
    return torch.stack(returns[::-1])


def rollout(policy, env, length):
    kept = []
    for _ in range(length):
        obs = env.observe()
        with torch.no_grad():
            dist, _ = policy(obs)
            action = dist.sample()
        _, reward, done = env.step(action)
        kept.append((obs, action, reward, done))
    return [torch.stack(column) for column in zip(*kept, strict=True)]


@planted("targets-unrelated", causes="loss-below-floor loss-mismatch", symptoms=COSTS_OF_IT, costs=3.0)
def chosen_for_being_bad(watch, seed, fault):
    """A2C; the loss of the policy lacks its minus."""
    torch.manual_seed(seed)
    policy, env = Policy(), Balance(16)
    optimizer = torch.optim.RMSprop(policy.parameters(), lr=2e-3, alpha=0.99)
    with watch(policy, optimizer):
        for _ in range(90):
            obs, action, reward, done = rollout(policy, env, 12)
            with torch.no_grad():
                last = policy(env.observe())[1]
            returns = discounted(list(reward), list(done), last, 0.95)
            dist, value = policy(obs)
            advantage = (returns - value).detach()
            advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-6)
            sign = 1.0 if fault else -1.0
            policy_loss = sign * (dist.log_prob(action) * advantage).mean()  # fault
            loss = policy_loss + 0.5 * F.mse_loss(value, returns) - 0.01 * dist.entropy().mean()  # fault
            optimizer.zero_grad()
            loss.backward()  # fault
            optimizer.step()
    return length_of_life(lambda seen: policy(seen)[0].probs.argmax(1))


@planted("losses-unbalanced", causes="initial-loss exploding-gradient", symptoms=COSTS_OF_IT, costs=None)
def rewards_in_points_of_a_thousand(watch, seed, fault):
    """Advantages are not normalised, returns neither: the value's loss is some ten thousand times the policy's."""
    torch.manual_seed(seed)
    policy, env = Policy(), Balance(16, scale=100.0)
    optimizer = torch.optim.Adam(policy.parameters(), lr=2e-3)
    with watch(policy, optimizer):
        for _ in range(90):
            obs, action, reward, done = rollout(policy, env, 12)
            if not fault:
                reward = reward / 100.0
            with torch.no_grad():
                last = policy(env.observe())[1]
            returns = discounted(list(reward), list(done), last, 0.95)
            dist, value = policy(obs)
            advantage = returns - value.detach()
            if not fault:
                advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
            actor_loss = -(dist.log_prob(action) * advantage).mean()
            critic_loss = F.mse_loss(value, returns)
            loss = actor_loss + 0.5 * critic_loss  # fault
            optimizer.zero_grad()
            loss.backward()  # fault
            optimizer.step()
    return length_of_life(lambda seen: policy(seen)[0].probs.argmax(1))


Transition = namedtuple("Transition", "state action next_state done")


class SplitReplay:
    """States in a ring, rewards in a queue: once both are full, place i of one is not place i of the other."""

    def __init__(self, capacity, aligned):
        self.ring, self.rewards = [None] * capacity, deque(maxlen=capacity)
        self.aligned, self.at, self.full = aligned, 0, False

    def add(self, transition, reward):
        self.ring[self.at] = transition
        if self.aligned and self.full:
            self.rewards[self.at] = reward
        else:
            self.rewards.append(reward)
        self.at = (self.at + 1) % len(self.ring)
        self.full = self.full or self.at == 0

    def sample(self, n):
        index = torch.randint(len(self.rewards), (n,)).tolist()
        batch = Transition(*(torch.stack(column) for column in zip(*(self.ring[i] for i in index), strict=True)))
        return batch, torch.stack([self.rewards[i] for i in index])  # fault: rewards-of-other-states


@planted("pairs-broken", causes="targets-unrelated", symptoms=COSTS_OF_IT, costs=None)
def rewards_of_other_states(watch, seed, fault):
    """A one-step Q-learner over a replay memory in two parts."""
    torch.manual_seed(seed)
    q = nn.Sequential(nn.Linear(3, 48), nn.ReLU(), nn.Linear(48, 2))
    slow = {name: p.detach().clone() for name, p in q.named_parameters()}
    opt = torch.optim.Adam(q.parameters(), lr=3e-3)
    env, replay = Balance(8), SplitReplay(600, aligned=not fault)
    with watch(q, opt):
        for step in range(420):
            state = env.observe()
            action = torch.randint(2, (8,))
            after, reward, done = env.step(action)
            reward = torch.where(done.bool(), torch.tensor(-1.0), reward)
            for i in range(8):
                replay.add(Transition(state[i], action[i], after[i], done[i]), reward[i])
            if step < 20:
                continue
            batch, r = replay.sample(64)
            with torch.no_grad():
                future = functional_call(q, slow, (batch.next_state,)).amax(1)
                wanted = r + 0.5 * (1 - batch.done) * future
            loss = F.mse_loss(q(batch.state).gather(1, batch.action[:, None]).squeeze(1), wanted)  # fault
            opt.zero_grad()
            loss.backward()
            opt.step()
            for name, p in q.named_parameters():
                slow[name].lerp_(p.detach(), 0.05)
    return -loss.item()


@planted("targets-attached", symptoms=COSTS_OF_IT, costs=None)
def next_value_that_learns_too(watch, seed, fault):
    """TD(0) of a critic, whose target keeps its graph: the next state's value is moved towards this one's."""
    torch.manual_seed(seed)
    critic = nn.Sequential(nn.Linear(3, 48), nn.Tanh(), nn.Linear(48, 1))
    optimizer = torch.optim.Adam(critic.parameters(), lr=3e-3)
    env = Balance(48)
    with watch(critic, optimizer):
        for _ in range(260):
            obs = env.observe()
            action = (torch.rand(48) < torch.sigmoid(-6 * obs[:, 0])).long()
            next_obs, reward, done = env.step(action)
            v, v_next = critic(obs).squeeze(-1), critic(next_obs).squeeze(-1)
            target = reward + 0.9 * (1 - done) * v_next
            if not fault:
                target = target.detach()
            loss = (target - v).pow(2).mean()  # fault
            optimizer.zero_grad()
            loss.backward()  # fault
            optimizer.step()
    return -loss.item()


@planted("terminal-bootstrapped", symptoms=COSTS_OF_IT, costs=None)
def soft_value_without_an_end(watch, seed, fault):
    """A discrete SAC; the soft value of the next state counts whether there is one or not."""
    torch.manual_seed(seed)
    actor = nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, 2))
    critics = nn.ModuleList(nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, 2)) for _ in range(2))
    targets = copy.deepcopy(critics).requires_grad_(False)
    actor_opt = torch.optim.Adam(actor.parameters(), lr=2e-3)
    critic_opt = torch.optim.Adam(critics.parameters(), lr=3e-3)
    env, memory, alpha, gamma = Balance(12), Memory(4000, 3), 0.05, 0.96
    with watch(critics, critic_opt):
        for step in range(240):
            obs = env.observe()
            with torch.no_grad():
                action = Categorical(logits=actor(obs)).sample()
            next_obs, reward, done = env.step(action)
            memory.push(obs, action, reward, next_obs, done)
            if step < 10:
                continue
            state, act, rew, after, terminated = memory.sample(64)
            with torch.no_grad():
                log_pi = actor(after).log_softmax(-1)
                soft = torch.minimum(targets[0](after), targets[1](after)) - alpha * log_pi
                value = (log_pi.exp() * soft).sum(-1)
                not_done = torch.ones_like(terminated) if fault else 1 - terminated
                backup = rew + gamma * not_done * value  # fault
            critic_loss = sum(F.mse_loss(c(state).gather(1, act[:, None])[:, 0], backup) for c in critics)  # fault
            critic_opt.zero_grad()
            critic_loss.backward()
            critic_opt.step()
            log_pi = actor(state).log_softmax(-1)
            with torch.no_grad():
                q = torch.minimum(critics[0](state), critics[1](state))
            actor_loss = (log_pi.exp() * (alpha * log_pi - q)).sum(-1).mean()
            actor_opt.zero_grad()
            actor_loss.backward()
            actor_opt.step()
            with torch.no_grad():
                for slow, fast in zip(targets.parameters(), critics.parameters(), strict=True):
                    slow.lerp_(fast, 0.02)
    return length_of_life(lambda seen: actor(seen).argmax(1))

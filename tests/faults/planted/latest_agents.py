"""Agents in one file each, as they are written today: PPO, DDPG, DQN. Looked at once."""

import copy
import random
from collections import deque

import torch
import torch.nn.functional as F
from torch import nn
from torch.distributions import Normal

from faults.program import planted

AFTERWARDS = (
    "too-few-epochs overfitting plateau underfitting lr-too-low lr-too-high label-imbalance clip-too-tight dead-relu "
    "initial-loss output-collapsed unshuffled input-scale"
)


class Rails:
    """Carts on rails that are to be brought to a place and kept there: many at once, episodes of 16 steps."""

    def __init__(self, count, seed):
        self.g = torch.Generator().manual_seed(seed)
        self.count = count

    def reset(self):
        self.at = 2 * torch.rand(self.count, generator=self.g) - 1
        self.goal = 2 * torch.rand(self.count, generator=self.g) - 1
        self.steps = 0
        return self.observe()

    def observe(self):
        return torch.stack([self.at, self.goal, torch.full_like(self.at, self.steps / 16)], dim=1)

    def step(self, move):
        self.at = (self.at + 0.25 * move).clamp(-1, 1)
        self.steps += 1
        reward = -(self.at - self.goal).abs()
        done = self.steps >= 16
        return (self.reset() if done else self.observe()), reward, torch.full((self.count,), float(done))


def layer_init(layer, std=2.0**0.5):
    nn.init.orthogonal_(layer.weight, std)
    nn.init.zeros_(layer.bias)
    return layer


class ActorCritic(nn.Module):
    """A normal policy of one move, and a value."""

    def __init__(self, summed):
        super().__init__()
        self.critic = nn.Sequential(
            layer_init(nn.Linear(3, 48)), nn.Tanh(), layer_init(nn.Linear(48, 48)), nn.Tanh(),
            layer_init(nn.Linear(48, 1), std=1.0),
        )  # fmt: skip
        self.actor_mean = nn.Sequential(
            layer_init(nn.Linear(3, 48)), nn.Tanh(), layer_init(nn.Linear(48, 48)), nn.Tanh(),
            layer_init(nn.Linear(48, 1), std=0.01),
        )  # fmt: skip
        self.actor_logstd = nn.Parameter(torch.full((1, 1), -0.5))
        self.summed = summed

    def get_value(self, x):
        return self.critic(x).squeeze(-1)

    def get_action_and_value(self, x, action=None):
        mean = self.actor_mean(x)
        probs = Normal(mean, self.actor_logstd.expand_as(mean).exp())
        if action is None:
            action = probs.sample()
        logprob = probs.log_prob(action)  # fault: logprobs-left-in-a-column
        return action, logprob.sum(1) if self.summed else logprob, probs.entropy().sum(1), self.get_value(x)

    forward = get_action_and_value


def rollout(agent, envs, obs, steps=32, gamma=0.95, lam=0.9):
    """Observations, actions, log-probabilities, advantages and returns, flat; and what is seen next."""
    seen = []
    for _ in range(steps):
        with torch.no_grad():
            action, logprob, _, value = agent.get_action_and_value(obs)
        after, reward, done = envs.step(action[:, 0].clamp(-1, 1))
        seen.append((obs, action, logprob, value, reward, done))
        obs = after
    with torch.no_grad():
        following = agent.get_value(obs)
    advantages, last = [], torch.zeros_like(following)
    for _, _, _, value, reward, done in reversed(seen):
        delta = reward + gamma * following * (1 - done) - value
        last = delta + gamma * lam * (1 - done) * last
        advantages.insert(0, last)
        following = value
    advantages = torch.cat(advantages)
    b_obs, b_actions, b_logprobs, b_values = (torch.cat([row[i] for row in seen]) for i in range(4))
    return (b_obs, b_actions, b_logprobs, advantages, advantages + b_values), obs


@planted("loss-broadcast", symptoms=AFTERWARDS, costs=0.05)
def logprobs_left_in_a_column(watch, seed, fault):
    torch.manual_seed(seed)
    envs = Rails(16, seed)
    agent = ActorCritic(summed=not fault)
    optimizer = torch.optim.Adam(agent.parameters(), lr=2e-3, eps=1e-5)
    obs = envs.reset()
    with watch(agent, optimizer):
        for _update in range(24):
            (b_obs, b_actions, b_logprobs, b_advantages, b_returns), obs = rollout(agent, envs, obs)
            for _epoch in range(3):
                for mb in torch.randperm(len(b_obs)).split(128):
                    _, newlogprob, entropy, newvalue = agent(b_obs[mb], b_actions[mb])
                    ratio = (newlogprob - b_logprobs[mb]).exp()
                    mb_advantages = b_advantages[mb]
                    mb_advantages = (mb_advantages - mb_advantages.mean()) / (mb_advantages.std() + 1e-8)
                    pg_loss1 = -mb_advantages * ratio  # fault
                    pg_loss2 = -mb_advantages * ratio.clamp(0.8, 1.2)  # fault
                    pg_loss = torch.max(pg_loss1, pg_loss2).mean()
                    v_loss = 0.5 * ((newvalue - b_returns[mb]) ** 2).mean()
                    loss = pg_loss - 0.001 * entropy.mean() + 0.5 * v_loss
                    optimizer.zero_grad()
                    loss.backward()
                    nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
                    optimizer.step()
    return earned(lambda seen: agent.actor_mean(seen)[:, 0].clamp(-1, 1))


@torch.no_grad()
def earned(policy):
    """Mean reward a step of a policy in rails that it never saw."""
    envs = Rails(64, 99)
    obs, total = envs.reset(), 0.0
    for _ in range(16):
        obs, reward, _ = envs.step(policy(obs))
        total += float(reward.mean()) / 16
    return total


class QNetwork(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2, self.fc3 = nn.Linear(4, 64), nn.Linear(64, 64), nn.Linear(64, 1)

    def forward(self, x, a):
        x = F.relu(self.fc1(torch.cat([x, a], 1)))
        return self.fc3(F.relu(self.fc2(x)))


class Actor(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc_mu = nn.Linear(3, 64), nn.Linear(64, 1)

    def forward(self, x):
        return torch.tanh(self.fc_mu(F.relu(self.fc1(x))))


@planted("no-update", causes="parameters-unused parameters-not-optimized", symptoms=AFTERWARDS, costs=0.05)
def actor_cut_from_its_critic(watch, seed, fault):
    torch.manual_seed(seed)
    envs = Rails(16, seed)
    actor, qf1 = Actor(), QNetwork()
    target_actor, qf1_target = copy.deepcopy(actor), copy.deepcopy(qf1)
    q_optimizer = torch.optim.Adam(qf1.parameters(), lr=3e-3)
    actor_optimizer = torch.optim.Adam(actor.parameters(), lr=1e-3)
    buffer, obs = deque(maxlen=250), envs.reset()
    with watch(actor, actor_optimizer):
        for global_step in range(700):
            with torch.no_grad():
                actions = (actor(obs) + 0.4 * torch.randn(16, 1)).clamp(-1, 1)
            next_obs, rewards, dones = envs.step(actions[:, 0])
            buffer.append((obs, actions, rewards, next_obs, dones))
            obs = next_obs
            if global_step < 40:
                continue
            rows = random.Random(seed * 1000 + global_step).sample(range(len(buffer)), 8)
            s, a, r, s2, d = (torch.cat([buffer[row][i] for row in rows]) for i in range(5))
            with torch.no_grad():
                next_q = qf1_target(s2, target_actor(s2)).view(-1)
                next_q_value = r + (1 - d) * 0.9 * next_q
            qf1_loss = F.mse_loss(qf1(s, a).view(-1), next_q_value)
            q_optimizer.zero_grad()
            qf1_loss.backward()
            q_optimizer.step()
            if global_step % 2 == 0:
                pi = actor(s)
                actor_loss = -qf1(s, pi.detach() if fault else pi).mean()  # fault
                actor_optimizer.zero_grad()
                actor_loss.backward()
                actor_optimizer.step()
                for online, target in ((actor, target_actor), (qf1, qf1_target)):
                    for param, target_param in zip(online.parameters(), target.parameters(), strict=True):
                        target_param.data.copy_(0.02 * param.data + 0.98 * target_param.data)
    return earned(lambda seen: actor(seen)[:, 0])


class Corridor:
    """Nine places; the first and the last end the episode, and the last pays. Episodes end after 30 steps anyhow."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def reset(self):
        self.at, self.steps = self.random.randint(1, 7), 0
        return self.observe()

    def observe(self):
        return F.one_hot(torch.tensor(self.at), 9).float()

    def step(self, action):
        self.at += 1 if action else -1
        self.steps += 1
        terminated = self.at in (0, 8)
        return self.observe(), float(self.at == 8), terminated, self.steps >= 30


@planted("terminal-bootstrapped", symptoms=AFTERWARDS, costs=0.2)
def truncations_taken_for_terminations(watch, seed, fault):
    torch.manual_seed(seed)
    env, dice = Corridor(seed), random.Random(seed)
    q_network = nn.Sequential(nn.Linear(9, 48), nn.ReLU(), nn.Linear(48, 2))
    target_network = copy.deepcopy(q_network)
    optimizer = torch.optim.Adam(q_network.parameters(), lr=2e-3)
    replay, obs = deque(maxlen=2000), env.reset()
    with watch(q_network, optimizer):
        for global_step in range(1800):
            if dice.random() < max(0.2, 1 - global_step / 600):
                action = dice.randrange(2)
            else:
                with torch.no_grad():
                    action = int(q_network(obs[None]).argmax())
            next_obs, reward, terminated, truncated = env.step(action)
            done = truncated if fault else terminated  # fault
            replay.append((obs, action, reward, next_obs, float(done)))
            obs = env.reset() if terminated or truncated else next_obs
            if global_step > 100 and global_step % 2 == 0:
                s, a, r, s2, d = zip(*dice.sample(replay, 48), strict=True)
                with torch.no_grad():
                    target_max = target_network(torch.stack(s2)).max(dim=1).values
                    td_target = torch.tensor(r) + 0.9 * target_max * (1 - torch.tensor(d))
                old_val = q_network(torch.stack(s)).gather(1, torch.tensor(a)[:, None]).squeeze(1)
                loss = F.smooth_l1_loss(old_val, td_target)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            if global_step % 60 == 0:
                target_network.load_state_dict(q_network.state_dict())
    true = 0.9 ** torch.arange(6, -1, -1).float()  # of going right from each place
    with torch.no_grad():
        return -float((q_network(torch.eye(9)[1:8]).amax(1) - true).abs().mean())

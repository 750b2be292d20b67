"""Policies that learn from what they did, by gradients of their own chances.

Written, and frozen, before the rules were read: of the 25 programs in policies, critics, generators, students,
averaging and adapting 9 were found at the first look, all of them first, with their line in 3; of the twins one got a warning, as
its average was slow too (it is faster now). The misses led to changes afterwards.
"""

import torch
import torch.nn.functional as F
from torch import nn, optim
from torch.distributions import Categorical

from faults.planted.latest_agents import AFTERWARDS
from faults.program import planted


class Ledge:
    """Many walkers on nine places: off the left end lies 0.4, off the far right end 1; both end the walk."""

    places, start = 9, 2

    def __init__(self, walkers, limit=40):
        self.walkers, self.limit = walkers, limit
        self.at, self.age = torch.full((walkers,), self.start), torch.zeros(walkers)

    def look(self):
        return torch.exp(-(self.at[:, None] - torch.arange(self.places)).float().square() / 0.5)

    def step(self, action):
        self.at, self.age = self.at + 2 * action - 1, self.age + 1
        left, right = self.at < 0, self.at >= self.places
        reward = 0.4 * left.float() + right.float()
        over = left | right | (self.age >= self.limit)
        self.at = torch.where(over, torch.full_like(self.at, self.start), self.at)
        self.age = torch.where(over, torch.zeros_like(self.age), self.age)
        return self.look(), reward, over.float()


@torch.no_grad()
def worth(choose, gamma=0.97, walkers=64):
    """What a walk under `choose` brings, discounted."""
    torch.manual_seed(7)
    env = Ledge(walkers)
    obs, alive, total = env.look(), torch.ones(walkers), torch.zeros(walkers)
    for t in range(env.limit):
        obs, reward, over = env.step(choose(obs))
        total += alive * gamma**t * reward
        alive = alive * (1 - over)
    return total.mean().item()


class Signals:
    """Each step shows another pattern, and one of four answers is right for it: nothing lasts."""

    def __init__(self, watchers, seed=5):
        self.watchers = watchers
        g = torch.Generator().manual_seed(seed)
        self.patterns = torch.randn(4, 8, generator=g)
        self.draw()

    def draw(self):
        self.right = torch.randint(4, (self.watchers,))
        self.shown = self.patterns[self.right] + 0.4 * torch.randn(self.watchers, 8)

    def answer(self, given):
        reward = (given == self.right).float()
        self.draw()
        return reward


def share_right(policy):
    torch.manual_seed(8)
    env = Signals(1000)
    with torch.no_grad():
        return (policy(env.shown).argmax(-1) == env.right).float().mean().item()


DEFAULTS = {"lr": 3e-3, "updates": 120, "walkers": 32, "maximize": True}


def reinforce_loss(dist, action, advantage, config):
    direction = -1.0 if config["maximize"] else 1.0
    return direction * (dist.log_prob(action) * advantage).mean()  # fault: direction-kept-in-the-settings


@planted(
    "loss-mismatch",
    causes="targets-unrelated loss-below-floor",
    symptoms=AFTERWARDS + " saturated vanishing-gradient",
    costs=0.3,
)
def direction_kept_in_the_settings(watch, seed, fault):
    torch.manual_seed(seed)
    config = DEFAULTS | {"maximize": not fault}
    env = Signals(config["walkers"])
    policy = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 4))
    optimizer = optim.Adam(policy.parameters(), lr=config["lr"])
    baseline = 0.25
    with watch(policy, optimizer):
        for _ in range(config["updates"]):
            dist = Categorical(logits=policy(env.shown))
            action = dist.sample()
            reward = env.answer(action)
            baseline += 0.05 * (reward.mean().item() - baseline)
            loss = reinforce_loss(dist, action, reward - baseline, config)
            optimizer.zero_grad()
            loss.backward()  # fault
            optimizer.step()
    return share_right(policy)


def returns_of(rewards, overs, gamma):
    """Discounted sum of what came afterwards, [T, N]."""
    running, out = torch.zeros_like(rewards[0]), []
    for reward, over in zip(reversed(rewards), reversed(overs), strict=True):
        running = reward + gamma * running * (1 - over)
        out.insert(0, running)
    return torch.stack(out)


def returns_so_far(rewards, overs, gamma):
    """Discounted sum of rewards, [T, N]."""
    running, out = torch.zeros_like(rewards[0]), []
    for reward, over in zip(rewards, overs, strict=True):
        running = reward + gamma * running * (1 - over)
        out.append(running)
    return torch.stack(out)  # fault: returns-summed-from-the-start


class Reinforce:
    def __init__(self, policy, optimizer, gamma=0.97, to_go=returns_of):
        self.policy, self.optimizer, self.gamma, self.to_go = policy, optimizer, gamma, to_go

    def play(self, env, steps):
        log_probs, rewards, overs, entropies = [], [], [], []
        obs = env.look()
        for _ in range(steps):
            dist = Categorical(logits=self.policy(obs))
            action = dist.sample()
            obs, reward, over = env.step(action)
            log_probs.append(dist.log_prob(action))
            entropies.append(dist.entropy())
            rewards.append(reward)
            overs.append(over)
        return torch.stack(log_probs), rewards, overs, torch.stack(entropies)

    def update(self, env, steps=60):
        log_probs, rewards, overs, entropies = self.play(env, steps)
        returns = self.to_go(rewards, overs, self.gamma)  # fault: returns-summed-from-the-start
        advantage = (returns - returns.mean()) / (returns.std() + 1e-8)
        loss = -(log_probs * advantage).mean() - 0.05 * entropies.mean()  # fault: returns-summed-from-the-start
        self.optimizer.zero_grad()
        loss.backward()  # fault: returns-summed-from-the-start
        self.optimizer.step()


@planted("pairs-broken", causes="targets-unrelated", symptoms=AFTERWARDS, costs=0.1)
def returns_summed_from_the_start(watch, seed, fault):
    torch.manual_seed(seed)
    policy = nn.Sequential(nn.Linear(9, 32), nn.Tanh(), nn.Linear(32, 2))
    agent = Reinforce(policy, optim.Adam(policy.parameters(), lr=1e-2), to_go=returns_so_far if fault else returns_of)
    env = Ledge(32)
    with watch(policy, agent.optimizer):
        for _ in range(40):
            agent.update(env)
    return worth(lambda obs: Categorical(logits=policy(obs)).sample())


class Rollout:
    """Fixed arrays of what was seen, done and earned, filled row by row."""

    def __init__(self, length, watchers):
        self.obs = torch.zeros(length, watchers, 8)
        self.actions = torch.zeros(length, watchers, dtype=torch.long)
        self.rewards = torch.zeros(length, watchers)


def collect(policy, env, rollout):
    for t in range(len(rollout.obs)):
        with torch.no_grad():
            rollout.actions[t] = Categorical(logits=policy(env.shown)).sample()
        rollout.obs[t] = env.shown
        rollout.rewards[t] = env.answer(rollout.actions[t])


def collect_late(policy, env, rollout):
    for t in range(len(rollout.obs)):
        with torch.no_grad():
            rollout.actions[t] = Categorical(logits=policy(env.shown)).sample()
        rollout.rewards[t] = env.answer(rollout.actions[t])
        rollout.obs[t] = env.shown  # fault: observation-written-after-the-step


@planted("pairs-broken", causes="targets-unrelated", symptoms=AFTERWARDS, costs=0.3)
def observation_written_after_the_step(watch, seed, fault):
    torch.manual_seed(seed)
    env, rollout = Signals(16), Rollout(16, 16)
    policy = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 4))
    optimizer = optim.RMSprop(policy.parameters(), lr=2e-3)
    gather = collect_late if fault else collect
    with watch(policy, optimizer):
        for _ in range(100):
            gather(policy, env, rollout)
            advantage = rollout.rewards - rollout.rewards.mean()
            dist = Categorical(logits=policy(rollout.obs))
            policy_loss = -(dist.log_prob(rollout.actions) * advantage).mean()  # fault
            loss = policy_loss - 0.01 * dist.entropy().mean()
            optimizer.zero_grad()
            loss.backward()  # fault
            optimizer.step()
    return share_right(policy)


class ActorCritic(nn.Module):
    def __init__(self, hidden=64):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(9, hidden), nn.Tanh())
        self.pi, self.v = nn.Linear(hidden, 2), nn.Linear(hidden, 1)
        nn.init.orthogonal_(self.pi.weight, 0.01)

    def forward(self, obs):
        h = self.body(obs)
        return Categorical(logits=self.pi(h)), self.v(h).squeeze(-1)


def ppo_loss(new_logp, old_logp, adv, value, ret, entropy, ent_coef=0.15, vf_coef=0.5, clip=0.2):
    ratio = (new_logp - old_logp).exp()
    pg = torch.max(-adv * ratio, -adv * ratio.clamp(1 - clip, 1 + clip)).mean()
    return pg + vf_coef * F.mse_loss(value, ret) - ent_coef * entropy.mean()


def ppo_loss_hurried(new_logp, old_logp, adv, value, ret, entropy, ent_coef=0.15, vf_coef=0.5, clip=0.2):
    ratio = (new_logp - old_logp).exp()
    pg = torch.max(-adv * ratio, -adv * ratio.clamp(1 - clip, 1 + clip)).mean()
    v_loss = vf_coef * F.mse_loss(value, ret)
    return pg + v_loss + ent_coef * entropy.mean()  # fault: entropy-added-to-the-loss


@torch.no_grad()
def play(agent, env, steps, gamma=0.97, lam=0.95):
    obs, rows = env.look(), []
    for _ in range(steps):
        dist, value = agent(obs)
        action = dist.sample()
        seen, reward, over = env.step(action)
        rows.append((obs, action, dist.log_prob(action), value, reward, over))
        obs = seen
    (states, actions, logps, values, rewards, overs), last = map(torch.stack, zip(*rows, strict=True)), agent(obs)[1]
    adv, running = torch.zeros_like(rewards), torch.zeros_like(last)
    for t in reversed(range(steps)):
        following = last if t == steps - 1 else values[t + 1]
        delta = rewards[t] + gamma * following * (1 - overs[t]) - values[t]
        adv[t] = running = delta + gamma * lam * (1 - overs[t]) * running
    return [part.flatten(0, 1) for part in (states, actions, logps, adv, adv + values)]


@planted("loss-mismatch", causes="output-collapsed", symptoms=AFTERWARDS + " saturated", costs=None)
def entropy_added_to_the_loss(watch, seed, fault):
    torch.manual_seed(seed)
    agent, env = ActorCritic(), Ledge(16)
    optimizer = optim.Adam(agent.parameters(), lr=2.5e-3, eps=1e-5)
    objective = ppo_loss_hurried if fault else ppo_loss
    with watch(agent, optimizer):
        for _ in range(25):
            states, actions, logps, adv, ret = play(agent, env, 64)
            for _ in range(3):
                for mb in torch.randperm(len(states)).split(256):
                    dist, value = agent(states[mb])
                    a = (adv[mb] - adv[mb].mean()) / (adv[mb].std() + 1e-8)
                    loss = objective(dist.log_prob(actions[mb]), logps[mb], a, value, ret[mb], dist.entropy())  # fault
                    optimizer.zero_grad()
                    loss.backward()  # fault
                    nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
                    optimizer.step()
    return worth(lambda obs: agent(obs)[0].sample())

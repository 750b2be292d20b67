"""Learning from rewards as it should be, with target nets, replay and surrogates: of none of these is a word due."""

import copy

import torch
import torch.nn.functional as F
from torch import nn
from torch.distributions import Categorical, Normal

from faults.drawn import blobs, images
from faults.program import healthy


class Points:
    """Points on a line that are to come to its middle; a few at once, episodes of twenty steps or off the line."""

    def __init__(self, count):
        self.x, self.t = 2 * torch.rand(count, 1) - 1, torch.randint(0, 20, (count,))

    def obs(self):
        return torch.cat([self.x, self.x.abs(), (self.t[:, None] / 20)], 1)

    def step(self, move):
        self.x = self.x + 0.25 * move.view(-1, 1).clamp(-1, 1) + 0.02 * torch.randn_like(self.x)
        self.t = self.t + 1
        terminated, truncated = self.x.abs().flatten() > 1.5, self.t >= 20
        reward = -self.x.abs().flatten() - 2.0 * terminated
        after, over = self.obs(), terminated | truncated
        self.x = torch.where(over[:, None], 2 * torch.rand_like(self.x) - 1, self.x)
        self.t = torch.where(over, torch.zeros_like(self.t), self.t)
        return after, reward, terminated.float(), over.float()


@torch.no_grad()
def distance(choose):
    """How far from the middle points are behind twelve steps."""
    torch.manual_seed(7)
    env = Points(200)
    env.t = torch.zeros(200)
    for _ in range(12):
        env.step(choose(env.obs()))
    return env.x.abs().mean().item()


class Store:
    def __init__(self, size):
        self.rows, self.size = [], size

    def extend(self, *columns):
        self.rows += list(zip(*columns, strict=True))
        self.rows = self.rows[-self.size :]

    def batch(self, n):
        picked = [self.rows[i] for i in torch.randint(len(self.rows), (n,)).tolist()]
        return [torch.stack(column) for column in zip(*picked, strict=True)]


@healthy(at_least=-0.35)
def dqn_with_a_target_net_and_replay(watch, seed):
    torch.manual_seed(seed)
    online = nn.Sequential(nn.Linear(3, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 3))
    target = copy.deepcopy(online).eval()
    optimizer = torch.optim.AdamW(online.parameters(), lr=1e-3)
    env, store, moves = Points(16), Store(6000), torch.tensor([-1.0, 0.0, 1.0])
    with watch(online, optimizer):
        for step in range(500):
            obs = env.obs()
            epsilon = max(0.05, 1 - step / 200)
            with torch.no_grad():
                action = torch.where(torch.rand(16) < epsilon, torch.randint(3, (16,)), online(obs).argmax(1))
            after, reward, terminated, _ = env.step(moves[action])
            store.extend(obs, action, reward, after, terminated)
            s, a, r, s2, d = store.batch(64)
            with torch.no_grad():
                y = r + 0.9 * target(s2).max(dim=1).values * (1 - d)
            loss = F.smooth_l1_loss(online(s).gather(1, a.unsqueeze(1)).squeeze(1), y)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_value_(online.parameters(), 100)
            optimizer.step()
            weights, slow = online.state_dict(), target.state_dict()
            for key in weights:
                slow[key] = weights[key] * 0.02 + slow[key] * 0.98
            target.load_state_dict(slow)
    return -distance(lambda seen: moves[online(seen).argmax(1)])


class ActorCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.critic = nn.Sequential(nn.Linear(3, 48), nn.Tanh(), nn.Linear(48, 1))
        self.actor_mean = nn.Sequential(nn.Linear(3, 48), nn.Tanh(), nn.Linear(48, 1))
        nn.init.orthogonal_(self.actor_mean[-1].weight, 0.01)
        self.actor_logstd = nn.Parameter(torch.full((1, 1), -0.7))

    def get_action_and_value(self, x, action=None):
        mean = self.actor_mean(x)
        probs = Normal(mean, self.actor_logstd.expand_as(mean).exp())
        action = probs.sample() if action is None else action
        return action, probs.log_prob(action).sum(1), probs.entropy().sum(1), self.critic(x).flatten()


def gae(reward, value, over, last, gamma=0.9, lam=0.95):
    adv, running = torch.zeros_like(reward), torch.zeros_like(last)
    for t in reversed(range(len(reward))):
        following = last if t + 1 == len(reward) else value[t + 1]
        delta = reward[t] + gamma * following * (1 - over[t]) - value[t]
        running = delta + gamma * lam * (1 - over[t]) * running
        adv[t] = running
    return adv


@healthy(at_least=-0.35)
def ppo_over_a_continuous_action(watch, seed):
    torch.manual_seed(seed)
    agent = ActorCritic()
    optimizer = torch.optim.Adam(agent.parameters(), lr=3e-3, eps=1e-5)
    env = Points(32)
    with watch(agent, optimizer):
        for update in range(14):
            optimizer.param_groups[0]["lr"] = 3e-3 * (1 - update / 14)
            rows = []
            for _ in range(20):
                obs = env.obs()
                with torch.no_grad():
                    action, logprob, _, value = agent.get_action_and_value(obs)
                _, reward, _, over = env.step(action)
                rows.append((obs, action, logprob, value, reward, over))
            obs, action, logprob, value, reward, over = (torch.stack(c) for c in zip(*rows, strict=True))
            with torch.no_grad():
                last = agent.get_action_and_value(env.obs())[3]
            advantages = gae(reward, value, over, last)
            b = [t.flatten(0, 1) for t in (obs, action, logprob, advantages, advantages + value)]
            for _ in range(4):
                for i in torch.randperm(640).split(160):
                    _, newlogprob, entropy, newvalue = agent.get_action_and_value(b[0][i], b[1][i])
                    ratio = (newlogprob - b[2][i]).exp()
                    norm = (b[3][i] - b[3][i].mean()) / (b[3][i].std() + 1e-8)
                    pg_loss = torch.max(-norm * ratio, -norm * ratio.clamp(0.8, 1.2)).mean()
                    v_loss = 0.5 * ((newvalue - b[4][i]) ** 2).mean()
                    loss = pg_loss - 0.001 * entropy.mean() + 0.5 * v_loss
                    optimizer.zero_grad()
                    loss.backward()
                    nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
                    optimizer.step()
    return -distance(agent.actor_mean)


class TanhActor(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(3, 48), nn.ReLU(), nn.Linear(48, 2))

    def forward(self, obs):
        mean, log_std = self.net(obs).chunk(2, -1)
        normal = Normal(mean, log_std.clamp(-5, 1).exp())
        raw = normal.rsample()
        squashed = raw.tanh()
        log_prob = normal.log_prob(raw) - torch.log(1 - squashed.square() + 1e-6)
        return squashed, log_prob.squeeze(-1), mean.tanh()


def q_function():
    return nn.Sequential(nn.Linear(4, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 1), nn.Flatten(0))


@healthy(at_least=-0.4)
def soft_actor_critic_with_two_target_nets(watch, seed):
    torch.manual_seed(seed)
    actor, q1, q2 = TanhActor(), q_function(), q_function()
    q1_target, q2_target = (copy.deepcopy(q).requires_grad_(False) for q in (q1, q2))
    q_optimizer = torch.optim.Adam([*q1.parameters(), *q2.parameters()], lr=2e-3)
    actor_optimizer = torch.optim.Adam(actor.parameters(), lr=1e-3)
    log_alpha = torch.zeros(1, requires_grad=True)
    a_optimizer = torch.optim.Adam([log_alpha], lr=3e-3)
    env, store = Points(16), Store(5000)
    with watch(actor, actor_optimizer):
        for _ in range(260):
            obs = env.obs()
            with torch.no_grad():
                action = actor(obs)[0]
            after, reward, terminated, _ = env.step(action)
            store.extend(obs, action, reward, after, terminated)
            s, a, r, s2, d = store.batch(64)
            with torch.no_grad():
                a2, logp2, _ = actor(s2)
                pair = torch.cat([s2, a2], 1)
                q_next = torch.min(q1_target(pair), q2_target(pair)) - log_alpha.exp() * logp2
                target = r + 0.9 * (1 - d) * q_next
            sa = torch.cat([s, a], 1)
            qf_loss = F.mse_loss(q1(sa), target) + F.mse_loss(q2(sa), target)
            q_optimizer.zero_grad()
            qf_loss.backward()
            q_optimizer.step()
            pi, logp, _ = actor(s)
            s_pi = torch.cat([s, pi], 1)
            actor_loss = (log_alpha.exp().detach() * logp - torch.min(q1(s_pi), q2(s_pi))).mean()
            actor_optimizer.zero_grad()
            actor_loss.backward()
            actor_optimizer.step()
            alpha_loss = (-log_alpha.exp() * (logp.detach() - 1.0)).mean()
            a_optimizer.zero_grad()
            alpha_loss.backward()
            a_optimizer.step()
            for slow, fast in ((q1_target, q1), (q2_target, q2)):
                for p, q in zip(slow.parameters(), fast.parameters(), strict=True):
                    p.data.mul_(0.98).add_(0.02 * q.data)
    return -distance(lambda seen: actor(seen)[2])


@healthy(at_least=-0.8)
def gan_of_two_optimisers(watch, seed):
    torch.manual_seed(seed)
    x, _ = images(1200, c=4, size=8, seed=61)
    x = (0.7 * x).tanh()
    generator = nn.Sequential(nn.Linear(16, 96), nn.BatchNorm1d(96), nn.ReLU(), nn.Linear(96, 64), nn.Tanh(),
                         nn.Unflatten(1, (1, 8, 8)))  # fmt: skip
    critic = nn.Sequential(nn.Conv2d(1, 24, 4, 2, 1), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(384, 1), nn.Sigmoid())
    critic_optimizer = torch.optim.Adam(critic.parameters(), lr=4e-4, betas=(0.5, 0.999))
    generator_optimizer = torch.optim.Adam(generator.parameters(), lr=1e-3, betas=(0.5, 0.999))
    criterion = nn.BCELoss()
    with watch(generator, generator_optimizer), watch(critic, critic_optimizer):
        for _ in range(8):
            for index in torch.randperm(1200).split(60):
                real_label, fake_label = torch.full((60, 1), 0.9), torch.zeros(60, 1)
                critic.zero_grad()
                err_real = criterion(critic(x[index]), real_label)
                err_real.backward()
                fake = generator(torch.randn(60, 16))
                err_fake = criterion(critic(fake.detach()), fake_label)
                err_fake.backward()
                critic_optimizer.step()
                generator.zero_grad()
                err_made = criterion(critic(fake), torch.full((60, 1), 0.9))
                err_made.backward()
                generator_optimizer.step()
    with torch.no_grad():
        return -(generator(torch.randn(400, 16)).mean(0) - x.mean(0)).abs().mean().item()


class Expert(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.w1, self.w2 = nn.Linear(width, 32), nn.Linear(32, width)

    def forward(self, x):
        return self.w2(F.silu(self.w1(x)))


class SparseMoE(nn.Module):
    """Two of four experts for each sample, and a loss that keeps them all at work (Fedus et al. 2021)."""

    def __init__(self, width, experts=4, k=2):
        super().__init__()
        self.gate, self.k = nn.Linear(width, experts, bias=False), k
        self.experts = nn.ModuleList(Expert(width) for _ in range(experts))

    def forward(self, x):
        chances = self.gate(x).softmax(-1)
        weight, chosen = chances.topk(self.k, dim=-1)
        weight = weight / weight.sum(-1, keepdim=True)
        out = torch.zeros_like(x)
        for i, expert in enumerate(self.experts):
            row, place = torch.where(chosen == i)
            if len(row):
                out.index_add_(0, row, expert(x[row]) * weight[row, place, None])
        load = F.one_hot(chosen[:, 0], len(self.experts)).float().mean(0)
        return x + out, len(self.experts) * (load * chances.mean(0)).sum()


@healthy(at_least=0.8)
def mixture_of_four_experts(watch, seed):
    torch.manual_seed(seed)
    x, y = blobs(1500, c=6, seed=62)
    model = nn.ModuleDict(
        {"inp": nn.Linear(16, 32), "moe": SparseMoE(32), "norm": nn.LayerNorm(32), "out": nn.Linear(32, 6)}
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
    with watch(model, optimizer):
        for _ in range(6):
            for index in torch.randperm(1200).split(50):
                hidden, balance = model["moe"](model["inp"](x[index]))
                loss = F.cross_entropy(model["out"](model["norm"](hidden)), y[index]) + 0.01 * balance
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        hidden, _ = model["moe"](model["inp"](x[1200:]))
        return (model["out"](model["norm"](hidden)).argmax(1) == y[1200:]).float().mean().item()


@healthy(at_least=5.0)
def reinforce_with_a_moving_baseline(watch, seed):
    """A bandit whose best arm depends on the context; the reward's mean is taken off."""
    torch.manual_seed(seed)
    policy = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 4))
    optimizer = torch.optim.Adam(policy.parameters(), lr=5e-3)
    baseline, last = 0.0, []
    with watch(policy, optimizer):
        for _ in range(200):
            context = F.one_hot(torch.randint(4, (32,)), 4).float()
            chosen = Categorical(logits=policy(context))
            arm = chosen.sample()
            reward = 10.0 * (arm == (context.argmax(1) + 1) % 4).float() + torch.randn(32)
            loss = -(chosen.log_prob(arm) * (reward - baseline)).mean() - 0.02 * chosen.entropy().mean()
            baseline = 0.9 * baseline + 0.1 * reward.mean().item()
            last.append(reward.mean().item())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return sum(last[-20:]) / 20

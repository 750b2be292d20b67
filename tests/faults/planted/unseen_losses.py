"""Nets that segment, generate and act, after reports from others' code: written without a look at the rules."""

import copy
import random
from collections import deque, namedtuple

import torch
import torch.nn.functional as F
from torch import nn
from torch.distributions import Categorical, Normal, kl_divergence
from torch.utils.data import DataLoader, TensorDataset

from faults import data
from faults.planted.fresh_sequences import COSTS_OF_IT
from faults.program import planted


def double_conv(channels_in, channels_out):
    layers = []
    for first in (channels_in, channels_out):
        layers += [nn.Conv2d(first, channels_out, 3, padding=1), nn.BatchNorm2d(channels_out), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


class UNet(nn.Module):
    def __init__(self, width=8, final=None):
        super().__init__()
        self.down1, self.down2 = double_conv(1, width), double_conv(width, 2 * width)
        self.pool = nn.MaxPool2d(2)
        self.up = nn.ConvTranspose2d(2 * width, width, 2, stride=2)
        self.merge = double_conv(2 * width, width)
        self.head = nn.Conv2d(width, 1, 1)
        self.final = final or nn.Identity()

    def forward(self, x):
        skip = self.down1(x)
        deep = self.down2(self.pool(skip))
        logits = self.head(self.merge(torch.cat([self.up(deep), skip], dim=1)))
        return self.final(logits)  # fault: masks-squashed-twice


def discs(count, size=24):
    """Noisy pictures of a bright disc [N, 1, 24, 24], and where it is."""
    centre = torch.randint(6, size - 6, (count, 2, 1, 1)).float()
    radius = 2 + 3 * torch.rand(count, 1, 1)
    rows, columns = torch.arange(size).view(-1, 1), torch.arange(size).view(1, -1)
    inside = ((rows - centre[:, 0]) ** 2 + (columns - centre[:, 1]) ** 2 < radius**2).float().unsqueeze(1)
    return inside + 0.6 * torch.randn(count, 1, size, size), inside


@planted("softmax-twice", causes="output-activation loss-mismatch", symptoms=COSTS_OF_IT, costs=0.2)
def masks_squashed_twice(watch, seed, fault):
    torch.manual_seed(seed)
    images, masks = discs(500)
    loader = DataLoader(TensorDataset(images[:400], masks[:400]), batch_size=20, shuffle=True)
    model = UNet(final=nn.Sigmoid() if fault else None)
    optimizer, criterion = torch.optim.Adam(model.parameters(), lr=3e-3), nn.BCEWithLogitsLoss()
    with watch(model, optimizer):
        for _ in range(4):
            model.train()
            for image, mask in loader:
                optimizer.zero_grad()
                loss = criterion(model(image), mask)  # fault
                loss.backward()
                optimizer.step()
    model.eval()
    with torch.no_grad():
        found = torch.sigmoid(model(images[400:])) > 0.5
    truth = masks[400:] > 0.5
    return ((found & truth).sum() / (found | truth).sum()).item()


class DigitVAE(nn.Module):
    def __init__(self, latent=8):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, 96), nn.SiLU(), nn.Linear(96, 2 * latent))
        self.decoder = nn.Sequential(nn.Linear(latent, 96), nn.SiLU(), nn.Linear(96, 64))

    def posterior(self, x):
        loc, log_scale = self.encoder(x).chunk(2, dim=-1)
        return Normal(loc, F.softplus(log_scale) + 1e-4)

    def forward(self, x):
        q = self.posterior(x)
        return self.decoder(q.rsample()), q


def elbo_per_sample(logits, x, q):
    likelihood = F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(-1)
    divergence = kl_divergence(q, Normal(0.0, 1.0)).sum(-1)
    return (likelihood + divergence).mean()


def elbo_of_a_mean(logits, x, q):
    likelihood = F.binary_cross_entropy_with_logits(logits, x)
    divergence = kl_divergence(q, Normal(0.0, 1.0)).sum(-1).mean()
    return likelihood + divergence  # fault: divergence-of-distributions-beside-a-mean-of-pixels


@planted("latent-collapsed", causes="losses-unbalanced output-collapsed", symptoms=COSTS_OF_IT, costs=0.03)
def divergence_of_distributions_beside_a_mean_of_pixels(watch, seed, fault):
    torch.manual_seed(seed)
    x, _, x_test, _ = data.digits()
    vae, criterion = DigitVAE(), elbo_of_a_mean if fault else elbo_per_sample
    optimizer = torch.optim.Adam(vae.parameters(), lr=2e-3)
    with watch(vae, optimizer):
        for _ in range(14):
            for index in torch.randperm(len(x)).split(48):
                logits, q = vae(x[index])
                loss = criterion(logits, x[index], q)  # fault
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    with torch.no_grad():
        return -F.binary_cross_entropy_with_logits(vae.decoder(vae.posterior(x_test).mean), x_test).item()


class GaussianDiffusion(nn.Module):
    """Ho et al. 2020 over flat pictures."""

    def __init__(self, net, steps=100):
        super().__init__()
        self.net, self.steps = net, steps
        self.register_buffer("alphas_cumprod", torch.cumprod(1 - torch.linspace(1e-3, 0.08, steps), 0))

    def q_sample(self, x_start, t, noise=None):
        noise = torch.randn_like(x_start) if noise is None else noise
        kept = self.alphas_cumprod[t][:, None]
        return kept.sqrt() * x_start + (1 - kept).sqrt() * noise

    def noisy(self, x_start, t, noise):
        return self.q_sample(x_start, t, noise)

    def forward(self, x_start):
        t = torch.randint(0, self.steps, (len(x_start),))
        noise = torch.randn_like(x_start)
        predicted = self.net(torch.cat([self.noisy(x_start, t, noise), self.embed(t)], dim=1))
        return F.mse_loss(predicted, noise)  # fault: noise-not-passed-to-the-noising

    def embed(self, t):
        angles = t[:, None] / self.steps * torch.tensor([1.0, 3.0, 9.0, 27.0])
        return torch.cat([angles.sin(), angles.cos()], dim=1)


class ForgetfulDiffusion(GaussianDiffusion):
    def noisy(self, x_start, t, noise):
        return self.q_sample(x_start, t)  # fault: noise-not-passed-to-the-noising


@planted("targets-unrelated", symptoms=COSTS_OF_IT, costs=0.2)
def noise_not_passed_to_the_noising(watch, seed, fault):
    """q_sample() draws its own noise where none is given; the loss compares with another."""
    torch.manual_seed(seed)
    x = data.digits()[0] * 2 - 1
    net = nn.Sequential(nn.Linear(72, 192), nn.SiLU(), nn.Linear(192, 192), nn.SiLU(), nn.Linear(192, 64))
    diffusion = (ForgetfulDiffusion if fault else GaussianDiffusion)(net)
    optimizer = torch.optim.AdamW(diffusion.parameters(), lr=2e-3)
    losses = []
    with watch(diffusion, optimizer):
        for _ in range(12):
            for index in torch.randperm(len(x)).split(64):
                loss = diffusion(x[index])  # fault
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
    return -sum(losses[-20:]) / 20


Transition = namedtuple("Transition", "state action reward next_state done")


class Rail:
    """A cart on a rail from -1 to 1: each step costs 1, and the right end is the goal."""

    def reset(self):
        self.place = random.uniform(-1.0, 0.8)
        return torch.tensor([self.place])

    def step(self, push):
        self.place = max(-1.0, self.place + 0.25 * push)
        done = self.place >= 1.0
        return torch.tensor([min(self.place, 1.0)]), -1.0, done


class ActorCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.actor = nn.Sequential(nn.Linear(1, 32), nn.ReLU(), nn.Linear(32, 1), nn.Tanh())
        self.critic = nn.Sequential(nn.Linear(2, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 1))

    def q(self, state, action):
        return self.critic(torch.cat([state, action], dim=-1))


def td_target(batch, target, gamma):
    q_next = target.q(batch.next_state, target.actor(batch.next_state))
    return batch.reward + gamma * (1.0 - batch.done) * q_next


def td_target_without_end(batch, target, gamma):
    q_next = target.q(batch.next_state, target.actor(batch.next_state))
    return batch.reward + gamma * q_next  # fault: critic-that-never-hears-of-the-end


@planted("terminal-bootstrapped", symptoms=COSTS_OF_IT, costs=1.0)
def critic_that_never_hears_of_the_end(watch, seed, fault):
    """Lillicrap et al. 2016; the score is how far the value of a step into the goal is from its reward."""
    torch.manual_seed(seed)
    random.seed(seed)
    agent = ActorCritic()
    target, env, replay = copy.deepcopy(agent), Rail(), deque(maxlen=4000)
    actor_opt = torch.optim.Adam(agent.actor.parameters(), lr=1e-3)
    critic_opt = torch.optim.Adam(agent.critic.parameters(), lr=3e-3)
    target_of, state = (td_target_without_end if fault else td_target), env.reset()
    with watch(agent.critic, critic_opt):
        for _ in range(500):
            with torch.no_grad():
                action = (agent.actor(state) + 0.4 * torch.randn(1)).clamp(-1, 1)
            following, reward, done = env.step(action.item())
            replay.append(Transition(state, action, torch.tensor([reward]), following, torch.tensor([float(done)])))
            state = env.reset() if done else following
            if len(replay) < 64:
                continue
            batch = Transition(*map(torch.stack, zip(*random.sample(replay, 64), strict=True)))
            with torch.no_grad():
                wanted = target_of(batch, target, 0.95)
            critic_loss = F.mse_loss(agent.q(batch.state, batch.action), wanted)  # fault
            critic_opt.zero_grad()
            critic_loss.backward()
            critic_opt.step()
            actor_loss = -agent.q(batch.state, agent.actor(batch.state)).mean()
            actor_opt.zero_grad()
            actor_loss.backward()
            actor_opt.step()
            with torch.no_grad():
                for slow, fast in zip(target.parameters(), agent.parameters(), strict=True):
                    slow.lerp_(fast, 0.02)
    with torch.no_grad():
        last_steps = torch.linspace(0.8, 0.95, 20)[:, None]
        return -(agent.q(last_steps, torch.ones(20, 1)) + 1.0).abs().mean().item()


class PolicyAndValue(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(2, 48), nn.Tanh())
        self.pi, self.v = nn.Linear(48, 3), nn.Linear(48, 1)

    def forward(self, obs):
        h = self.trunk(obs)
        return Categorical(logits=self.pi(h)), self.v(h)


def chase(policy, environments=32, steps=10):
    """Places and aims on a line; a step left, none or one right. Observations, actions and returns, all flat."""
    place, aim = 2 * torch.rand(environments) - 1, 2 * torch.rand(environments) - 1
    observed, acted, rewards = [], [], []
    for _ in range(steps):
        obs = torch.stack([place, aim], dim=1)
        with torch.no_grad():
            action = policy(obs)[0].sample()
        place = place + 0.2 * (action - 1)
        observed.append(obs)
        acted.append(action)
        rewards.append(-(place - aim).abs())
    returns, total = [], torch.zeros(environments)
    for reward in reversed(rewards):
        total = reward + 0.8 * total
        returns.insert(0, total)
    return torch.cat(observed), torch.cat(acted), torch.cat(returns)


@planted("loss-broadcast", symptoms=COSTS_OF_IT, costs=0.3)
def values_of_a_column_beside_returns_of_a_row(watch, seed, fault):
    torch.manual_seed(seed)
    model = PolicyAndValue()
    optimizer = torch.optim.RMSprop(model.parameters(), lr=3e-3)
    with watch(model, optimizer):
        for _ in range(200):
            obs, actions, returns = chase(model)
            dist, values = model(obs)
            if not fault:
                values = values.squeeze(-1)
            advantage = (returns - values.flatten()).detach()
            policy_loss = -(dist.log_prob(actions) * advantage).mean()
            value_loss = 0.5 * (returns - values).pow(2).mean()  # fault
            loss = policy_loss + value_loss - 0.01 * dist.entropy().mean()
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 0.5)
            optimizer.step()
    obs, _, returns = chase(model)
    with torch.no_grad():
        return (1 - (returns - model(obs)[1].flatten()).var() / returns.var()).item()

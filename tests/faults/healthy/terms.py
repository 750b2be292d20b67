"""Signs, masks, constants and graphs in losses that only look as if they were wrong."""

import copy

import torch
import torch.nn.functional as F
from torch import autograd, nn
from torch.distributions import Categorical, Normal
from torch.func import functional_call

from faults.data import accuracy, digits
from faults.planted.generators import dense, likeness, ring
from faults.planted.policies import Ledge, Signals, share_right, worth
from faults.planted.students import fitted, mlp
from faults.program import healthy


class Tracking:
    """A cart that follows a mark for ever: episodes are cut by the clock alone, nothing ends in earnest."""

    def __init__(self, n, limit=50):
        self.n, self.limit, self.x, self.t = n, limit, torch.randn(n), 0

    def step(self, action):
        self.x = (0.95 * self.x + 0.5 * action + 0.05 * torch.randn(self.n)).clamp(-3, 3)
        self.t += 1
        truncated = torch.full((self.n,), float(self.t >= self.limit))
        seen = self.x
        if self.t >= self.limit:
            self.x, self.t = torch.randn(self.n), 0
        return seen, -seen.square(), truncated


@healthy(at_least=-0.6)
def values_of_a_task_without_an_end(watch, seed):
    torch.manual_seed(seed)
    env, actor = Tracking(32), nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 1))
    critic = nn.Sequential(nn.Linear(2, 48), nn.ReLU(), nn.Linear(48, 1))
    actor_target, critic_target = copy.deepcopy(actor), copy.deepcopy(critic)
    opt_actor, opt_critic = torch.optim.Adam(actor.parameters(), 1e-3), torch.optim.Adam(critic.parameters(), 3e-3)
    with watch([actor, critic], [opt_actor, opt_critic]):
        for _ in range(500):
            state = env.x[:, None]
            with torch.no_grad():
                action = (actor(state) + 0.3 * torch.randn(32, 1)).clamp(-2, 2)
            following, reward, _ = env.step(action[:, 0])
            with torch.no_grad():
                later = following[:, None]
                target = reward[:, None] + 0.8 * critic_target(torch.cat([later, actor_target(later)], 1))
            critic_loss = F.mse_loss(critic(torch.cat([state, action], 1)), target)
            opt_critic.zero_grad()
            critic_loss.backward()
            opt_critic.step()
            actor_loss = -critic(torch.cat([state, actor(state)], 1)).mean()
            opt_actor.zero_grad()
            actor_loss.backward()
            opt_actor.step()
            with torch.no_grad():
                for net, target_net in ((actor, actor_target), (critic, critic_target)):
                    for p, q in zip(net.parameters(), target_net.parameters(), strict=True):
                        q.lerp_(p, 0.02)
    torch.manual_seed(5)
    env, total = Tracking(64, limit=200), 0.0
    with torch.no_grad():
        for _ in range(40):
            total += env.step(actor(env.x[:, None])[:, 0])[1].mean().item() / 40
    return total


@healthy(at_least=0.9)
def objective_with_its_sign_in_a_variable(watch, seed):
    torch.manual_seed(seed)
    env, sign = Signals(32), -1
    policy = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 4))
    optimizer = torch.optim.Adam(policy.parameters(), lr=5e-3)
    with watch(policy, optimizer):
        for _ in range(150):
            dist = Categorical(logits=policy(env.shown))
            action = dist.sample()
            reward = env.answer(action)
            objective = (dist.log_prob(action) * (reward - reward.mean())).mean() + 0.01 * dist.entropy().mean()
            loss = sign * objective
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return share_right(policy)


@healthy(at_least=0.9)
def cost_that_is_made_small(watch, seed):
    """A policy that lowers a cost: the same formula without the minus."""
    torch.manual_seed(seed)
    env = Signals(32)
    policy = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 4))
    optimizer = torch.optim.Adam(policy.parameters(), lr=5e-3)
    with watch(policy, optimizer):
        for _ in range(150):
            dist = Categorical(logits=policy(env.shown))
            action = dist.sample()
            cost = 1 - env.answer(action)
            loss = (dist.log_prob(action) * (cost - cost.mean())).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return share_right(policy)


class Squashed(nn.Module):
    """A soft actor with its temperature, which learns too."""

    def __init__(self):
        super().__init__()
        self.net, self.log_alpha = (
            nn.Sequential(nn.Linear(3, 48), nn.ReLU(), nn.Linear(48, 2)),
            nn.Parameter(torch.zeros(1)),
        )

    def forward(self, state):
        mean, log_std = self.net(state).chunk(2, -1)
        dist = Normal(mean, log_std.clamp(-4, 1).exp())
        raw = dist.rsample()
        action = torch.tanh(raw)
        return action, (dist.log_prob(raw) - torch.log(1 - action.square() + 1e-6)).sum(-1), torch.tanh(mean)


@healthy(at_least=-0.15)
def temperature_of_a_soft_actor(watch, seed):
    torch.manual_seed(seed)
    actor, critic = Squashed(), nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 1))
    opt_pi, opt_q = torch.optim.Adam(actor.net.parameters(), 2e-3), torch.optim.Adam(critic.parameters(), 3e-3)
    opt_alpha = torch.optim.Adam([actor.log_alpha], 3e-3)
    wanted = lambda s: torch.tanh(s[:, :1] * s[:, 1:2] + s[:, 2:])  # noqa: E731
    with watch([actor, critic], [opt_pi, opt_q, opt_alpha]):
        for _ in range(400):
            state = torch.randn(64, 3)
            with torch.no_grad():
                action, _, _ = actor(state)
            reward = -(action - wanted(state)).square()
            q_loss = F.mse_loss(critic(torch.cat([state, action], 1)), reward)
            opt_q.zero_grad()
            q_loss.backward()
            opt_q.step()
            action, log_pi, _ = actor(state)
            alpha = 0.05 * actor.log_alpha.exp().detach()
            pi_loss = (alpha * log_pi - critic(torch.cat([state, action], 1)).squeeze(1)).mean()
            opt_pi.zero_grad()
            pi_loss.backward()
            opt_pi.step()
            alpha_loss = -(actor.log_alpha * (log_pi - 1.0).detach()).mean()
            opt_alpha.zero_grad()
            alpha_loss.backward()
            opt_alpha.step()
    torch.manual_seed(1)
    state = torch.randn(1000, 3)
    with torch.no_grad():
        return -(actor(state)[2] - wanted(state)).square().mean().item()


@healthy(at_least=-0.15)
def penalty_now_and_then_and_its_size_for_the_log(watch, seed):
    """R1 every fourth step with its graph; the slope is also measured without one, to be printed."""
    torch.manual_seed(seed)
    G, D = dense(4, 64, 64, 2), dense(2, 64, 64, 1)
    opt_g, opt_d = (torch.optim.Adam(net.parameters(), 1e-3, betas=(0.0, 0.99)) for net in (G, D))
    shown = []
    with watch([G, D], [opt_g, opt_d]):
        for step in range(500):
            real, fake = ring(128), G(torch.randn(128, 4))
            d_loss = F.softplus(D(fake.detach())).mean() + F.softplus(-D(real)).mean()
            if step % 4 == 0:
                real = real.requires_grad_()
                (slope,) = autograd.grad(D(real).sum(), real, create_graph=True)
                d_loss = d_loss + 0.05 * 4 * slope.square().sum(1).mean()
            opt_d.zero_grad()
            d_loss.backward()
            opt_d.step()
            probe = fake.detach().requires_grad_()
            (slope,) = autograd.grad(D(probe).sum(), probe)
            shown.append(slope.norm(dim=1).mean().item())
            g_loss = F.softplus(-D(fake)).mean()
            opt_g.zero_grad()
            g_loss.backward()
            opt_g.step()
    return likeness(G)


@healthy(at_least=0.9)
def constants_in_a_loss(watch, seed):
    """The teacher's own entropy, a weight from the loss itself, and a term that is nothing."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    teacher, student = fitted(mlp(64, 96, 10), x, y), mlp(64, 32, 10)
    optimizer = torch.optim.Adam(student.parameters(), lr=3e-3)
    with watch(student, optimizer):
        for _ in range(12):
            for index in torch.randperm(len(x)).split(64):
                with torch.no_grad():
                    wanted = teacher(x[index]).softmax(1)
                logits = student(x[index])
                divergence = (wanted * (wanted.clamp_min(1e-8).log() - logits.log_softmax(1))).sum(1)
                hard = (1 - (-divergence.detach()).exp()) * divergence
                spread = wanted.std().detach()
                loss = hard.mean() + 0.1 * F.cross_entropy(logits, y[index]) + 0.01 * spread
                loss = loss + 0.0 * sum(p.sum() for p in student.parameters())
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return accuracy(student, x_test, y_test)


@healthy(at_least=0.9)
def inputs_made_harder_by_their_slope(watch, seed):
    """FGSM: the direction is a number on purpose."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    net = mlp(64, 64, 10)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    with watch(net, optimizer):
        for _ in range(15):
            for index in torch.randperm(len(x)).split(64):
                clean = x[index].clone().requires_grad_()
                (slope,) = autograd.grad(F.cross_entropy(net(clean), y[index]), clean)
                hard = (clean + 0.05 * slope.sign()).detach().clamp(0, 1)
                loss = 0.5 * F.cross_entropy(net(x[index]), y[index]) + 0.5 * F.cross_entropy(net(hard), y[index])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return accuracy(net, x_test, y_test)


@healthy(at_least=-3.5)
def adapted_and_the_slope_taken_over(watch, seed):
    """First-order MAML: the slope where the copy ended is given to the weights where it began."""
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(1, 40), nn.Tanh(), nn.Linear(40, 40), nn.Tanh(), nn.Linear(40, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)

    def task(n=10):
        height, phase, t = 1 + 2 * torch.rand(1), 3.14 * torch.rand(1), 8 * torch.rand(2 * n, 1) - 4
        y = height * torch.sin(t + phase)
        return t[:n], y[:n], t[n:], y[n:]

    def adapted(x, y):
        fast = {name: p.detach().clone().requires_grad_() for name, p in model.named_parameters()}
        grads = autograd.grad(F.mse_loss(functional_call(model, fast, (x,)), y), list(fast.values()))
        return {n: (p - 0.05 * g).detach().requires_grad_() for (n, p), g in zip(fast.items(), grads, strict=True)}

    with watch(model, optimizer):
        for _ in range(200):
            optimizer.zero_grad()
            for x, y, x_query, y_query in (task() for _ in range(8)):
                fast = adapted(x, y)
                grads = autograd.grad(
                    F.mse_loss(functional_call(model, fast, (x_query,)), y_query), list(fast.values())
                )
                for p, g in zip(model.parameters(), grads, strict=True):
                    p.grad = g / 8 if p.grad is None else p.grad + g / 8
            optimizer.step()
    torch.manual_seed(4)
    total = 0.0
    for x, y, x_query, y_query in (task() for _ in range(60)):
        total += F.mse_loss(functional_call(model, adapted(x, y), (x_query,)), y_query).item() / 60
    return -total


@healthy(at_least=0.9)
def average_put_on_and_taken_off(watch, seed):
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    model = mlp(64, 64, 10)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    shadow = {name: p.detach().clone() for name, p in model.named_parameters()}

    def swapped():
        kept = {name: p.detach().clone() for name, p in model.named_parameters()}
        model.load_state_dict(shadow)
        return kept

    with watch(model, optimizer):
        for _ in range(10):
            for index in torch.randperm(len(x)).split(64):
                optimizer.zero_grad()
                F.cross_entropy(model(x[index]), y[index]).backward()
                optimizer.step()
                for name, p in model.named_parameters():
                    shadow[name].lerp_(p.detach(), 0.05)
            kept = swapped()
            model.eval()
            with torch.no_grad():
                F.cross_entropy(model(x_test), y_test).item()
            model.train()
            model.load_state_dict(kept)
    swapped()
    return accuracy(model, x_test, y_test)


@healthy(at_least=0.9)
def step_up_and_then_down(watch, seed):
    """SAM: the weights are moved to where the loss is worst nearby, the slope taken there, and moved back."""
    torch.manual_seed(seed)
    x, y, x_test, y_test = digits()
    net = mlp(64, 64, 10)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    with watch(net, optimizer):
        for _ in range(10):
            for index in torch.randperm(len(x)).split(64):
                F.cross_entropy(net(x[index]), y[index]).backward()
                with torch.no_grad():
                    norm = torch.stack([p.grad.norm() for p in net.parameters()]).norm()
                    moves = [0.05 * p.grad / (norm + 1e-12) for p in net.parameters()]
                    for p, move in zip(net.parameters(), moves, strict=True):
                        p.add_(move)
                optimizer.zero_grad()
                F.cross_entropy(net(x[index]), y[index]).backward()
                with torch.no_grad():
                    for p, move in zip(net.parameters(), moves, strict=True):
                        p.sub_(move)
                optimizer.step()
                optimizer.zero_grad()
    return accuracy(net, x_test, y_test)


@healthy(at_least=0.3)
def rewards_of_what_was_reached(watch, seed):
    """Values of where a step led: the reward belongs to the state after it, which is what is given to the net."""
    torch.manual_seed(seed)
    env, value = Ledge(32), nn.Sequential(nn.Linear(9, 48), nn.ReLU(), nn.Linear(48, 1))
    optimizer = torch.optim.Adam(value.parameters(), lr=3e-3)
    obs = env.look()
    with watch(value, optimizer):
        for _ in range(300):
            batch = []
            for _ in range(4):
                here = obs
                obs, reward, over = env.step(torch.randint(2, (32,)).clamp(min=0))
                batch.append((here, reward, obs, 1.0 - over))
            before, reward, after, going_on = (torch.cat(part) for part in zip(*batch, strict=True))
            with torch.no_grad():
                wanted = reward + 0.9 * going_on * value(after).squeeze(1)
            loss = F.mse_loss(value(before).squeeze(1), wanted)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    def greedy(seen):
        at = seen.argmax(1)
        with torch.no_grad():
            eye = torch.exp(-(torch.arange(9)[:, None] - torch.arange(9)).float().square() / 0.5)
            worths = value(eye).squeeze(1)
        left = torch.where(at == 0, torch.tensor(0.4), 0.9 * worths[(at - 1).clamp(min=0)])
        right = torch.where(at == 8, torch.tensor(1.0), 0.9 * worths[(at + 1).clamp(max=8)])
        return (right > left).long()

    return worth(greedy)

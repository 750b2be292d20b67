"""Values learnt from the values that follow, and actors that learn from values."""

import random
from collections import deque
from types import SimpleNamespace

import torch
import torch.nn.functional as F
from torch import nn

from faults.planted.latest_agents import AFTERWARDS
from faults.planted.policies import ActorCritic, Ledge, worth
from faults.program import planted

args = SimpleNamespace(gamma=0.95, batch_size=64, learning_starts=20, target_network_frequency=25, lr=2e-3, epsilon=0.8)


class QNetwork(nn.Module):
    def __init__(self):
        super().__init__()
        self.network = nn.Sequential(nn.Linear(9, 64), nn.ReLU(), nn.Linear(64, 2))

    def forward(self, x):
        return self.network(x)


def td_target(target_network, batch):
    with torch.no_grad():
        target_max, _ = target_network(batch.next_obs).max(dim=1)
        return batch.rewards + args.gamma * batch.not_dones * target_max


def td_target_of_the_other_flag(target_network, batch):
    with torch.no_grad():
        target_max, _ = target_network(batch.next_obs).max(dim=1)
        return batch.rewards + args.gamma * (1 - batch.not_dones) * target_max  # fault: flag-of-going-on-taken-for-done


@planted("terminal-bootstrapped", causes="targets-unrelated", symptoms=AFTERWARDS, costs=0.2)
def flag_of_going_on_taken_for_done(watch, seed, fault):
    torch.manual_seed(seed)
    random.seed(seed)
    envs, rb = Ledge(16), deque(maxlen=3000)
    q_network, target_network = QNetwork(), QNetwork()
    target_network.load_state_dict(q_network.state_dict())
    optimizer = torch.optim.Adam(q_network.parameters(), lr=args.lr)
    make_target = td_target_of_the_other_flag if fault else td_target
    obs = envs.look()
    with watch(q_network, optimizer):
        for global_step in range(300):
            with torch.no_grad():
                greedy = q_network(obs).argmax(1)
            actions = torch.where(torch.rand(16) < args.epsilon, torch.randint(2, (16,)), greedy)
            next_obs, rewards, dones = envs.step(actions)
            rb.extend(zip(obs, actions, rewards, next_obs, 1 - dones, strict=True))
            obs = next_obs
            if global_step > args.learning_starts:
                rows = [torch.stack(column) for column in zip(*random.sample(rb, args.batch_size), strict=True)]
                data = SimpleNamespace(
                    obs=rows[0], actions=rows[1], rewards=rows[2], next_obs=rows[3], not_dones=rows[4]
                )
                old_val = q_network(data.obs).gather(1, data.actions[:, None]).squeeze()
                loss = F.mse_loss(make_target(target_network, data), old_val)  # fault
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                if global_step % args.target_network_frequency == 0:
                    target_network.load_state_dict(q_network.state_dict())
    return worth(lambda seen: q_network(seen).argmax(1))


def n_step_returns(rewards, dones, bootstrap, gamma):
    """What came, and what is thought to come after the last step [T, N]."""
    ret = bootstrap
    out = []
    for reward, done in zip(reversed(rewards), reversed(dones), strict=True):
        ret = reward + gamma * ret * (1.0 - done)
        out.append(ret)
    return torch.stack(out[::-1])


def n_step_returns_endless(rewards, dones, bootstrap, gamma):
    """What came, and what is thought to come after the last step [T, N]."""
    ret = bootstrap
    out = []
    for reward, _ in zip(reversed(rewards), reversed(dones), strict=True):
        ret = reward + gamma * ret  # fault: returns-that-run-into-the-next-walk
        out.append(ret)
    return torch.stack(out[::-1])


@planted("terminal-bootstrapped", causes="targets-unrelated", symptoms=AFTERWARDS, costs=None)
def returns_that_run_into_the_next_walk(watch, seed, fault):
    torch.manual_seed(seed)
    model, envs = ActorCritic(), Ledge(24)
    opt = torch.optim.RMSprop(model.parameters(), lr=2e-3, eps=1e-5)
    returns_from = n_step_returns_endless if fault else n_step_returns
    state = envs.look()
    with watch(model, opt):
        for _ in range(120):
            logps, values, rewards, dones, entropy = [], [], [], [], 0.0
            for _ in range(12):
                dist, value = model(state)
                action = dist.sample()
                state, reward, done = envs.step(action)
                logps.append(dist.log_prob(action))
                values.append(value)
                rewards.append(reward)
                dones.append(done)
                entropy = entropy + dist.entropy().mean() / 12
            with torch.no_grad():
                returns = returns_from(rewards, dones, model(state)[1], 0.95)  # fault
            advantage = returns - torch.stack(values)
            actor_loss = -(torch.stack(logps) * advantage.detach()).mean()
            loss = actor_loss + 0.5 * advantage.pow(2).mean() - 0.02 * entropy
            opt.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 0.5)
            opt.step()
    return worth(lambda seen: model(seen)[0].sample())


class DDPG:
    """One-step control: the action that costs least is a smooth function of the state."""

    def __init__(self, hidden=48):
        self.actor = nn.Sequential(nn.Linear(3, hidden), nn.ReLU(), nn.Linear(hidden, 1), nn.Tanh())
        self.critic = nn.Sequential(nn.Linear(4, hidden), nn.ReLU(), nn.Linear(hidden, 1))
        self.actor_optimizer = torch.optim.Adam(self.actor.parameters(), lr=2e-3)
        self.critic_optimizer = torch.optim.Adam(self.critic.parameters(), lr=4e-3)

    def q(self, state, action):
        return self.critic(torch.cat([state, action], dim=-1)).squeeze(-1)

    def update_critic(self, state, action, reward):
        critic_loss = F.mse_loss(self.q(state, action), reward)
        self.critic_optimizer.zero_grad()
        critic_loss.backward()
        self.critic_optimizer.step()

    def update_actor(self, state):
        actor_loss = -self.q(state, self.actor(state)).mean()
        self.actor_optimizer.zero_grad()
        actor_loss.backward()
        self.actor_optimizer.step()


class DDPGWithoutGrad(DDPG):
    def update_actor(self, state):
        action = self.actor(state).detach()  # fault: action-detached-on-its-way-to-the-critic
        actor_loss = -self.q(state, action).mean()  # fault: action-detached-on-its-way-to-the-critic
        self.actor_optimizer.zero_grad()
        actor_loss.backward()  # fault: action-detached-on-its-way-to-the-critic
        self.actor_optimizer.step()  # fault: action-detached-on-its-way-to-the-critic


def best_action(state):
    return torch.tanh(state[:, :1] * state[:, 1:2] + state[:, 2:])


@planted("parameters-unused", causes="no-update", symptoms=AFTERWARDS, costs=0.1)
def action_detached_on_its_way_to_the_critic(watch, seed, fault):
    torch.manual_seed(seed)
    agent = DDPGWithoutGrad() if fault else DDPG()
    with watch([agent.actor, agent.critic], [agent.actor_optimizer, agent.critic_optimizer]):
        for _ in range(400):
            state = torch.randn(64, 3)
            with torch.no_grad():
                action = (agent.actor(state) + 0.4 * torch.randn(64, 1)).clamp(-1, 1)
            reward = -(action - best_action(state)).square().squeeze(1)
            agent.update_critic(state, action, reward)
            agent.update_actor(state)
    torch.manual_seed(1)
    state = torch.randn(1000, 3)
    with torch.no_grad():
        return -(agent.actor(state) - best_action(state)).square().mean().item()

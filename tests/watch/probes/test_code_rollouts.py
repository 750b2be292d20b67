"""Rewards, actions and states in the source, as they are gathered."""

import ast

import pytest

from danlu.watch.probes.code_rollouts import running_sum, stored_late, summed_from_the_start

SUM = (
    "def f(rewards, dones):\n R, out = 0, []\n for r, d in {over}:\n"
    "  R = r + gamma * R * (1 - d)\n  {keep}\n return out\n"
)
PAIRS = "zip(rewards, dones)"


@pytest.mark.parametrize(
    ("over", "keep", "line"),
    [
        (PAIRS, "out.append(R)", 4),
        (f"reversed(list({PAIRS}))", "out.append(R)", None),
        ("zip(rewards[::-1], dones[::-1])", "out.append(R)", None),
        (PAIRS, "out.insert(0, R)", None),  # whatever it is, it thinks of the order
        (PAIRS, "total = R", None),  # one number of an episode, such as its return for the log
    ],
)
def test_sums_that_run_from_the_first_reward_on(over: str, keep: str, line: int | None) -> None:
    tree = ast.parse(SUM.format(over=over, keep=keep))
    assert summed_from_the_start(tree) == line
    assert running_sum(tree) == 4


def test_a_running_scale_of_rewards_and_a_loop_backwards_are_none() -> None:
    scale = "class Scale:\n def __call__(self, r):\n  self.ret = self.ret * self.gamma + r\n  return r / self.ret"
    back = "for t in range(len(rewards) - 1, -1, -1):\n R = rewards[t] + gamma * R\n returns[t] = R"
    assert summed_from_the_start(ast.parse(scale)) is None
    assert summed_from_the_start(ast.parse(back)) is None
    assert summed_from_the_start(ast.parse(back.replace("range(len(rewards) - 1, -1, -1)", "range(len(rewards))"))) == 2


STEP = "o, r, done, info = env.step(a)"


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (["a = policy(o).sample()", STEP, "buffer.append((o, a, r))"], 4),
        (["a = policy(o).sample()", STEP, "states.append(o)", "actions.append(a)", "rewards.append(r)"], 4),
        (["obs[t] = o", "a = policy(o).sample()", STEP, "acts[t] = a", "rews[t] = r"], None),
        (["a = policy(o)", "states.append(o)", STEP, "actions.append(a)", "nexts.append(o)"], None),
        (["a = policy(o)", "n, r, done, info = env.step(a)", "buffer.append((o, a, r, n))", "o = n"], None),
        (["old = o", "a = policy(o)", STEP, "buffer.append((old, a, r, o))"], None),
        (["a = policy(o)", STEP, "frames.append(o)"], None),  # a film, no experience
        (["a = policy(env.state)", "r = env.step(a)", "states.append(env.state)", "actions.append(a)"], 4),
        (["a = policy(env.shown)", "rewards[t] = env.step(a)", "obs[t] = env.shown", "acts.append(a)"], 4),
        (["a = policy(env.shown)", "obs[t] = env.shown", "rewards[t] = env.step(a)", "acts.append(a)"], None),
    ],
)
def test_observations_that_are_kept_after_the_step(body: list[str], line: int | None) -> None:
    assert stored_late(ast.parse("for t in steps:\n" + "\n".join(f" {one}" for one in body))) == line

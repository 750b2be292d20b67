"""Target networks in the source: what brings them up to date, and what only makes them."""

import ast

import pytest

from danlu.watch.probes.code_targets import renewed

LOOP = """
class Agent:
    def __init__(self):
        self.target = copy.deepcopy(self.q)
        self.target.load_state_dict(self.q.state_dict())
    def learn(self):
        y = r + gamma * self.target(after).amax(1)
        loss = mse(self.q(x), y)
        loss.backward()
        {learn}
def train():
    agent.target.load_state_dict(agent.q.state_dict())
    for step in range(100):
        agent.learn()
        {loop}
def soften(source, target_net):
    {function}
"""


@pytest.mark.parametrize(
    ("place", "statement"),
    [
        ("learn", "self.target.load_state_dict(self.q.state_dict())"),
        ("loop", "soft_update(agent.q, agent.target, 0.01)"),
        ("loop", "agent.sync_target(agent.target)"),
        ("loop", "weights_target[name] = 0.9 * weights_target[name]"),
        ("function", "for t, s in zip(target_net.parameters(), source.parameters()): t.target.data = s.data"),
        (
            "function",
            "[t.lerp_(s, 0.1) for t, s in zip(target_net.parameters(), source.parameters()) if t.copy_(target)]",
        ),
    ],
)
def test_what_brings_it_up_to_date(place: str, statement: str) -> None:
    parts = {"learn": "pass", "loop": "pass", "function": "pass"} | {place: statement}
    assert renewed(ast.parse(LOOP.format(**parts))) is not None


def test_what_only_makes_it() -> None:
    assert renewed(ast.parse(LOOP.format(learn="pass", loop="pass", function="pass"))) is None

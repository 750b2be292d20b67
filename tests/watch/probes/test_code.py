"""Mistakes that stand in the lines of a loop."""

import ast
import textwrap

import pytest

from danlu.base.records import CodeLine
from danlu.watch.measured import Measured
from danlu.watch.probes.code import CodeProbe
from danlu.watch.sources import Sources

MASKED = """
def learn(r, s, s2, a, done):
    with no_grad():
        best = target(s2).max(1).values
    {more}
    y = r + gamma * {best}
    return loss(q(s).gather(1, a), y)  # HERE
"""
DISTILLED = """
def distil(s, t, T):
    {more}
    return kl_div(log_softmax({student}, 1), softmax({teacher}, 1))  # HERE
"""
AVERAGED = """
def evaluate(net, loader):
    total = count = batches = 0
    for x, y in loader:
        total += {term}
        batches += 1
        count += len(x)
        net(x)  # HERE
    return total / {by}
"""


def read(source: str, what: str, tmp_path: object) -> set[str]:
    file = f"{tmp_path}/loop.py"
    text = textwrap.dedent(source)
    with open(file, "w", encoding="utf-8") as out:
        out.write(text)
    ast.parse(text)
    line = next(n for n, one in enumerate(text.splitlines(), start=1) if "# HERE" in one)
    measured = Measured(lines={what: CodeLine(file, line)})
    CodeProbe(measured, Sources()).read()
    assert measured.code_read
    return set(measured.code) - {"bootstrap", "padded"}  # these alone are no mistakes


@pytest.mark.parametrize(
    ("best", "more", "found"),
    [
        ("best", "", {"terminal"}),
        ("best * (1 - done)", "", set()),
        ("best", "best = best * (1 - done)", set()),
        ("best", "best[done] = 0", set()),
        ("net.atoms", "", {"terminal"}),
        ("net.atoms * (1 - done)", "", set()),
        ("best", "best *= 1 - done", set()),
        ("best", "memory = Replay(handle_done=False)\n    r, s2 = memory.draw()\n    r = memory.r", {"terminal"}),
        ("best", "best = value(s2, final=done)", set()),
        ("top", "top, _ = target(s2).max(dim=1)", {"terminal"}),
        ("top", "top, _ = target(s2).max(dim=1)\n    top[done] = 0", set()),
        ("top", "_, top = target(s2).max(dim=1)", set()),
    ],
)
def test_a_target_that_does_not_end(best: str, more: str, found: set[str], tmp_path: object) -> None:
    assert read(MASKED.format(best=best, more=more), "loss", tmp_path) == found


@pytest.mark.parametrize(
    ("student", "teacher", "more", "found"),
    [
        ("s / T", "t", "", {"temperature"}),
        ("s", "t / T", "", {"temperature"}),
        ("s / T", "t / T", "", set()),
        ("s", "t", "", set()),
        ("s / T", "soft", "soft = t / T", set()),
    ],
)
def test_one_side_that_is_softened(student: str, teacher: str, more: str, found: set[str], tmp_path: object) -> None:
    assert read(DISTILLED.format(student=student, teacher=teacher, more=more), "loss", tmp_path) == found


@pytest.mark.parametrize(
    ("term", "by", "found"),
    [
        ("loss_fn(net(x), y).item()", "len(loader)", {"uneven"}),
        ("loss_fn(net(x), y).item()", "batches", {"uneven"}),
        ("loss_fn(net(x), y).item()", "count", set()),
        ("loss_fn(net(x), y).item() * len(x)", "count", set()),
        ("loss_fn(net(x), y).item() * len(x)", "len(loader)", set()),
        ("(net(x).argmax(1) == y).sum().item()", "len(loader)", set()),
    ],
)
def test_a_mean_of_means(term: str, by: str, found: set[str], tmp_path: object) -> None:
    assert read(AVERAGED.format(term=term, by=by), "evaluation", tmp_path) == found


ADVANTAGES = """
def advantages(rewards, values, dones, last):
    made, carried = [], 0
    for t in reversed(range(len(rewards))):
        {after}
        delta = rewards[t] + gamma * {factor} - values[t]
        carried = delta + gamma * lam * carried
        made.append(carried)
    return made

def learn(s, last, dones):
    {more}
    wanted = advantages(rewards, values, dones, last)
    return loss(policy(s), wanted)  # HERE
"""
AFTER = "after = values[t + 1] if t + 1 < len(values) else last"


@pytest.mark.parametrize(
    ("after", "factor", "more", "found"),
    [
        (AFTER, "after", "pass", {"terminal"}),
        ("pass", "values[t + 1]", "pass", {"terminal"}),
        ("next_value = critic(s2[t])", "next_value", "pass", {"terminal"}),
        (AFTER, "after * (1 - dones[t])", "pass", set()),
        (AFTER, "after * nonterminal", "pass", set()),
        (f"{AFTER}\n        if dones[t]:\n            after = 0", "after", "pass", set()),
        ("value = 0\n        if not dones[t]:\n            value = critic(s)", "value", "pass", set()),
        ("pass", "values[t + 1]", "while not done:\n        values.append(act())", set()),
        ("pass", "values[t + 1]", "for _ in range(9):\n        if done:\n            break", set()),
        ("pass", "carried", "pass", set()),
    ],
)
def test_advantages_that_run_over_an_end(after: str, factor: str, more: str, found: set[str], tmp_path: object) -> None:
    assert read(ADVANTAGES.format(after=after, factor=factor, more=more), "loss", tmp_path) == found

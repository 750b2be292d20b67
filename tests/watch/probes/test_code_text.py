"""The words of a source leave no reading out that would find something."""

import ast
import doctest
import re
from pathlib import Path

import pytest

from danlu.watch import probes
from danlu.watch.probes.code import _WHOLE  # pyright: ignore[reportPrivateUsage]
from danlu.watch.probes.code_distillation import may_distil
from danlu.watch.probes.code_latents import may_diverge
from danlu.watch.probes.code_metrics import may_count
from danlu.watch.probes.code_noise import may_draw
from danlu.watch.probes.code_pairs import may_deal
from danlu.watch.probes.code_sign import may_score
from danlu.watch.probes.code_statistics import may_normalise
from danlu.watch.probes.code_text import SourceText

PLAIN = """
def train(net, loader):
    for x, y in loader:
        optimizer.zero_grad()
        loss = cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
"""


@pytest.mark.parametrize(
    ("may", "source"),
    [
        (may_distil, "kl_div(log_softmax(s / T, 1), softmax(t, 1))"),
        (may_distil, "loss = (teacher(x).softmax(1) * student(x).log_softmax(1)).sum()"),
        (may_distil, "nn.KLDivLoss()((s / T).log_softmax(1), t.softmax(1))"),
        (may_diverge, "kl = -0.5 * (1 + v - m.pow(2) - v.exp()).sum()"),
        (may_diverge, "kl = 1 + v - m**2 - v.exp()"),
        (may_diverge, "kl_divergence(p, q)"),
        (may_count, "(logits.argmax(-1) == y).float().mean()"),
        (may_count, "(logits.max(1)[1] == y).sum() / y.numel()"),
        (may_draw, "F.mse_loss(net(x), torch.randn_like(x))"),
        (may_draw, "nn.MSELoss()(net(x), torch.randn(3))"),
        (may_draw, "(net(x) - torch.randn(3))**2"),
        (may_deal, "x, y = x[torch.randperm(9)], y[torch.randperm(9)]"),
        (may_deal, "rng.shuffle(x)"),
        (may_score, "dice_score(net(x), y).backward()"),
        (may_score, "(log_prob * rewards).mean().backward()"),
        (may_score, "F.cosine_similarity(a, b).mean().backward()"),
        (may_normalise, "x = (x - x.mean(0)) / x.std(0)"),
        (may_normalise, "scaler.fit(x)"),
    ],
)
def test_what_can_stand_in_a_source(may: object, source: str) -> None:
    assert callable(may)
    assert may(SourceText(source))
    assert not may(SourceText(PLAIN))


def test_words_and_comparisons() -> None:
    text = SourceText("def f(a) -> int:\n    return a << 2 if 'done' else a >> 1")
    assert not text.compares
    assert text.matches(re.compile("^don?e$"))
    assert not text.matches(re.compile("^don$"))
    for source in ("a > b", "a>=b", "a<b", "a <= b"):
        assert SourceText(source).compares


HERE, PROBES = Path(__file__).parent, Path(probes.__path__[0])


def corpus() -> list[str]:
    """Sources in which mistakes stand: the programs of tests/faults, and what the tests and examples of probes read."""
    files = sorted((HERE.parents[1] / "faults").rglob("*.py"))
    texts = {file.read_text(encoding="utf-8") for file in files}
    told = [
        ast.parse(file.read_text(encoding="utf-8")) for file in (*HERE.glob("test_code*.py"), *PROBES.glob("code*.py"))
    ]
    words = [
        one.value
        for tree in told
        for one in ast.walk(tree)
        if isinstance(one, ast.Constant) and isinstance(one.value, str)
    ]
    examples = [one.source for text in words if ">>>" in text for one in doctest.DocTestParser().get_examples(text)]
    inner = [ast.parse(one) for one in examples]
    words += [
        one.value
        for tree in inner
        for one in ast.walk(tree)
        if isinstance(one, ast.Constant) and isinstance(one.value, str)
    ]
    return sorted(texts | {text for text in words if "(" in text and is_source(text)})


def is_source(text: str) -> bool:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError):
        return False
    return True


@pytest.fixture(scope="module")
def sources() -> list[tuple[str, ast.Module]]:
    return [(text, ast.parse(text)) for text in corpus()]


@pytest.mark.every(4)
@pytest.mark.parametrize("kind", _WHOLE)
def test_no_reading_is_left_out(kind: str, sources: list[tuple[str, ast.Module]]) -> None:
    may, reading = _WHOLE[kind]
    found = [text for text, tree in sources if reading(tree, {}) is not None]
    assert found, "nothing shows it"
    assert [text[:80] for text in found if not may(SourceText(text))] == []

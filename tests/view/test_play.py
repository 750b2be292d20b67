"""What the playground says: plain sentences in both languages, and no help where nothing is proved."""

from typing import Any

import pytest

from danlu.base.words import speaking
from danlu.stats.members import Member
from danlu.view.play import change_told, move_text, scores_text

EFFECT: dict[str, Any] = {
    "metric": "accuracy", "mean": 0.1, "low": 0.08, "high": 0.12, "pairs": 32, "margin": 0.01, "diverged": [0, 0],
    "divergence": {"verdict": "none", "p": 1.0}, "left_out": 0, "verdict": "better", "score_verdict": "better",
    "reason": "", "more": None,
}  # fmt: skip
ANSWERS = {
    "better": ("Yes", "有用"),
    "worse": ("No", "没有用"),
    "no difference": ("No", "没有用"),
    "undecided": ("Not decided", "尚无定论"),
}


@pytest.mark.parametrize("verdict", ANSWERS)
def test_each_verdict_has_its_answer(verdict: str) -> None:
    effect = EFFECT | {"verdict": verdict, "score_verdict": verdict, "more": 9 if verdict == "undecided" else None}
    for words, beginning in zip(("en", "zh"), ANSWERS[verdict], strict=True):
        with speaking(words):
            told = move_text("x: 1 → 2", effect, 3, 180)
        assert told["answer"].startswith(beginning)
        assert "+0.1000" in told["numbers"]
        assert "+0.0800" in told["numbers"]
        assert "3" in told["note"]
        assert "180" in told["note"]


def test_a_change_names_what_differs_alone() -> None:
    before = {"shape": "xor", "lr": 0.03, "depth": 1, "activation": "relu"}
    after = {"shape": "xor", "lr": 0.1, "depth": 1, "activation": "tanh"}
    assert change_told(before, after) == "learning rate: 0.03 → 0.1, activation: relu → tanh"
    with speaking("zh"):
        assert change_told(before, after) == "学习率：0.03 → 0.1，激活函数：relu → tanh"


def test_what_diverged_is_told() -> None:
    sound = [Member({}, seed, 0, {"accuracy": 0.5, "loss": 1.0}, False, 40) for seed in range(3)]
    broken = [Member({}, seed, 0, {"loss": float("nan")}, True, 40) for seed in range(3, 5)]
    assert scores_text([*sound, *broken]).endswith("2 more diverged.")
    assert scores_text(broken) == "All 2 trainings diverged."


@pytest.mark.parametrize("verdict", ["better", "worse"])
def test_a_difference_too_small_to_count_is_told_as_such(verdict: str) -> None:
    sign = 1 if verdict == "better" else -1
    little = {"verdict": verdict, "score_verdict": verdict, "mean": sign * 0.004}
    assert "less than 0.01" in move_text("", EFFECT | little, 1, 180)["answer"]
    assert "less than" not in move_text("", EFFECT | little | {"mean": sign * 0.02}, 1, 180)["answer"]
    assert "less than" not in move_text("", EFFECT | little | {"score_verdict": "undecided"}, 1, 180)["answer"]

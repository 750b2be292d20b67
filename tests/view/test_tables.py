"""Tables in the terminal."""

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from danlu.base.words import use_language
from danlu.view.tables import print_data_list, print_facts, print_net_list, print_summary

RUN = {
    "run": "runs/[x]",
    "finished": True,
    "epochs": 2,
    "steps": 10,
    "seconds": 1.25,
    "loading_seconds": 0.25,
    "training_seconds": 1.0,
    "diverged": False,
    "diverged_since": None,
    "recipe": {"train": {"epochs": 2}},
    "scored": {"weights": "last", "epoch": 2, "best_epoch": 2, "metric": "accuracy", "last": 0.8, "best": 0.8},
    "score": {"train": {"loss": 0.5}, "validation": {"loss": 0.4, "accuracy": 0.8}, "test": {"loss": 0.41, "r2": 0.7}},
}


def printed(show: object, *arguments: object, width: int = 100) -> str:
    file = io.StringIO()
    show(Console(file=file, width=width, highlight=False), *arguments)  # type: ignore[operator]
    return file.getvalue()


def test_the_summary_tells_the_test_score_first_and_leaves_brackets_alone() -> None:
    lines = printed(print_summary, RUN).splitlines()
    assert lines[0].split() == ["test", "loss", "0.4100", "R²", "0.7000"]
    assert lines[1].split()[0] == "validation"
    assert "runs/[x]" in lines[-1]


def test_a_run_that_is_not_finished_says_how_to_go_on() -> None:
    text = printed(print_summary, RUN | {"finished": False, "score": {}})
    assert 'danlu resume "runs/[x]"' in text


def test_columns_are_aligned_in_both_languages() -> None:
    rows = [
        {"name": "mlp", "parameters": 7, "multiply_adds": 1_000_000},
        {"name": "softmax-regression", "parameters": 1_234_567, "multiply_adds": 1},
    ]
    for language in ("en", "zh"):
        use_language(language)
        head, first, second = printed(print_net_list, rows).splitlines()[:3]
        assert cell_len(head.rstrip()) == cell_len(first) == cell_len(second)
        assert first.endswith("1,000,000")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_facts_are_put_in_words(language: str) -> None:
    use_language(language)
    facts = {
        "name": "t",
        "task": "classification",
        "sizes": {"train": 1200, "validation": 0, "test": 30},
        "sample_shape": [1, 8, 8],
        "classes": {"yes": {"train": 3, "validation": 0, "test": 1}},
        "notes": ["a note"],
        "licence": None,
    }
    text = printed(print_facts, facts)
    assert "1×8×8" in text
    assert "1,200" in text
    assert "! a note" in text
    assert "None" not in text
    assert ("train" in text) == (language == "en")


def test_a_data_set_that_is_not_here_is_said_to_be_so() -> None:
    row = {"name": "mnist", "title": "MNIST", "licence": "x", "source": "y", "path": None, "bundled": False}
    assert "not here" in printed(print_data_list, [row])

"""What an exercise is: a small script with one fault, and by what it is known that the fault is gone."""

from dataclasses import dataclass

from danlu.base.words import say


@dataclass(frozen=True)
class Exercise:
    """`body` is the faulty code between `imports` and the last lines, with the functions build, train and predict; its
    `data` are one of those in samples.py. None of `rules` may be found by watch once it is mended, and the score on new
    samples must be at least `score`. Where `honest`, train returns the score that it expects on new samples, which may
    be off by so much."""

    id: str
    level: int
    data: str
    rules: tuple[str, ...]
    score: float
    body: str
    hints: int = 3
    honest: float | None = None
    pieces: int = 1  # predict is called on so many portions of the new samples, sorted by what they are

    @property
    def file(self) -> str:
        """What the script is called: nothing about its fault."""
        return f"exercise-{self.id}.py"


IMPORTS = """import torch
from sklearn import datasets
from torch import nn
"""

LOADING = {
    "digits": '''
def load():
    """{about}"""
    digits = datasets.load_digits()
    order = torch.randperm(len(digits.target))
    return torch.tensor(digits.data, dtype=torch.float32)[order] / 16, torch.tensor(digits.target)[order]
''',
    "wine": '''
def load():
    """{about}"""
    wine = datasets.load_wine()
    order = torch.randperm(len(wine.target))
    return torch.tensor(wine.data, dtype=torch.float32)[order], torch.tensor(wine.target)[order]
''',
    "diabetes": '''
def load():
    """{about}"""
    diabetes = datasets.load_diabetes()
    order = torch.randperm(len(diabetes.target))
    x, y = torch.tensor(diabetes.data, dtype=torch.float32), torch.tensor(diabetes.target, dtype=torch.float32)
    return ((x - x.mean(0)) / x.std(0))[order], ((y - y.mean()) / y.std())[order]
''',
    "noisy-digits": '''
def load():
    """{about}"""
    digits = datasets.load_digits()
    order = torch.randperm(len(digits.target))
    x, y = torch.tensor(digits.data, dtype=torch.float32)[order] / 16, torch.tensor(digits.target)[order]
    return x, torch.where(torch.rand(len(y)) < 0.3, torch.randint(0, 10, y.shape), y)
''',
    "rings": '''
def load():
    """{about}"""
    y = torch.arange(1200) % 2
    angle, radius = 6.2832 * torch.rand(1200), 1 + y + 0.2 * torch.randn(1200)
    return torch.stack([radius * angle.cos(), radius * angle.sin()], 1), y
''',
}

_CLASSES = """
    right = (predict(model, x[cut:]) == y[cut:]).float().mean()
    print(f"accuracy on new samples: {right:.3f}")
"""
_NUMBERS = """
    error = (predict(model, x[cut:]) - y[cut:]).square().mean()
    print(f"R² on new samples: {1 - error / y[cut:].var():.3f}")
"""
_MAIN = """
if __name__ == "__main__":
    torch.manual_seed(0)
    x, y = load()
    cut = len(x) * 4 // 5
    model = build()
    train(model, x[:cut], y[:cut])"""

NUMBERS = ("diabetes",)
"""Data with numbers to predict, scored by R²; all others by accuracy."""


def script(exercise: Exercise, head: str, body: str | None = None) -> str:
    """The whole script as a learner gets it, below the comment `head`; another `body` is one that was mended."""
    end = _NUMBERS if exercise.data in NUMBERS else _CLASSES
    own = exercise.body if body is None else body
    imports = (
        IMPORTS if "datasets." in LOADING[exercise.data] else IMPORTS.replace("from sklearn import datasets\n", "")
    )
    loading = LOADING[exercise.data].replace("{about}", say(f"exercise.data-{exercise.data}"))
    return f"{head}\n\n{imports}\n{loading}\n{own}\n{_MAIN}{end}"

"""Numbers of all samples by which a part that is held out was normalised."""

import ast
import textwrap

import pytest

from danlu.watch.probes.code_statistics import normalised_by_all, normalised_by_itself

PLAIN = "x = (x - {of}.mean(0)) / {of}.std(0)\n"
NAMED = "mean, std = {of}.mean(axis=0), {of}.std(axis=0)\nx = (x - mean) / (std + 1e-8)\n"
RANGE = "low, high = {of}.min(), {of}.max()\nx = (x - low) / (high - low)\n"
FITTED = "scaler = StandardScaler()\nscaler.fit({of})\nx = scaler.transform(x)\n"
SLICED = "train, test = x[:n], x[n:]\n"
SHUFFLED = "order = randperm(len(x))\ntr, te = order[:n], order[n:]\ntrain, test = x[tr], x[te]\n"
GIVEN = "train, test, ytr, yte = train_test_split(x, y, test_size=0.2)\n"
DEALT = "data = TensorDataset(x, y)\ntrain, test = random_split(data, [80, 20])\n"
CUT = "w = x.unfold(0, 9, 1)\ntrain, test = w[:-50], w[-50:]\n"


def found(source: str) -> int | None:
    return normalised_by_all(ast.parse(textwrap.dedent(source)))


@pytest.mark.parametrize("normalised", [PLAIN, NAMED, RANGE, FITTED])
@pytest.mark.parametrize("split", [SLICED, SHUFFLED, GIVEN, DEALT, CUT])
def test_all_samples_before_the_split(normalised: str, split: str) -> None:
    assert found(normalised.format(of="x") + split) is not None
    assert found(normalised.format(of="x[:n]") + split) is None
    assert found(normalised.format(of="x_train") + split) is None


@pytest.mark.parametrize(
    "source",
    [
        PLAIN.format(of="x"),  # nothing is held out
        "x = (x - x.mean(1, keepdim=True)) / x.std(1, keepdim=True)\n" + SLICED,  # each sample by itself
        "x = (x - x.mean(-1)) / x.std(-1)\n" + SLICED,
        "print(x.mean(0), x.std(0))\n" + SLICED,
        "x = x / 255\n" + SLICED,
        "y = (y - y.mean()) / y.std()\n" + GIVEN,
    ],
)
def test_nothing_of_all_samples(source: str) -> None:
    assert found(source) is None


def test_a_data_set_that_normalises_before_it_is_split() -> None:
    source = """
    class Pictures:
        def __init__(self, pictures):
            self.pictures = (pictures - pictures.mean()) / pictures.std()

    data = Pictures(raw)
    train, test = random_split(data, [80, 20])
    """
    assert found(source) == 4


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("x_test = (x_test - x_test.mean(0)) / x_test.std(0)", 1),
        ("mu, sigma = np.mean(test_x, 0), np.std(test_x, 0)", 1),
        ("train = scaler.fit_transform(train)\nX_val = scaler.fit_transform(X_val)", 2),
        ("x_test = scaler.transform(x_test)", None),
        ("score = y_test.mean() / y_test.std()", None),
        ("x_train = (x_train - x_train.mean(0)) / x_train.std(0)", None),
        ("best = test_losses.mean()", None),
    ],
)
def test_held_out_data_scaled_by_themselves(source: str, line: int | None) -> None:
    assert normalised_by_itself(ast.parse(source)) == line

"""One made-up run and one made-up study, told as their journals would tell them: what every picture is tested with.

All numbers are plain formulas, so that a test can say beforehand what a picture must hold.
"""

import base64
import io
import math
from collections.abc import Callable
from functools import partial
from typing import Any

from danlu.base.graphs import NetGraph
from danlu.base.records import Finding
from danlu.nets.graph import net_graph
from danlu.nets.mlp import MLP
from danlu.store.records import NetDrawn
from danlu.store.run_history import RunHistory
from danlu.store.study_history import StudyHistory
from danlu.view.figures.activation import activation_chart
from danlu.view.figures.chart import Chart
from danlu.view.figures.densities import densities_chart
from danlu.view.figures.pages import run_charts, study_charts
from danlu.view.figures.variance import variance_chart
from danlu.view.info.activation import ActivationCurve
from danlu.view.info.curves import MOST_POINTS
from danlu.view.info.densities import Amount, Densities, DensityCurve
from danlu.view.info.run import RunInfo, flat
from danlu.view.info.study import StudyInfo, study_info
from danlu.view.info.surface import Surface
from danlu.view.info.variance import LayerVariances

STEPS = 60
EPOCH = 20
SETTINGS = {"optim": {"lr": 0.1, "name": "sgd"}, "net": {"name": "mlp"}, "train": {"smoothing": 0.2}}


def loss(step: int) -> float:
    """A falling loss with a spike at step 30."""
    return 3.0 if step == 30 else math.exp(-step / 20) + 0.1


def steps_record(first: int, last: int, epoch: int) -> dict[str, Any]:
    steps = range(first, last + 1)
    return {
        "kind": "steps", "first": first, "epoch": epoch, "loss": [loss(step) for step in steps],
        "lr": 0.1 if epoch < 3 else 0.01, "norm": [1 / step for step in steps],
    }  # fmt: skip


def epoch_record(epoch: int) -> dict[str, Any]:
    return {
        "kind": "epoch", "epoch": epoch, "step": epoch * EPOCH, "seconds": 1.0, "best": epoch == 2,
        "train": {"loss": 1 / epoch, "accuracy": 1 - 0.3 / epoch},
        "validation": {"loss": 1.2 / epoch, "accuracy": 1 - 0.4 / epoch},
    }  # fmt: skip


def layers_record(step: int) -> dict[str, Any]:
    """A gradient that fades by a hundred from the last layer to the first."""
    names = {"names": ["first", "middle", "last"]} if step == 1 else {}
    return {
        "kind": "layers", "step": step, **names, "spread": [1.0, 0.5, None],
        "gradient": [0.01 / step, 0.1 / step, 1.0 / step], "update": [1e-5, 1e-4, "NaN"], "dead": [0.0, 0.25, None],
    }  # fmt: skip


def finding_record() -> dict[str, Any]:
    found = Finding(
        "vanishing-gradient", "error", ("first", "middle"), 20, {"ratio": 0.01}, "the gradient fades",
        "sigmoids in a row", ({"change": {"net.activation": "relu"}}, {"advice": "residual connections"}),
    )  # fmt: skip
    return {"kind": "finding", **vars(found)}


def png() -> str:
    """A picture of four pixels."""
    from PIL import Image

    file = io.BytesIO()
    image = Image.new("L", (2, 2))
    image.putdata([0, 85, 170, 255])
    image.save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def class_predictions() -> dict[str, Any]:
    return {
        "kind": "predictions", "part": "test", "samples": 20, "classes": ["cat", "dog"], "confusion": [[9, 1], [3, 7]],
        "calibration": {"confidence": [0.0, 3.0, 14.4], "right": [0, 2, 14], "samples": [0, 4, 16]},
        "worst": [
            {"actual": "dog", "predicted": "cat", "loss": 4.0, "confidence": 0.98, "png": png(), "text": "#3"},
            {"actual": "cat", "predicted": "dog", "loss": 2.0, "confidence": 0.86, "png": "", "text": "#7"},
        ],
    }  # fmt: skip


def number_predictions() -> dict[str, Any]:
    return {
        "kind": "predictions", "part": "test", "samples": 3,
        "residuals": {"predicted": [1.0, 2.0, 3.0], "actual": [1.5, 1.0, 3.0]},
        "worst": [{"actual": "1", "predicted": "2", "loss": 1.0, "confidence": None, "text": "#2"}],
    }  # fmt: skip


def time_records() -> list[dict[str, Any]]:
    """Two stretches of two seconds: half of it forward, a quarter backward; four cores in the second."""
    return [
        {
            "kind": "time", "step": 30 * n, "seconds": 2.0, "forward": 1.0, "backward": 0.5, "processor": 2.0 * n**2,
            "memory": n * 2**30,
        }
        for n in (1, 2)
    ]  # fmt: skip


def moment_records() -> list[dict[str, Any]]:
    """Of three samples one is always right, one is learnt in the second epoch, one is forgotten in the third."""
    answers = {1: [0, 0, 0], 2: [0, 1, 0], 3: [0, 1, 1]}
    likely = {1: [0.6, 0.3, 0.7], 2: [0.8, 0.6, 0.6], 3: [0.9, 0.8, 0.2]}
    grid = {"xs": [0.0, 1.0], "ys": [0.0, 1.0], "values": [[0.0, 1.0], [0.25, 0.75]]}
    return [
        {
            "kind": "followed", "samples": [2, 5, 7], "actual": [0, 1, 0], "classes": ["cat", "dog"],
            "inputs": [[0.1, 0.2], [0.9, 0.8], [0.3, 0.4]],
        },
        *(
            {
                "kind": "moment", "epoch": n, "step": n * EPOCH, "answers": answers[n], "likely": likely[n],
                "confusion": [[7 + n, 3 - n], [1, 9]], "filters": [png()] * 2, "layer": "conv", "boundary": grid,
            }
            for n in (1, 2, 3)
        ),
        {"kind": "pictured", "samples": [{"sample": n, "png": png(), "text": f"#{n + 1}"} for n in (2, 5, 7)]},
    ]  # fmt: skip


def number_moments() -> list[dict[str, Any]]:
    """Two samples of a regression: one comes closer, one not."""
    return [
        {"kind": "followed", "samples": [0, 1], "actual": [1.0, 2.0]},
        *({"kind": "moment", "epoch": n, "step": n * EPOCH, "answers": [1 + 1 / n, 4.0]} for n in (1, 2)),
    ]


def bowl() -> Surface:
    """loss = (w-1)² + 4·(b+1)² over a grid of 5 × 5, with a descent of three steps."""
    places = (-2.0, -1.0, 0.0, 1.0, 2.0)
    losses = tuple(tuple((w - 1) ** 2 + 4 * (b + 1) ** 2 for w in places) for b in places)
    path = ((-1.0, 1.0, 20.0), (0.0, 0.0, 5.0), (1.0, -0.5, 1.0))
    return Surface(places, places, losses, path=path, minimum=(1.0, -1.0, 0.0), exact=True)


def sample_net() -> NetGraph:
    return net_graph(MLP(inputs=4, outputs=2, hidden=[3]), (4,), name="mlp")


def run_records() -> list[dict[str, Any]]:
    """The journal of the run, with a stretch that a resume did over."""
    return [
        {"kind": "start", "version": 1},
        NetDrawn(graph=sample_net()).to_json(),
        layers_record(1), steps_record(1, 20, 1), epoch_record(1), finding_record(), layers_record(20),
        steps_record(21, 30, 2), {"kind": "resume", "step": 20}, steps_record(21, 40, 2), epoch_record(2),
        {"kind": "checkpoint", "step": 40}, layers_record(40), steps_record(41, 60, 3), epoch_record(3),
        class_predictions(), bowl().record().to_json(),
        {"kind": "end", "seconds": 3.0, "score": {"test": {"loss": 0.5, "accuracy": 0.8}}},
    ]  # fmt: skip


def sample_run(*more: dict[str, Any], name: str = "mlp-cats") -> RunInfo:
    """The run; `more` records come after those of its journal."""
    history = RunHistory.of([*run_records(), *more])
    recipe = '[net]\nname = "mlp"\n'
    return RunInfo(name, "finished", history, recipe, flat(SETTINGS), {"python": "3.11", "torch": "2.13"}, "runs/cats")


def member(activation: str, rate: float, seed: int, fold: int) -> dict[str, Any]:
    """relu is better by a tenth; a rate of 10 diverges."""
    accuracy = 0.7 + 0.1 * (activation == "relu") + 0.01 * seed + 0.02 * fold - 0.05 * (rate == 0.01)
    return {
        "kind": "member", "factors": {"net.activation": activation, "optim.lr": rate}, "seed": seed, "fold": fold,
        "score": {"loss": 1 - accuracy, "accuracy": accuracy}, "diverged": rate == 10.0, "samples": 2000,
    }  # fmt: skip


def sample_study() -> StudyInfo:
    """Two activations, three rates, three seeds, two folds."""
    activations, rates = ["sigmoid", "relu"], [0.01, 0.1, 10.0]
    factors = {"net.activation": activations, "optim.lr": rates}
    design = {"factors": factors, "seeds": [0, 1, 2], "folds": 2, "metric": "accuracy", "margin": 0.01}
    members = [
        member(activation, rate, seed, fold)
        for activation in activations
        for rate in rates
        for seed in range(3)
        for fold in range(2)
    ]
    combinations = [{"net.activation": activation, "optim.lr": rate} for activation in activations for rate in rates]
    trainings = [[number, seed, fold] for number in range(6) for seed in range(3) for fold in range(2)]
    losses = [[(2 + 0.1 * (at % 6)) / epoch * (1 + at // 6) for at in range(36)] for epoch in (1, 2, 3)]
    curves = [
        {"kind": "stack", "stack": "a", "combinations": combinations, "members": trainings},
        {"kind": "member-epochs", "stack": "a", "epochs": [1, 2, 3], "train": losses, "validation": {"loss": losses}},
    ]
    best = {
        "kind": "best", "factors": {"net.activation": "relu", "optim.lr": 0.1}, "run": "best",
        "validation": {"loss": 0.2, "accuracy": 0.83},
    }  # fmt: skip
    records = [{"kind": "begin", "members": 36}, *curves, *members, {"kind": "done", "seconds": 12.5}, best]
    return study_info(
        "activations", design, StudyHistory.of(records), recipe='[net]\nactivation = "relu"\n', where="studies/a"
    )


def chart_of_run(kind: str, *more: dict[str, Any]) -> Chart:
    """The first chart of that kind in the run's report."""
    return next(chart for chart in run_charts(sample_run(*more), MOST_POINTS) if chart.kind == kind)


def chart_of_study(kind: str) -> Chart:
    return next(chart for chart in study_charts(sample_study()) if chart.kind == kind)


def sample_activation() -> ActivationCurve:
    """The square, whose slope is 0 in the middle."""
    xs = tuple(at / 10 for at in range(-10, 11))
    return ActivationCurve("square", xs, tuple(x * x for x in xs), tuple(2 * x for x in xs))


def sample_densities() -> Densities:
    """A triangle and a rectangle; the second is of samples."""
    first = DensityCurve("triangle", (-1.0, 0.0, 1.0), (0.0, 1.0, 0.0))
    other = DensityCurve("x[9]", (-1.0, 0.0, 1.0), (0.5, 0.5, 0.5), source="samples", samples=9, bandwidth=0.5)
    return Densities((first, other), {"H(P)": Amount(0.5), "H(P, Q)": Amount(0.6931, 0.01), "KL(P‖Q)": Amount(0.1931)})


def sample_variances() -> LayerVariances:
    return LayerVariances("net", ("first", "second", "third"), (0.5, 0.05, 0.005), 64, "normal", 1.0)


CHARTS: dict[str, Callable[[], Chart]] = {
    "activation": lambda: activation_chart(sample_activation()),
    "distribution": lambda: densities_chart(sample_densities()),
    "variance": lambda: variance_chart(sample_variances()),
    **{
        kind: partial(chart_of_run, kind)
        for kind in ("curves", "flow", "surface", "contour", "confusion", "calibration", "worst")
    },
    "residuals": lambda: chart_of_run("residuals", number_predictions()),
    "samples": lambda: chart_of_run("samples", *moment_records()),
    "time": lambda: chart_of_run("time", *time_records()),
    **{kind: partial(chart_of_study, kind) for kind in ("forest", "sweep", "slopes", "folds")},
}
"""Every kind of chart."""

"""Start the LSTM's forget-gate bias at 1 or more: on the recall task, whose gap is what has to be remembered
over, on the adding problem, and on The Time Machine."""

from danlu.claims.claim import Published
from danlu.claims.effect import EffectClaim
from danlu.claims.memory import memory_tasks
from danlu.claims.recall import VOCABULARY, recall
from danlu.data import Dataset

RATES = (0.003, 0.01, 0.03)


def recall_task(place: str) -> Dataset:
    """Sequences with the gap that the place names."""
    return recall(int(place.removeprefix("recall ")), 400)


FORGET_BIAS_ONE = EffectClaim(
    "forget-bias-one",
    factor="net.forget_bias",
    levels={f"bias {bias}": {"net.forget_bias": float(bias)} for bias in (0, 1, 2)},
    net="sequence-classifier",
    data=recall_task,
    settings={
        "net.vocabulary": VOCABULARY, "net.hidden": 24, "net.embedding": 12, "optim.name": "adam",
        "train.batch_size": 32, "train.epochs": 12, "train.clip_norm": 1.0,
    },
    margin=0.05,
    condition="task",
    places={"recall 10": {}, "recall 20": {}},
    tasks=memory_tasks("lstm", {"optim.name": "adam", "train.clip_norm": 1.0}, rates=RATES, text_rates=RATES),
    rates=RATES,
    seeds=8,
    published=(
        Published(
            "Jozefowicz, Zaremba, Sutskever 2015, https://proceedings.mlr.press/v37/jozefowicz15.html",
            "agrees with the claim",
        ),
    ),
    refuses=("data", "target", "net"),
)  # fmt: skip

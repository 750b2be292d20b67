"""In a recurrent net put dropout between input, layers and output, not inside the recurrence: an LSTM on the recall
task, whose state has to survive the gap, on the adding problem, and on The Time Machine."""

from danlu.claims.claim import Published
from danlu.claims.effect import EffectClaim
from danlu.claims.memory import memory_tasks
from danlu.claims.recall import VOCABULARY, recall
from danlu.data import Dataset

RATES = (0.003, 0.01, 0.03)


def recall_task(place: str) -> Dataset:
    """Sequences with the gap that the place names."""
    return recall(int(place.removeprefix("recall ")), 300)


DROPOUT_PLACEMENT_IN_RNNS = EffectClaim(
    "dropout-placement-in-rnns",
    factor="net.dropout_placement",
    levels={
        "inside": {"net.dropout": 0.3, "net.dropout_placement": "inside"},
        "around": {"net.dropout": 0.3, "net.dropout_placement": "around"},
        "no dropout": {"net.dropout": 0.0},
    },
    net="sequence-classifier",
    data=recall_task,
    settings={
        "net.vocabulary": VOCABULARY, "net.hidden": 24, "net.embedding": 12, "optim.name": "adam",
        "train.batch_size": 32, "train.epochs": 15, "train.clip_norm": 1.0,
    },
    margin=0.05,
    condition="task",
    places={"recall 5": {}, "recall 20": {}},
    tasks=memory_tasks("lstm", {"optim.name": "adam", "train.clip_norm": 1.0}, rates=RATES, text_rates=RATES),
    rates=RATES,
    seeds=8,
    published=(
        Published("Zaremba, Sutskever, Vinyals 2014, https://arxiv.org/abs/1409.2329", "agrees with the claim"),
    ),
    refuses=("data", "target", "net"),
)  # fmt: skip

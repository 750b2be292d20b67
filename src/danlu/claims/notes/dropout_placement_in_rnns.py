"""In a recurrent net put dropout between input, layers and output, not inside the recurrence: an LSTM on the recall
task, whose state has to survive the gap."""

from danlu.claims.claim import Published
from danlu.claims.effect import EffectClaim
from danlu.claims.recall import VOCABULARY, recall
from danlu.data import Dataset


def recall_task(gap: str) -> Dataset:
    """Sequences with this gap."""
    return recall(int(gap), 300)


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
    condition="distance",
    places={"5": {}, "20": {}},
    rates=(0.003, 0.01, 0.03),
    seeds=10,
    published=(
        Published("Zaremba, Sutskever, Vinyals 2014, https://arxiv.org/abs/1409.2329", "agrees with the claim"),
    ),
    refuses=("data", "target", "net"),
)  # fmt: skip

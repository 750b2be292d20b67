"""Clip the gradient's norm at 5, 10 or 15 in a recurrent net over long sequences: a plain tanh RNN on the recall task,
trained by SGD, whose gradients are products over all steps of the sequence."""

from danlu.claims.effect import EffectClaim
from danlu.claims.recall import VOCABULARY, recall
from danlu.data import Dataset


def recall_task(gap: str) -> Dataset:
    """Sequences with this gap."""
    return recall(int(gap), 400)


CLIPPING_STEADIES_RNNS = EffectClaim(
    "clipping-steadies-rnns",
    factor="train.clip_norm",
    levels={"no clipping": {}, **{f"clip {norm}": {"train.clip_norm": float(norm)} for norm in (5, 10, 15)}},
    net="sequence-classifier",
    data=recall_task,
    settings={
        "net.vocabulary": VOCABULARY, "net.cell": "rnn", "net.hidden": 32, "net.embedding": 12,
        "optim.momentum": 0.9, "train.batch_size": 32, "train.epochs": 12,
    },
    margin=0.05,
    condition="distance",
    places={"5": {}, "10": {}},
    rates=(0.01, 0.03, 0.1),
    seeds=8,
    refuses=("data", "target", "net"),
)  # fmt: skip

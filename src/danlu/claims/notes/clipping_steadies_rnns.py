"""Clip the gradient's norm at 5, 10 or 15 in a recurrent net over long sequences: a plain tanh RNN, trained by SGD,
whose gradients are products over all steps of the sequence: on the recall task, the adding problem, The Time Machine.
"""

from danlu.claims.effect import EffectClaim
from danlu.claims.memory import memory_tasks
from danlu.claims.recall import VOCABULARY, recall
from danlu.data import Dataset

RATES = (0.01, 0.03, 0.1)


def recall_task(place: str) -> Dataset:
    """Sequences with the gap that the place names."""
    return recall(int(place.removeprefix("recall ")), 400)


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
    condition="task",
    places={"recall 5": {}, "recall 10": {}},
    tasks=memory_tasks("rnn", {"optim.momentum": 0.9}, rates=RATES, text_rates=(0.03, 0.1, 0.3)),
    rates=RATES,
    seeds=8,
    refuses=("data", "target", "net"),
)  # fmt: skip

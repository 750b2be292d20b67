"""Shuffle the data: a new order for every epoch, against digits that come sorted by class in every epoch."""

from danlu.claims.effect import EffectClaim
from danlu.data import Dataset, load
from danlu.data.memory import MemoryDataset


def sorted_digits(place: str) -> Dataset:
    """The digits, those to train on sorted by class, at every place alike.

    >>> sorted_digits("2").y[:3]
    tensor([0, 0, 0])
    """
    data = load("digits")
    assert isinstance(data, MemoryDataset)
    parts, first = {}, 0
    for part, count in data.sizes.items():
        x, y = data.x[first : first + count].numpy(), data.y[first : first + count].numpy()
        rows = y.argsort(kind="stable") if part == "train" else slice(None)
        parts[part] = (x[rows], y[rows])
        first += count
    return load(parts)


SHUFFLING_HELPS = EffectClaim(
    "shuffling-helps",
    factor="data.shuffle",
    levels={"shuffled": {"data.shuffle": True}, "sorted by class": {"data.shuffle": False}},
    data=sorted_digits,
    settings={"train.batch_size": 32},
    expected="less",
    condition="train.epochs",
    places={str(epochs): {"train.epochs": epochs} for epochs in (2, 10, 40)},
    rates=(0.003, 0.01, 0.03, 0.1, 0.3),
    refuses=("data", "target"),
)

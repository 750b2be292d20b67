"""Start the batch size at about 128; bigger is not always better: the test score after equally many epochs, with each
size's own best learning rate, and with the rate that is best for 128."""

from danlu.claims.claim import Published
from danlu.claims.effect import EffectClaim

BATCH_SIZE_128 = EffectClaim(
    "batch-size-128",
    factor="train.batch_size",
    levels={f"batch {size}": {"train.batch_size": size} for size in (128, 16, 512)},
    settings={"net.hidden": 64, "train.epochs": 20},
    expected="less",
    condition="rate",
    places={"its own": {}, "that of 128": {}},
    keeps_rate=("that of 128",),
    rates=(0.01, 0.03, 0.1, 0.3),
    published=(
        Published("Shallue et al. 2018, https://arxiv.org/abs/1811.03600", "finds no difference"),
    ),
)  # fmt: skip

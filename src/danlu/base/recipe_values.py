"""The kinds of values that keys of a recipe take, with their bounds."""

from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, Lt

MOST = 10**9
"""What no count of a recipe is above: it stands for a slip of the pen, and would only end in a full memory."""
MOST_EPOCHS = 10**7
MOST_STEPS = 10**9

Count = Annotated[int, Ge(1), Le(MOST)]
Epochs = Annotated[int, Ge(1), Le(MOST_EPOCHS)]
Several = Annotated[int, Ge(0), Le(MOST)]
Positive = Annotated[float, Gt(0)]
# Of what goes into torch's single precision as it is.
Float32 = Annotated[float, Gt(0), Le(3e38)]
NotNegative = Annotated[float, Ge(0)]
Fraction = Annotated[float, Ge(0), Lt(1)]
LearnedTask = Literal[
    "auto", "classification", "regression", "multi-label", "segmentation", "tagging", "translation", "reconstruction"
]
ColumnType = Literal["category", "number", "text", "date"]
Seed = Annotated[int, Ge(0), Le(2**63 - 1)]

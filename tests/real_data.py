"""Where the real data sets and the cases lie: $DANLU_TEST_DATA, else shared/data beside the checkout."""

import os
from pathlib import Path

DATA_VARIABLE = "DANLU_TEST_DATA"


def real_data() -> Path:
    """The folder with the real data sets, whether or not it exists."""
    named = os.environ.get(DATA_VARIABLE)
    return Path(named) if named else Path(__file__).parents[2] / "shared" / "data"


def failing_cases() -> Path:
    """The folder `cases` beside the real data, whether or not it exists."""
    return real_data().parent / "cases"

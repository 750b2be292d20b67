"""Where the real data sets lie: $DANLU_TEST_DATA, else shared/data beside the checkout."""

import os
from pathlib import Path

DATA_VARIABLE = "DANLU_TEST_DATA"


def real_data() -> Path:
    """The folder with the real data sets, whether or not it exists."""
    named = os.environ.get(DATA_VARIABLE)
    return Path(named) if named else Path(__file__).parents[2] / "shared" / "data"

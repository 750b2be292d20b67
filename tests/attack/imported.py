"""All that attacks need, imported: once, in the process from which attackers are forked, and they their children.

polars is imported and not used: its threads would not be there in a fork.
"""

import importlib
import pkgutil

import danlu
from attack.carried_out import KINDS

PARTS = (
    "matplotlib.backends.backend_agg",
    "matplotlib.figure",
    "optuna",
    "PIL.Image",
    "polars",
    "pydantic",
    "safetensors.torch",
    "sklearn.datasets",
    "tomli_w",
)


def import_all() -> None:
    """What children would else import, one after another, for seconds each."""
    own = (module.name for module in pkgutil.walk_packages(danlu.__path__, "danlu."))
    for name in (*PARTS, *KINDS.values(), *own):
        if not name.endswith("__main__"):
            importlib.import_module(name)


import_all()

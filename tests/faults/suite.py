"""All programs of the suite, by name."""

import importlib
import pkgutil

from faults import healthy, planted
from faults.program import HEALTHY, PLANTED

for package in (healthy, planted):
    for family in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"{package.__name__}.{family.name}")

__all__ = ["HEALTHY", "PLANTED"]

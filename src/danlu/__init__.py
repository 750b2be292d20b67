"""danlu (丹炉): train a network, see what is wrong while it trains, and prove whether the cure works."""

import danlu.base.starting  # noqa: F401  # pyright: ignore[reportUnusedImport]  (before torch)
from danlu import nets, stats
from danlu.base.errors import DanluError, DataWarning, StorageError, UserError
from danlu.base.memory import OutOfMemoryError
from danlu.base.recipe import Recipe
from danlu.base.words import use_language
from danlu.data import Dataset, load
from danlu.lab.check.check import check
from danlu.lab.check.outcome import Check
from danlu.lab.cure.cure import cure
from danlu.lab.cure.proof import Proof
from danlu.lab.draw import draw, draw_expression
from danlu.lab.fit import fit
from danlu.lab.interrupt import Interrupted
from danlu.lab.landscape.landscape import Landscape, landscape
from danlu.lab.resume import resume
from danlu.lab.run import Run
from danlu.lab.search.lr_find import lr_find
from danlu.lab.search.rate_test import RateTest
from danlu.lab.search.result import Search
from danlu.lab.search.search import search
from danlu.lab.study.compare import compare
from danlu.lab.study.study import Study
from danlu.nets import describe
from danlu.serve import view
from danlu.watch import Watch, watch

__version__ = "0.1.0"

__all__ = [
    "Check",
    "DanluError",
    "DataWarning",
    "Dataset",
    "Interrupted",
    "Landscape",
    "OutOfMemoryError",
    "Proof",
    "RateTest",
    "Recipe",
    "Run",
    "Search",
    "StorageError",
    "Study",
    "UserError",
    "Watch",
    "check",
    "compare",
    "cure",
    "describe",
    "draw",
    "draw_expression",
    "fit",
    "landscape",
    "load",
    "lr_find",
    "nets",
    "resume",
    "search",
    "stats",
    "use_language",
    "view",
    "watch",
]

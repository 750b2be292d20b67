"""All rules: every module of `rules/` that holds a RULE is one, with no list to be kept."""

import functools
import pkgutil

from danlu.watch import rules
from danlu.watch.contract import Rule


@functools.cache
def rulebook() -> tuple[Rule, ...]:
    """The rules, by name of their files.

    >>> "lr-too-high" in {rule.id for rule in rulebook()}
    True
    """
    names = sorted(module.name for module in pkgutil.iter_modules(rules.__path__))
    return tuple(pkgutil.resolve_name(f"{rules.__name__}.{name}:RULE") for name in names)

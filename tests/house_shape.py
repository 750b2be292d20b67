"""Rules of the house that show only over all files at once: no knots at any depth, one meaning a class name."""

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator

from house_sources import Module

Place = tuple[str, ...]  # of a module: the parts of its dotted name under danlu


def no_knots_at_any_depth(modules: Iterable[Module]) -> Iterator[str]:
    """What stands beside each other in a folder, files and folders alike, imports each other one way only."""
    found = list(modules)
    places = {place_of(module) for module in found}
    offers = {place_of(module): _offered(module) for module in found if module.path.name == "__init__.pyi"}
    folders: defaultdict[Place, defaultdict[str, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
    for module in found:
        here = place_of(module)
        if module.path.stem == "__init__":
            continue
        for target in sorted(_taken(module, places, offers)):
            shared = _shared(here, target)
            if len(shared) < min(len(here), len(target)):
                folders[shared][here[len(shared)]].setdefault(target[len(shared)], module.path.as_posix())
            elif len(shared) == len(target) < len(here) and target not in offers:
                yield f"{module.path.as_posix()} imports the package that it stands in, {'.'.join(target)}"
    for folder, edges in sorted(folders.items()):
        for ring in _rings(edges):
            steps = [f"{one} ({edges[one][other]})" for one, other in zip(ring, [*ring[1:], ring[0]], strict=True)]
            yield f"{'/'.join(folder) or 'danlu'}: {' → '.join([*steps, ring[0]])}"


def place_of(module: Module) -> Place:
    """A package's place is its folder's.

    >>> from pathlib import Path
    >>> place_of(Module(Path("data/__init__.py"), "")), place_of(Module(Path("data/load.py"), ""))
    (('data',), ('data', 'load'))
    """
    parts = module.path.with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


def _offered(stub: Module) -> dict[str, Place]:
    """What a package offers, and the module that each comes from."""
    return {
        name.asname or name.name: tuple((node.module or "").split(".")[1:])
        for node in ast.parse(stub.text).body
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    }


def _taken(module: Module, places: set[Place], offers: dict[Place, dict[str, Place]]) -> Iterator[Place]:
    """The modules that a file takes something from, through whatever package that offers it."""
    for _, name in module.mentions:
        first, *rest = name.split(".")
        if first != "danlu":
            continue
        place = tuple(rest)
        while place and place not in places:
            place = place[:-1]
        behind = rest[len(place) : len(place) + 1]
        if behind and behind[0] in offers.get(place, {}):
            place = offers[place][behind[0]]
        if place in places:
            yield place


def _shared(one: Place, other: Place) -> Place:
    count = 0
    while count < min(len(one), len(other)) and one[count] == other[count]:
        count += 1
    return one[:count]


def _rings(edges: defaultdict[str, dict[str, str]]) -> Iterator[list[str]]:
    """A ring for each knot, one after the other."""
    left = _without_ends({one: set(others) for one, others in edges.items()})
    while left:
        trail = [min(left)]
        while (after := min(left[trail[-1]] & left.keys())) not in trail:
            trail.append(after)
        ring = trail[trail.index(after) :]
        yield ring
        left = _without_ends({one: others for one, others in left.items() if one not in ring})


def _without_ends(edges: dict[str, set[str]]) -> dict[str, set[str]]:
    """Without what imports nothing of what is left, again and again: what stays is in a ring, or leads to one."""
    while ends := {one for one, others in edges.items() if not others & edges.keys()}:
        edges = {one: others for one, others in edges.items() if one not in ends}
    return edges


def class_names_mean_one_thing(modules: Iterable[Module]) -> Iterator[str]:
    """No two public classes of one name, so that a name in a message or a search leads to one place."""
    homes: defaultdict[str, list[str]] = defaultdict(list)
    for module in modules:
        if module.path.suffix == ".py":
            for name in module.classes:
                if not name.startswith("_"):
                    homes[name].append(module.path.as_posix())
    for name, places in sorted(homes.items()):
        if len(places) > 1:
            yield f"{name} stands in {' and '.join(places)}"

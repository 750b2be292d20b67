"""How sentences name some of many things."""

import ast
from collections.abc import Iterator

from house_sources import Module


def lists_are_cut_in_one_place(module: Module) -> Iterator[str]:
    """What a sentence names of many is cut by `listed`, which marks that it is."""
    if module.path.as_posix() in ("base/naming.py", "base/finding_text.py"):  # the latter says how many more there are
        return
    for node in module.nodes:
        match node:
            case ast.Call(func=ast.Attribute(ast.Constant(", "), "join"), args=[taken]):
                cut = [one for one in ast.walk(taken) if isinstance(one, ast.Slice) and one.upper and not one.lower]
                if cut:
                    yield module.at(node, "cuts a list without a mark; listed of base/naming.py sets one")
            case _:
                pass

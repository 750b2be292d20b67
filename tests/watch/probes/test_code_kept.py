"""Results that are gathered batch by batch, and looked up by the number of a batch."""

import ast

import pytest
from torch.utils.data import DataLoader

from danlu.watch.probes.code_kept import kept_by_place

USE = "for i, (x, y) in enumerate({loader}):\n loss = kd(net(x), kept[{place}])"
LISTED = "kept = [teacher(x) for x, _ in train]\n"
LOOPED = "kept = []\nfor x, _ in train:\n kept.append(teacher(x))\n"
CALLED = "def ask(net, loader):\n return [net(x) for x, _ in loader]\nkept = ask(teacher, train)\n"


@pytest.mark.parametrize("made", [LISTED, LOOPED, CALLED])
@pytest.mark.parametrize(
    ("loader", "place", "shuffle", "found"),
    [
        ("train", "i", True, True),
        ("train", "i", False, False),  # every pass in the same order
        ("train", "y", True, False),  # by the sample's own number
        ("other", "i", True, False),
    ],
)
def test_a_loader_that_shuffles_gives_other_samples(
    made: str, loader: str, place: str, shuffle: bool, found: bool
) -> None:
    train = DataLoader(range(9), shuffle=shuffle)  # type: ignore[arg-type]
    tree = ast.parse(made + USE.format(loader=loader, place=place))
    line = kept_by_place(tree, {"train": train, "other": train})
    assert line == (len(made.splitlines()) + 2 if found else None)

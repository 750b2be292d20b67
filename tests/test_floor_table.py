"""The table of floors in CONTRIBUTING.md is the one that the house test enforces."""

import re
from pathlib import Path

import house

ROOT = Path(__file__).parents[1]
BUILT = {folder.name for folder in (ROOT / "src" / "danlu").iterdir() if any(folder.glob("*.py"))}


def rows() -> dict[str, tuple[int, str]]:
    """Floor and the words on imports, by folder, as CONTRIBUTING.md has them."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    found = re.findall(r"(?m)^\| (\d) \| `(\w+)/` \| [^|]+ \| ([^|]+) \|$", text)
    return {folder: (int(floor), imports) for floor, folder, imports in found}


def imports(words: str) -> set[str]:
    """The folders that the words name."""
    if words == "everything":
        return house.EVERYTHING - {""}
    named = set(re.findall(r"\w+", words.replace("all of floor 1", " ").replace("nothing of ours", "")))
    return named | (house.FLOOR_1 if "all of floor 1" in words else set())


def test_every_folder_has_its_row() -> None:
    assert rows().keys() == BUILT


def test_each_row_says_what_the_house_allows() -> None:
    said = {folder: imports(words) for folder, (_, words) in rows().items()}
    assert said == {folder: house.MAY_IMPORT[folder] - {""} for folder in BUILT}


def test_imports_go_down() -> None:
    floors = {folder: floor for folder, (floor, _) in rows().items()}
    assert {folder for folder, floor in floors.items() if floor == 1} == house.FLOOR_1
    for folder, floor in floors.items():
        allowed = house.MAY_IMPORT[folder] & floors.keys()
        assert all(floors[other] < floor for other in allowed - {folder}), folder


def test_what_is_to_come_is_named() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    sentence = re.search(r"Folders to come: [^.]*\.", text)
    to_come = house.MAY_IMPORT.keys() - BUILT - {""}
    assert set(re.findall(r"`(\w+)/`", sentence.group() if sentence else "")) == to_come

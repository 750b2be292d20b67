"""Pictures in tar archives: what is read, what is told, and what is refused, in both languages."""

import io
import json
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from PIL import Image

import danlu
from danlu.base.errors import UserError
from danlu.base.words import speaking
from danlu.data import load
from danlu.data.folder import load as folder_load
from danlu.data.stream import StreamDataset
from shards import CLASSES, add, picture, write_shards

CPU = torch.device("cpu")


def archive(path: Path, files: Mapping[str, bytes]) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, content in files.items():
            add(tar, name, content)
    return path


def whole(count: int = 30, **others: bytes) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for n in range(count):
        files[f"{n:04}.png"], files[f"{n:04}.cls"] = picture(n), str(n % 3).encode()
    return {**files, **others}


def batches(data: danlu.Dataset, **how: Any) -> list[Any]:
    return list(data.batches("train", 7, device=CPU, **how))


def test_archives_are_the_folders_that_hold_the_same(tmp_path: Path) -> None:
    write_shards(tmp_path / "shards", archives=3)
    for n in range(60):
        (tmp_path / "folders" / CLASSES[n % 3]).mkdir(parents=True, exist_ok=True)
        (tmp_path / "folders" / CLASSES[n % 3] / f"{n:04}.png").write_bytes(picture(n))
    packed, loose = load(tmp_path / "shards"), load(tmp_path / "folders")
    assert (packed.sizes, packed.classes, packed.sample_shape) == (loose.sizes, loose.classes, loose.sample_shape)
    assert packed.notes[0].id == "shards.read"
    by_pattern = load(str(tmp_path / "shards" / "*.tar"))
    assert by_pattern.fingerprint() == packed.fingerprint()
    one = load(tmp_path / "shards" / "shard-000000.tar")
    assert sum(one.sizes.values()) == 20


def test_a_stream_gives_the_order_of_what_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_shards(tmp_path, archives=2)
    held = load(tmp_path, standardise=False)
    for left in (tmp_path.parent / "cache").glob("*"):
        left.unlink()
    monkeypatch.setattr(folder_load, "HELD_BYTES", 0)
    monkeypatch.setattr(folder_load, "recall", lambda place: None)
    streamed = load(tmp_path, standardise=False)
    assert isinstance(streamed, StreamDataset)
    for epoch, start in ((0, 0), (3, 0), (3, 4)):
        how = {"shuffle": True, "seed": 5, "epoch": epoch, "start": start}
        for one, other in zip(batches(held, **how), batches(streamed, **how), strict=True):
            assert torch.equal(one[0], other[0]) and torch.equal(one[1], other[1])


@pytest.mark.parametrize("kind", ["cls", "txt", "json", "json-text"])
def test_the_class_of_a_picture(tmp_path: Path, kind: str) -> None:
    spelled: dict[str, Callable[[str], str]] = {
        "json": lambda name: json.dumps({"label": name, "source": "camera"}),
        "json-text": json.dumps,
    }
    files: dict[str, bytes] = {}
    for n in range(30):
        files[f"{n}.jpg"] = picture(n, "JPEG")
        files[f"{n}.{kind.partition('-')[0]}"] = spelled.get(kind, "{}\n".format)(CLASSES[n % 3]).encode()
    assert load(archive(tmp_path / "a.tar", files)).classes == tuple(sorted(CLASSES))


def test_a_class_goes_before_a_description(tmp_path: Path) -> None:
    files = {**whole(), **{f"{n:04}.txt": f"picture number {n}".encode() for n in range(30)}, "readme.md": b"hello"}
    data = load(archive(tmp_path / "a.tar", files))
    assert data.classes == ("0", "1", "2")
    told = next(note for note in data.notes if note.id == "shards.others")
    assert told.values["endings"] == ".txt × 30, .md × 1"


@pytest.mark.parametrize("layout", ["folders", "names", "given"])
def test_parts_of_their_own(tmp_path: Path, layout: str) -> None:
    places = {"train": "train/a.tar", "validation": "val/b.tar", "test": "test/c.tar"}
    if layout == "names":
        places = {"train": "train-000.tar", "validation": "val-000.tar", "test": "test_000.tar"}
    for n, place in enumerate(places.values()):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        archive(tmp_path / place, whole(30 - 9 * n))
    source = {part: str(tmp_path / place) for part, place in places.items()} if layout == "given" else tmp_path
    assert load(source).sizes == {"train": 30, "validation": 21, "test": 12}


def test_links_are_told_and_never_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(picture(1))
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for name, content in whole().items():
            add(tar, name, content)
        link = tarfile.TarInfo("9999.png")
        link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path / "secret.png")
        tar.addfile(link)
        add(tar, "../../outside.png", picture(2))
        add(tar, "../../outside.cls", b"1")
    data = load(tmp_path / "a.tar")
    assert sum(data.sizes.values()) == 31
    assert next(note for note in data.notes if note.id == "shards.links").values["count"] == 1
    assert not (tmp_path.parent.parent / "outside.png").exists()


def _damaged_header(path: Path) -> None:
    content = bytearray(archive(path, whole()).read_bytes())
    with tarfile.open(path) as tar:
        at = tar.getmembers()[20].offset
    content[at : at + 100] = b"\xff" * 100
    path.write_bytes(content)


def _cut(path: Path) -> None:
    content = archive(path, whole()).read_bytes()
    with tarfile.open(path) as tar:
        path.write_bytes(content[: tar.getmembers()[20].offset_data + 5])


def _without_end(path: Path) -> None:
    archive(path, whole())
    with tarfile.open(path) as tar:
        at = tar.getmembers()[-1].offset
    path.write_bytes(path.read_bytes()[:at])


def _packed(path: Path) -> None:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in whole().items():
            add(tar, name, content)


def _twice(path: Path) -> None:
    with tarfile.open(path, "w") as tar:
        for name, content in [*whole().items(), ("0001.cls", b"2")]:
            add(tar, name, content)


def _more_behind(path: Path) -> None:
    content = archive(path, whole()).read_bytes()
    path.write_bytes(content + content)


def _of(**changed: bytes | None) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        files = {**whole(), **{name.replace("_", "."): content for name, content in changed.items()}}
        archive(path, {name.lstrip("n"): content for name, content in files.items() if content is not None})

    return write


SPOILT: dict[str, tuple[str, Callable[[Path], None], str]] = {
    "a damaged header": ("a.tar", _damaged_header, "shards.damaged"),
    "cut off in a file": ("a.tar", _cut, "shards.damaged"),
    "cut off between files": ("a.tar", _without_end, "shards.cut"),
    "one archive behind another": ("a.tar", _more_behind, "shards.damaged"),
    "packed": ("a.tar.gz", _packed, "shards.packed"),
    "packed under another name": ("a.tgz", _packed, "shards.packed"),
    "two pictures of one key": ("a.tar", _of(n0001_jpg=picture(1, "JPEG")), "shards.two-pictures"),
    "a label twice": ("a.tar", _twice, "shards.twice"),
    "no label for a picture": ("a.tar", _of(n7777_png=picture(1)), "shards.no-label"),
    "an empty label": ("a.tar", _of(n7777_png=picture(1), n7777_cls=b" "), "shards.no-class"),
    "a label that is no text": ("a.tar", _of(n7777_png=picture(1), n7777_cls=b"\xff\xfe"), "shards.label-unread"),
    "a label that is a book": ("a.tar", _of(n7777_png=picture(1), n7777_cls=b"x" * (2**20 + 1)), "shards.label-long"),
    "a damaged picture": ("a.tar", _of(n7777_png=picture(1)[:60], n7777_cls=b"1"), "data.picture-damaged"),
    "no picture": ("a.tar", _of(n7777_png=b"no picture", n7777_cls=b"1"), "data.not-a-known-picture"),
}  # fmt: skip


@pytest.mark.parametrize("case", SPOILT)
def test_what_is_wrong_is_told_in_both_languages(tmp_path: Path, case: str) -> None:
    name, write, phrase = SPOILT[case]
    write(tmp_path / name)
    with pytest.raises(UserError, match=r"a\.t") as caught:
        load(tmp_path / name)
    assert phrase in [fault.id for fault in caught.value.faults]
    with speaking("en"):
        english = str(caught.value)
    with speaking("zh"):
        assert str(caught.value) != english


def test_json_says_which_keys_it_looked_for(tmp_path: Path) -> None:
    files = {
        f"{n}.{ending}": picture(n) if ending == "png" else b'{"url": "x"}'
        for n in range(9)
        for ending in ("png", "json")
    }
    with pytest.raises(UserError, match="label, cls, class, class_name"):
        load(archive(tmp_path / "a.tar", files))


def test_each_picture_with_a_text_of_its_own_has_no_class(tmp_path: Path) -> None:
    files = {
        f"{n}.{ending}": picture(n) if ending == "png" else f"text {n}".encode()
        for n in range(30)
        for ending in ("png", "txt")
    }
    with pytest.raises(UserError, match="30") as caught:
        load(archive(tmp_path / "a.tar", files))
    assert caught.value.faults[0].id == "data.all-labels-differ"


def test_a_table_in_a_tar_is_still_a_table(tmp_path: Path) -> None:
    rows = "\n".join(["a,b,kind", *(f"{n},{n % 7},{'xy'[n % 2]}" for n in range(50))])
    assert load(archive(tmp_path / "t.tar", {"t.csv": rows.encode()}), target="kind").task == "classification"


def test_a_trained_run_answers_and_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_shards(tmp_path / "shards", archives=2)
    run = danlu.fit("mlp", str(tmp_path / "shards" / "*.tar"), epochs=2, folder=tmp_path / "run")
    Image.open(io.BytesIO(picture(4))).save(tmp_path / "new.png")
    pixels = numpy.asarray(Image.open(io.BytesIO(picture(4)))).transpose(2, 0, 1)
    assert run.predict(pixels)[0] in CLASSES
    assert danlu.resume(run.folder).score == run.score

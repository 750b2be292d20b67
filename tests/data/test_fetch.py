"""Data sets by name: found under a root, fetched when absent, and a message that helps when neither works."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pooch
import pytest

from danlu.base.errors import UserError
from danlu.data import catalogue, fetch, load
from danlu.data.readers.idx_files import IDX_STEMS


def place(folder: Path, suffix: str = "") -> Path:
    folder.mkdir(parents=True)
    for stem in IDX_STEMS:
        (folder / f"{stem}{suffix}").touch()
    return folder


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize(
    ("name", "layout"),
    [
        ("mnist", "mnist"),
        ("mnist", "MNIST/raw"),
        ("fashion-mnist", "fashion-mnist"),
        ("fashion-mnist", "FashionMNIST/raw"),
    ],
)
def test_files_are_found_under_the_root_or_in_the_root_of_that_name(
    tmp_path: Path, name: str, layout: str, suffix: str, asked: list[str]
) -> None:
    folder = place(tmp_path / layout, suffix)
    entry = catalogue.entry(name)
    assert fetch.locate(entry, str(tmp_path)) == folder
    assert fetch.locate(entry, str(folder)) == folder
    assert asked == []


def test_mnist_is_never_taken_for_fashion_mnist(tmp_path: Path) -> None:
    for layout in ("mnist", "MNIST/raw"):
        place(tmp_path / layout)
    assert fetch.find(catalogue.entry("fashion-mnist"), str(tmp_path)) is None
    assert fetch.find(catalogue.entry("fashion-mnist"), str(tmp_path / "mnist")) is None
    assert fetch.find(catalogue.entry("mnist"), str(place(tmp_path / "fashion-mnist"))) is None


def test_the_variable_names_a_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = place(tmp_path / "mnist")
    monkeypatch.setenv("DANLU_DATA", str(tmp_path))
    assert fetch.locate(catalogue.entry("mnist"), None) == folder


def test_a_folder_that_lacks_a_file_does_not_count(tmp_path: Path) -> None:
    folder = place(tmp_path / "mnist")
    (folder / IDX_STEMS[3]).unlink()
    entry = catalogue.entry("mnist")
    assert fetch.missing_files(entry, folder) == [IDX_STEMS[3]]
    assert fetch.find(entry, str(tmp_path)) is None


def test_when_nothing_works_the_message_says_what_to_put_where(
    cache: Path, asked: list[str], language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UserError, match=r"train-images-idx3-ubyte\.gz.*t10k-labels-idx1-ubyte\.gz") as caught:
        load("mnist")
    message = str(caught.value)
    for wanted in ("mnist", "data.root", "DANLU_DATA", str(cache), "http://yann.lecun.com/exdb/mnist/"):
        assert wanted in message
    assert len(asked) == len(catalogue.entry("mnist").mirrors) == message.count("OSError")
    assert not cache.exists()
    assert {"en": "fetching it into", "zh": "正在下载到"}[language] in capsys.readouterr().err


def test_a_pickle_found_instead_is_mentioned(tmp_path: Path, language: str) -> None:
    (tmp_path / "cifar-10-python.tar.gz").touch()
    with pytest.raises(
        UserError, match={"en": "is the Python version, a pickle", "zh": "Python 版（pickle）"}[language]
    ):
        load("cifar10", root=str(tmp_path))


def test_a_root_that_does_not_exist_is_refused(tmp_path: Path, language: str) -> None:
    with pytest.raises(
        UserError, match={"en": "no such folder to look for data in", "zh": "数据目录.*不存在"}[language]
    ):
        load("mnist", root=str(tmp_path / "nowhere"))


def test_a_download_that_fails_leaves_no_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def downloader(**_: Any) -> Callable[..., None]:
        def serve(url: str, output_file: Any, pooch: Any) -> None:
            raise ConnectionError("no network")

        return serve

    monkeypatch.undo()
    monkeypatch.setattr(pooch, "HTTPDownloader", downloader)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("DANLU_DATA", raising=False)
    with pytest.raises(UserError, match="ConnectionError"):
        load("mnist")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def mirror(data_root: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Serves the real Fashion-MNIST through pooch's downloader; the first mirror is down, the second sends rubbish."""
    served: list[str] = []
    first, second, _ = catalogue.entry("fashion-mnist").mirrors

    def downloader(**_: Any) -> Callable[..., None]:
        def serve(url: str, output_file: Any, pooch: Any) -> None:
            served.append(url)
            if url.startswith(first):
                raise ConnectionError("no network")
            content = (
                b"rubbish" if url.startswith(second) else (data_root / "fashion-mnist" / Path(url).name).read_bytes()
            )
            Path(output_file).write_bytes(content)

        return serve

    monkeypatch.undo()
    monkeypatch.setattr(pooch, "HTTPDownloader", downloader)
    return served


def test_files_are_fetched_from_the_first_mirror_that_gives_them_whole(
    mirror: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("DANLU_DATA", raising=False)
    data = load("fashion-mnist")
    assert data.sizes["test"] == 10000
    assert data.facts()["path"] == str(tmp_path / "danlu" / "fashion-mnist")
    # Two mirrors fail once; the one that works then serves all that is left.
    assert len(mirror) == 2 + 4
    mirror.clear()
    assert load("fashion-mnist").fingerprint() == data.fingerprint()
    assert mirror == []


def test_only_what_is_missing_is_fetched(
    mirror: list[str], data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("DANLU_DATA", raising=False)
    folder = tmp_path / "danlu" / "fashion-mnist"
    folder.mkdir(parents=True)
    for file in catalogue.entry("fashion-mnist").files[1:]:
        shutil.copy(data_root / "fashion-mnist" / file.name, folder / file.name)
    load("fashion-mnist")
    assert {Path(url).name for url in mirror} == {"train-images-idx3-ubyte.gz"}

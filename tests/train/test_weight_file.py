import os
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from danlu.base.errors import UserError
from danlu.base.words import use_language
from danlu.train.weight_file import load_weights

WEIGHTS = {"layer.weight": torch.arange(6.0).reshape(2, 3), "layer.bias": torch.ones(2, dtype=torch.bfloat16)}


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    use_language("en")
    yield
    use_language(None)


class RunsCode:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)

    def __reduce__(self) -> Any:
        return os.mkdir, (self.folder,)


def written(path: Path, content: Any) -> Path:
    if path.suffix == ".safetensors":
        safetensors.torch.save_file(content, path)
    else:
        torch.save(content, path)
    return path


@pytest.mark.parametrize("name", ["weights.safetensors", "weights.pt", "weights.pth"])
def test_weights_are_read(tmp_path: Path, name: str) -> None:
    found = load_weights(written(tmp_path / name, WEIGHTS))

    assert list(found) == list(WEIGHTS) or name.endswith(".safetensors")
    assert all(torch.equal(found[key], tensor) and found[key].dtype == tensor.dtype for key, tensor in WEIGHTS.items())


def test_parameters_and_old_torch_files_are_read(tmp_path: Path) -> None:
    torch.save(torch.nn.Linear(2, 1).state_dict(), tmp_path / "old.pt", _use_new_zipfile_serialization=False)

    assert load_weights(tmp_path / "old.pt")["weight"].shape == (1, 2)
    written(tmp_path / "parameter.pt", {"weight": torch.nn.Parameter(torch.ones(2))})
    assert not load_weights(tmp_path / "parameter.pt")["weight"].requires_grad


@pytest.mark.parametrize("old", [False, True])
def test_a_pickle_with_code_is_refused_and_not_run(tmp_path: Path, old: bool) -> None:
    content = {"weight": torch.ones(2), "extra": RunsCode(tmp_path / "hacked")}
    torch.save(content, tmp_path / "evil.pt", _use_new_zipfile_serialization=not old)

    with pytest.raises(UserError, match=r"evil\.pt: refused, .* asks for \w+\.mkdir, .*save_file") as caught:
        load_weights(tmp_path / "evil.pt")

    assert not (tmp_path / "hacked").exists()
    use_language("zh")
    assert "拒绝读取" in str(caught.value) and "mkdir" in str(caught.value)


def test_a_bare_pickle_is_refused_and_not_run(tmp_path: Path) -> None:
    (tmp_path / "evil.pth").write_bytes(pickle.dumps(RunsCode(tmp_path / "hacked")))

    with pytest.raises(UserError, match=r"evil\.pth: (refused|not a file of weights).*save_file"):
        load_weights(tmp_path / "evil.pth")

    assert not (tmp_path / "hacked").exists()


def test_a_whole_net_is_refused_by_its_class(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"asks for torch\.nn\.modules\.linear\.Linear"):
        load_weights(written(tmp_path / "net.pt", torch.nn.Linear(2, 1)))


@pytest.mark.parametrize("name", ["weights.pt", "weights.safetensors"])
@pytest.mark.parametrize("left", [0, 10, 0.5])
def test_a_truncated_file_is_told(tmp_path: Path, name: str, left: float) -> None:
    whole = written(tmp_path / name, WEIGHTS).read_bytes()
    (tmp_path / name).write_bytes(whole[: int(len(whole) * left) if isinstance(left, float) else left])

    with pytest.raises(UserError, match=r"weights\.\w+: not a (file of weights|whole safetensors file)"):
        load_weights(tmp_path / name)


@pytest.mark.parametrize("name", ["weights.pt", "weights.pth", "weights.safetensors"])
@pytest.mark.parametrize("content", [b"hello " * 50, b"PK\x03\x04" + bytes(99), b"\x80\x02", bytes(1000), b"\xff" * 64])
def test_nonsense_is_told(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)

    with pytest.raises(UserError, match="not a (file of weights|whole safetensors file)"):
        load_weights(tmp_path / name)


def test_what_is_no_dict_of_tensors_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"holds a list where a dict of tensors by name is wanted"):
        load_weights(written(tmp_path / "list.pt", [torch.ones(1)]))
    with pytest.raises(UserError, match=r"besides tensors it holds epoch, model\."):
        load_weights(written(tmp_path / "nested.pt", {"epoch": 3, "model": WEIGHTS, "bias": torch.ones(1)}))


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"absent\.pt: there is no such weight file"):
        load_weights(tmp_path / "absent.pt")
    with pytest.raises(UserError, match="cannot be read .Is a directory"):
        load_weights(tmp_path)
    with pytest.raises(UserError, match="cannot be read .File name too long"):
        load_weights(tmp_path / ("x" * 300))
    (tmp_path / "weights.onnx").write_bytes(b"1")
    with pytest.raises(UserError, match=r'\.safetensors, \.pt and \.pth files, not from "\.onnx"'):
        load_weights(tmp_path / "weights.onnx")


@pytest.mark.parametrize(
    ("odd", "kind"),
    [
        (torch.eye(3).to_sparse(), "sparse_coo"),
        (torch.eye(3, device="meta"), "meta"),
    ],
    ids=["sparse", "meta"],
)
def test_tensors_that_no_net_holds_are_refused(odd: torch.Tensor, kind: str, tmp_path: Path, language: str) -> None:
    torch.save({"a": torch.zeros(2), "b": odd}, tmp_path / "w.pt")
    words = {"en": rf"1 tensors are of a kind that no net holds: b \({kind}\)", "zh": rf"1 个张量.*b \({kind}\)"}
    with pytest.raises(UserError, match=words[language]):
        load_weights(tmp_path / "w.pt")


def test_floats_of_eight_bits_are_read_as_the_same_numbers(tmp_path: Path) -> None:
    small = torch.randn(4).to(torch.float8_e4m3fn)
    safetensors.torch.save_file({"a": small}, tmp_path / "w.safetensors")
    assert torch.equal(load_weights(tmp_path / "w.safetensors")["a"], small.float())

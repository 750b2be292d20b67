"""train.channels_last: convolutions and images in that memory format, with the same result."""

from pathlib import Path
from typing import Any

import numpy
import pytest
import torch
from torch import Tensor, nn

import danlu
from danlu.base.errors import UserError
from danlu.base.words import speaking

X = numpy.random.default_rng(0).normal(size=(120, 3, 6, 6)).astype("float32")
DATA = (X, (X.sum((1, 2, 3)) > 0).astype("int64"))
SHORT: dict[str, Any] = {"batch_size": 16, "epochs": 2, "lr": 0.1, "progress": False}


class Images(nn.Module):
    """Two convolutions; it notes whether its inputs, and what it computes, lie channels last in memory."""

    def __init__(self, *, views: bool = False) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 5, 3)
        self.head = nn.Linear(20, 2)
        self.views = views
        self.last: set[bool] = set()

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.second(self.first(x).relu()).relu()
        if self.training and len(x) > 2:
            self.last |= {one.is_contiguous(memory_format=torch.channels_last) for one in (x, hidden)}
        return self.head(hidden.view(len(x), -1) if self.views else hidden.flatten(1))


def images(*, views: bool = False) -> Images:
    torch.manual_seed(0)
    return Images(views=views)


def test_a_net_of_one_s_own_computes_in_it_and_comes_to_the_same(tmp_path: Path) -> None:
    plain, net = images(), images()
    one = danlu.fit(plain, DATA, folder=tmp_path / "plain", **SHORT)
    run = danlu.fit(net, DATA, channels_last=True, folder=tmp_path / "run", **SHORT)
    assert (plain.last, net.last) == ({False}, {True})
    for name, tensor in one.net().state_dict().items():
        torch.testing.assert_close(run.net().state_dict()[name], tensor, rtol=1e-4, atol=1e-5)


@pytest.mark.every(3)
@pytest.mark.parametrize(("asked", "last"), [(None, True), (True, True), (False, False)])
def test_danlu_s_own_nets_do_so_unless_told_otherwise(asked: bool | None, last: bool, tmp_path: Path) -> None:
    settings = {} if asked is None else {"channels_last": asked}
    run = danlu.fit("lenet5", "digits", folder=tmp_path / "run", epochs=1, progress=False, samples=64, **settings)
    weights = [one for one in run._net.parameters() if one.dim() == 4 and min(one.shape[1:]) > 1]  # pyright: ignore
    assert {one.is_contiguous(memory_format=torch.channels_last) for one in weights} == {last}


def test_a_net_that_cannot_is_told_before_the_first_step(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="view"):
        danlu.fit(images(views=True), DATA, channels_last=True, folder=tmp_path / "run", **SHORT)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("language", "words"), [("en", "is for images"), ("zh", "只用于图像")])
@pytest.mark.parametrize("way", ["table", "lbfgs"])
def test_what_it_is_not_for_is_refused(way: str, language: str, words: str, tmp_path: Path) -> None:
    data: Any = (X[:, 0, 0], DATA[1]) if way == "table" else DATA
    more = {"optim.name": "lbfgs"} if way == "lbfgs" else {}
    net = "mlp" if way == "table" else "lenet5"
    with speaking(language), pytest.raises(UserError, match=words):
        danlu.fit(net, data, channels_last=True, folder=tmp_path / "run", epochs=1, progress=False, **more)
    assert list(tmp_path.iterdir()) == []

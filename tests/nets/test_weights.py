"""Published weights into nets: what fits goes in, a new head is told of, anything else changes nothing."""

import re

import pytest
import torch
from torch import nn

from danlu.base.errors import UserError
from danlu.nets import DenseNet121, GoogLeNet, ResNet18, put_weights


def state_of(net: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in net.state_dict().items()}


def equal(ours: dict[str, torch.Tensor], theirs: dict[str, torch.Tensor]) -> bool:
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_weights_of_the_same_net_go_in_without_a_word() -> None:
    file = state_of(ResNet18(classes=5))
    net = ResNet18(classes=5)
    assert put_weights(net, file) == ()
    assert equal(net.state_dict(), file)


@pytest.mark.every(2)
def test_a_head_for_other_classes_keeps_its_first_weights_and_is_told_of(language: str) -> None:
    file = state_of(ResNet18(classes=7))
    net = ResNet18(classes=5)
    before = state_of(net)
    (note,) = put_weights(net, file)
    assert re.search(r"\bfc\b.*\b5\b.*\b7\b", str(note))
    assert torch.equal(net.fc.weight, before["fc.weight"])
    assert torch.equal(net.conv1.weight, file["conv1.weight"])


def test_old_densenet_names_are_understood() -> None:
    file = state_of(DenseNet121(classes=5))
    old = {re.sub(r"(denselayer\d+\.(norm|conv))([12])", r"\1.\3", name): value for name, value in file.items()}
    assert "features.denseblock1.denselayer1.norm.1.weight" in old
    net = DenseNet121(classes=5)
    assert put_weights(net, old) == ()
    assert equal(net.state_dict(), file)


def test_auxiliary_heads_that_the_net_lacks_are_left_out(language: str) -> None:
    file = state_of(GoogLeNet(classes=5, aux=True))
    net = GoogLeNet(classes=5)
    (note,) = put_weights(net, file)
    assert "aux1, aux2" in str(note)
    assert torch.equal(net.fc.weight, file["fc.weight"])


def test_all_three_heads_of_googlenet_are_replaced_where_classes_differ() -> None:
    notes = put_weights(GoogLeNet(classes=5, aux=True), state_of(GoogLeNet(classes=7, aux=True)))
    assert [note.values["layer"] for note in notes] == ["fc", "aux1.fc2", "aux2.fc2"]


def test_counters_of_batches_may_be_missing() -> None:
    file = {name: value for name, value in state_of(ResNet18()).items() if "num_batches" not in name}
    net = ResNet18()
    assert put_weights(net, file) == ()
    assert torch.equal(net.layer4[1].bn2.running_var, file["layer4.1.bn2.running_var"])


@pytest.mark.every(2)
def test_differences_are_a_table_and_nothing_changes(language: str) -> None:
    net = ResNet18()
    before = state_of(net)
    file = state_of(ResNet18(channels=1))
    file["extra"] = torch.zeros(2, 3)
    del file["bn1.bias"]
    with pytest.raises(UserError, match=r"1\D+1\D+1") as caught:
        put_weights(net, file)
    lines = str(caught.value).splitlines()
    assert len(lines) == 4
    for pattern, line in zip(
        [r"bn1\.bias +64", r"extra +2×3", r"conv1\.weight.*64×3×7×7.*64×1×7×7"], lines[1:], strict=True
    ):
        assert re.search(pattern, line)
    assert equal(net.state_dict(), before)


def test_a_table_shows_ten_rows_of_each_kind_at_most(language: str) -> None:
    file = {f"other.{number}": torch.zeros(1) for number in range(12)}
    with pytest.raises(UserError, match=r"other\.9") as caught:
        put_weights(ResNet18(), file)
    lines = str(caught.value).splitlines()
    assert len(lines) == 1 + 11 + 11
    assert sum("other." in line for line in lines) == 10
    assert re.search(r"\b2\b", lines[-1])


def test_a_head_of_another_width_is_no_matter_of_classes() -> None:
    file = state_of(ResNet18())
    file["fc.weight"] = torch.zeros(10, 256)
    file["fc.bias"] = torch.zeros(10)
    with pytest.raises(UserError, match=r"fc\.weight +the net has 1000×512, the weights 10×256"):
        put_weights(ResNet18(), file)


def test_a_half_head_is_refused() -> None:
    file = state_of(ResNet18(classes=7))
    del file["fc.bias"]
    with pytest.raises(UserError, match=r"missing +fc\.bias"):
        put_weights(ResNet18(classes=5), file)


def test_the_last_layer_is_the_head_of_a_net_of_ones_own() -> None:
    net = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2), nn.Softmax(1))
    (note,) = put_weights(net, nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 9)).state_dict())
    assert note.values == {"layer": "2", "wanted": 2, "found": 9}


def test_precision_of_the_net_stays() -> None:
    net = nn.Sequential(nn.Linear(2, 2)).double()
    put_weights(net, nn.Sequential(nn.Linear(2, 2)).state_dict())
    assert net[0].weight.dtype == torch.float64


@pytest.mark.parametrize(
    ("value", "dtype", "words"),
    [
        (float("nan"), torch.float32, "NaN or infinite values"),
        (float("inf"), torch.float32, "NaN or infinite values"),
        (1e39, torch.float64, "too large for the float32"),
        (-1e39, torch.float64, "too large for the float32"),
        (3e38, torch.bfloat16, ""),
        (1e38, torch.float64, ""),
    ],
)
def test_nothing_infinite_comes_into_a_net(value: float, dtype: torch.dtype, words: str) -> None:
    net = nn.Linear(2, 2)
    before, file = state_of(net), {**state_of(net), "bias": torch.tensor([0.0, value], dtype=dtype)}
    if not words:
        assert put_weights(net, file) == ()
        assert torch.isfinite(net.bias).all()
        return
    with pytest.raises(UserError, match=words):
        put_weights(net, file)
    assert equal(state_of(net), before)

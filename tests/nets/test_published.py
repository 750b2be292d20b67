"""Nets with published weights: parameter counts, and names and shapes of every tensor, are torchvision's.

golden/published.json holds, for each net, the number of tensors and a hash of their names and shapes in order. It was
compared with torchvision 0.29 when it was written. After a deliberate change: `python tests/nets/test_published.py`.
"""

import hashlib
import json
from pathlib import Path

import pytest
import torch
from torch import nn

from danlu.nets import build

GOLDEN = Path(__file__).parent / "golden" / "published.json"

PARAMETERS = {
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet101": 44_549_160,
    "densenet121": 7_978_856,
    "densenet169": 14_149_480,
    "googlenet": 6_624_904,
    "googlenet aux": 13_004_888,
}


def published(name: str) -> nn.Module:
    name, _, aux = name.partition(" ")
    with torch.device("meta"):
        options = {"aux": True} if aux else {}
        return build(name, options, sample_shape=(3, 224, 224), outputs=1000, task="classification")


def digest(net: nn.Module) -> dict[str, int | str]:
    lines = [f"{name} {list(tensor.shape)}" for name, tensor in net.state_dict().items()]
    return {"tensors": len(lines), "sha256": hashlib.sha256("\n".join(lines).encode()).hexdigest()}


@pytest.mark.every(3)
@pytest.mark.parametrize("name", PARAMETERS)
def test_parameter_counts_are_those_published(name: str) -> None:
    assert sum(weight.numel() for weight in published(name).parameters()) == PARAMETERS[name]


@pytest.mark.every(3)
@pytest.mark.parametrize("name", PARAMETERS)
def test_names_and_shapes_are_those_of_the_published_files(name: str) -> None:
    assert digest(published(name)) == json.loads(GOLDEN.read_text())[name]


@pytest.mark.every(2)
@pytest.mark.parametrize(
    ("name", "tensors"),
    [
        ("resnet18", {"layer2.0.downsample.0.weight": [128, 64, 1, 1], "layer1.1.bn2.running_var": [64]}),
        ("resnet50", {"layer4.2.conv3.weight": [2048, 512, 1, 1], "fc.bias": [1000]}),
        ("densenet121", {"features.denseblock4.denselayer16.conv2.weight": [32, 128, 3, 3]}),
        ("densenet169", {"features.transition3.norm.weight": [1280], "features.norm5.bias": [1664]}),
        ("googlenet", {"inception3a.branch3.1.conv.weight": [32, 16, 3, 3]}),
        ("googlenet aux", {"aux2.conv.bn.weight": [128], "aux1.fc1.weight": [1024, 2048]}),
    ],
)
def test_some_names_to_be_seen(name: str, tensors: dict[str, list[int]]) -> None:
    found = published(name).state_dict()
    assert {key: list(found[key].shape) for key in tensors} == tensors


if __name__ == "__main__":
    golden = {name: digest(published(name)) for name in PARAMETERS}
    GOLDEN.write_text(json.dumps(golden, indent=2) + "\n")

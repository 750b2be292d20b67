"""Every break in the chain of shapes names the layer, what it got and wants, what stands before, and what to do."""

import itertools
import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from danlu.base.errors import UserError
from danlu.nets import describe


def complaint(net: nn.Module, shape: tuple[int, ...], **options: object) -> str:
    with pytest.raises(UserError, match=".") as caught:
        describe(net, shape, **options)  # pyright: ignore[reportArgumentType]
    assert len(caught.value.faults) == 1
    return str(caught.value)


def test_a_linear_that_does_not_fit_in_full() -> None:
    net = nn.Sequential(nn.Linear(784, 128), nn.Linear(64, 10))
    assert complaint(net, (784,)) == (
        "Layer 1 (Linear) got the shape 128, but wants 64 on the last axis. The layer before it is 0 (Linear), which "
        "gives 128. Set its in_features to 128, or change what comes before it."
    )


def test_a_linear_that_does_not_fit_in_chinese(language: str) -> None:
    text = complaint(nn.Sequential(nn.Linear(784, 128), nn.Linear(64, 10)), (784,))
    assert all(word in text for word in ("1 (Linear)", "128", "64", "0 (Linear)", "in_features"))
    if language == "zh":
        assert "最后一维为 64" in text
        assert not re.search(r"[\u4e00-\u9fff][,.:;]|[,.:;][\u4e00-\u9fff]", text)


CASES: list[tuple[nn.Module, tuple[int, ...], str]] = [
    (nn.Linear(64, 10), (128,), r"Layer Linear got the shape 128, .* 64 .*No layer .* shape 128.*in_features to 128"),
    (
        nn.Sequential(nn.Conv2d(3, 8, 3)),
        (1, 28, 28),
        r"0 \(Conv2d\) got the shape 1×28×28.*3×height.*in_channels to 1,",
    ),
    (nn.Sequential(nn.Conv2d(1, 8, 3)), (784,), r"0 \(Conv2d\) got the shape 784.*1×height×width.*unsqueeze"),
    (nn.Sequential(nn.Conv2d(1, 8, 3)), (28, 28), r"0 \(Conv2d\) got the shape 28×28.*1×height×width.*unsqueeze"),
    (nn.Sequential(nn.Conv1d(2, 8, 3)), (3, 28), r"0 \(Conv1d\) got the shape 3×28.*2×length"),
    (nn.Sequential(nn.ConvTranspose2d(2, 8, 3)), (3, 9, 9), r"\(ConvTranspose2d\) got the shape 3×9×9.*2×height"),
    (nn.Sequential(nn.Conv2d(1, 6, 5), nn.Linear(10, 2)), (1, 8, 8), r"1 \(Linear\) got the shape 6×4×4.*10 on the"),
    (
        nn.Sequential(nn.Conv2d(1, 6, 5), nn.Linear(96, 2)),
        (1, 8, 8),
        r"1 \(Linear\) got the shape 6×4×4.*0 \(Conv2d\), which gives 6×4×4\. Put nn\.Flatten\(\) before it",
    ),
    (
        nn.Sequential(nn.BatchNorm2d(4)),
        (3, 8, 8),
        r"0 \(BatchNorm2d\) got the shape 3×8×8.*4×height.*num_features to 3",
    ),
    (nn.Sequential(nn.BatchNorm2d(4)), (4,), r"0 \(BatchNorm2d\) got the shape 4,.*4×height×width"),
    (nn.Sequential(nn.BatchNorm1d(4)), (3,), r"0 \(BatchNorm1d\) got the shape 3,.*wants 4,.*num_features to 3"),
    (nn.Sequential(nn.GroupNorm(2, 4)), (6, 8), r"0 \(GroupNorm\) got the shape 6×8.*num_channels to 6"),
    (nn.Sequential(nn.LayerNorm(4)), (2, 3), r"0 \(LayerNorm\) got the shape 2×3.*4 on the last axes.*_shape to 3"),
    (nn.Sequential(nn.LayerNorm((2, 4))), (2, 3), r"0 \(LayerNorm\) got.*2×4 on the last axes.*_shape to \(2, 3\)"),
    (nn.LSTM(5, 4, batch_first=True), (9, 6), r"Layer LSTM got the shape 9×6.*5 on the last axis.*input_size to 6"),
    (nn.Sequential(nn.Embedding(9, 4)), (3,), r"0 \(Embedding\) got float32, but wants whole numbers.*x\.long\(\)"),
    (nn.Sequential(nn.Conv2d(1, 6, 5)), (1, 3, 3), r"0 \(Conv2d\) cannot work on the shape 1×3×3: .*Kernel size"),
    (nn.Sequential(nn.Unflatten(1, (2, 5))), (9,), r"0 \(Unflatten\) cannot work on the shape 9: .*9"),
]


@pytest.mark.parametrize(("net", "shape", "message"), CASES, ids=lambda value: str(value)[:40])
def test_every_kind_of_layer_says_what_it_wants(net: nn.Module, shape: tuple[int, ...], message: str) -> None:
    assert re.search(message, complaint(net, shape), re.DOTALL)


@pytest.mark.parametrize(("net", "shape", "message"), CASES, ids=lambda value: str(value)[:40])
def test_every_complaint_is_spoken_in_both_languages(
    net: nn.Module, shape: tuple[int, ...], message: str, language: str
) -> None:
    culprit = list(net.modules())[-1]
    text = complaint(net, shape)
    assert type(culprit).__name__ in text
    assert "{" not in text


@pytest.mark.parametrize("layer", [nn.Linear(3, 2), nn.LSTM(3, 2, batch_first=True)], ids=["linear", "lstm"])
def test_a_wrong_dtype_is_said_as_such(layer: nn.Module, language: str) -> None:
    text = complaint(nn.Sequential(layer), (4, 3), dtype=torch.float64)
    assert re.search(r"0 \(\w+\).*float64.*float32.*x\.to\(torch\.float32\).*net\.to\(torch\.float64\)", text)


def test_a_convolution_of_another_dtype(language: str) -> None:
    text = complaint(nn.Conv2d(1, 2, 3).double(), (1, 4, 4))
    assert re.search(r"Conv2d.*float32.*float64", text)


def test_whole_numbers_into_weights(language: str) -> None:
    text = complaint(nn.Linear(3, 2), (3,), dtype=torch.int64)
    assert re.search(r"Linear.*int64.*float32.*nn\.Embedding", text)


@pytest.mark.parametrize(("index", "advice"), [(12, "num_embeddings .* 13"), (-1, "0")])
def test_indices_outside_an_embedding(index: int, advice: str, language: str) -> None:
    text = complaint(nn.Sequential(nn.Embedding(10, 4)), (3,), sample=torch.tensor([0, index, 1]))
    assert re.search(rf"0 \(Embedding\).* 0 .* 9 .*{index}.*{advice}", text)


class Branches(nn.Module):
    """Two layers whose outputs do not fit together, inside another module."""

    def __init__(self) -> None:
        super().__init__()
        self.left = nn.Linear(3, 4)
        self.right = nn.Linear(3, 5)

    def forward(self, x: Tensor) -> Tensor:
        return self.left(x) + self.right(x)


def test_code_between_layers_names_the_innermost_module(language: str) -> None:
    text = complaint(nn.Sequential(nn.Linear(3, 3), Branches()), (3,))
    assert re.search(r"1 \(Branches\).*size of tensor a \(4\).*1\.right \(Linear\).* 5", text)


@pytest.mark.parametrize("error", [AttributeError("no such thing"), TypeError(), KeyError("x")])
def test_any_error_of_the_net_is_told_without_a_traceback(error: Exception, language: str) -> None:
    class Broken(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            raise error

    text = complaint(nn.Sequential(Broken()), (3,))
    assert "0 (Broken)" in text
    assert (str(error) or type(error).__name__) in text


class Flattening(nn.Module):
    """A convolution and a linear layer with a wrong flatten between them."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.how = how
        self.convolution = nn.Conv2d(1, 2, 3)
        self.linear = nn.Linear(18, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.convolution(x)
        if self.how == "all":
            x = x.flatten()
        elif self.how == "one row":
            x = x.view(1, -1)
        elif self.how == "fixed":
            x = x.view(1, 18)
        else:
            x = x.view(-1, 18)
        return self.linear(x)


@pytest.mark.parametrize(("how", "found"), [("all", "36"), ("one row", "1×36")])
def test_a_flatten_that_swallows_the_batch_axis_is_found_with_two_samples(how: str, found: str, language: str) -> None:
    text = complaint(Flattening(how), (1, 5, 5))
    assert re.search(rf"linear \(Linear\).*{found}.*convolution \(Conv2d\).*2×3×3.*x\.flatten\(1\)", text)


def test_a_view_for_one_sample_only_is_found(language: str) -> None:
    text = complaint(Flattening("fixed"), (1, 5, 5))
    assert re.search(r"Flattening.*\[1, 18\].*convolution \(Conv2d\).*x\.flatten\(1\)", text)


def test_a_view_that_mixes_samples_and_features_is_found(language: str) -> None:
    assert re.search(r"4×4.*x\.flatten\(1\)", complaint(Flattening("mixed"), (1, 8, 5)))


def test_a_net_without_a_tensor_is_refused(language: str) -> None:
    class Silent(nn.Module):
        def forward(self, x: Tensor) -> None:
            return None

    assert "Silent" in complaint(Silent(), (3,))


@given(widths=st.lists(st.integers(1, 9), min_size=2, max_size=6), data=st.data())
@settings(max_examples=40, deadline=None)
def test_the_one_break_in_a_chain_is_the_one_named(widths: list[int], data: st.DataObject) -> None:
    layers = [nn.Linear(a, b) for a, b in itertools.pairwise(widths)]
    broken = data.draw(st.integers(0, len(layers) - 1))
    layers[broken] = nn.Linear(widths[broken] + 1, widths[broken + 1])
    text = complaint(nn.Sequential(*layers), (widths[0],))
    assert f"Layer {broken} (Linear) got the shape {widths[broken]}, but wants {widths[broken] + 1} " in text

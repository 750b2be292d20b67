"""Recurrent nets on windows: the last state alone speaks, a shortcut goes past it, and both engines say the same."""

import pytest
import torch

from danlu.base.errors import UserError
from danlu.nets import WindowGRU, WindowLSTM, WindowRNN, build, recipe_of
from danlu.nets.catalogue import usual_options

KINDS = [WindowRNN, WindowGRU, WindowLSTM]
X = torch.randn(3, 6, 2, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("kind", KINDS)
def test_torch_and_own_layers_say_the_same(kind: type[WindowRNN]) -> None:
    theirs, own = (kind(6, 2, 4, hidden=5, layers=2, engine=engine) for engine in ("torch", "own"))
    own.load_state_dict(theirs.state_dict())
    torch.testing.assert_close(own(X), theirs(X), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shortcut", ["last", "linear"])
def test_a_shortcut_begins_as_the_last_value(kind: type[WindowRNN], shortcut: str) -> None:
    net = kind(6, 2, 3, shortcut=shortcut)
    torch.nn.init.zeros_(net.output.weight)
    torch.nn.init.zeros_(net.output.bias)
    torch.testing.assert_close(net(X), X[:, -1, :1].expand(-1, 3))


def test_the_names_of_the_catalogue_and_back() -> None:
    for name, kind in zip(("rnn", "gru", "lstm"), KINDS, strict=True):
        net = build(name, {"hidden": 7}, sample_shape=(6, 2), outputs=3, task="regression")
        assert type(net) is kind
        found = recipe_of(net)
        assert found is not None
        assert found[0] == name
        assert {"window", "features", "outputs", "forget_bias"} <= set(usual_options(*found))
        assert "hidden" not in usual_options(*found)


@pytest.mark.parametrize("name", ["rnn", "gru", "lstm", "tcn"])
@pytest.mark.parametrize("shape", [(6,), (1, 8, 8)])
def test_other_samples_are_refused(name: str, shape: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match=r"data\.window"):
        build(name, {}, sample_shape=shape, outputs=1, task="regression")


@pytest.mark.parametrize("options", [{"shortcut": "first"}, {"hidden": 0}, {"dropout": 1}, {"engine": "fast"}])
def test_options_are_checked(options: dict[str, object]) -> None:
    with pytest.raises(UserError, match=next(iter(options))):
        build("lstm", options, sample_shape=(6, 2), outputs=1, task="regression")

"""What a step must know of its net before it takes one."""

import random

import pytest
import torch
from torch import nn

from danlu.nets import build, names, option_names
from danlu.train.module_engine import draws_from

SHAPES = {
    "sequence-classifier": (7,),
    "language-model": (7,),
    "transformer-classifier": (7,),
    "transformer-language-model": (7,),
    "sequence-tagger": (7,),
    "transformer-tagger": (7,),
    **dict.fromkeys(("encoder-decoder", "transformer-encoder-decoder"), (2, 7)),
    "mixture-density": (1,),
    **dict.fromkeys(("rnn", "gru", "lstm", "tcn"), (6, 2)),
}
TASKS = {
    "linear-regression": "regression",
    "mixture-density": "regression",
    "autoencoder": "reconstruction",
    "language-model": "language",
    "transformer-language-model": "language",
    "sequence-tagger": "tagging",
    "transformer-tagger": "tagging",
    **dict.fromkeys(("encoder-decoder", "transformer-encoder-decoder"), "translation"),
    "unet": "segmentation",
}
LARGE = {"resnet50", "resnet101", "densenet169"}  # their blocks are those of the smaller ones


class MyNet(nn.Linear):
    """Anything might stand in a class of the user's."""


@pytest.mark.every(4)
@pytest.mark.parametrize("dropout", [0.0, 0.5])
@pytest.mark.parametrize("name", sorted(set(names()) - LARGE))
def test_nets_of_ours_draw_what_is_said_of_them(name: str, dropout: float) -> None:
    options = {"dropout": dropout} if "dropout" in option_names(name) else {}
    task = TASKS.get(name, "classification")
    shape = SHAPES.get(name, (3, 32, 32))
    outputs = 2 if name == "logistic-regression" else 1 if task == "regression" else 10
    vocabulary = 20 if (len(shape) == 1 or task == "translation") and name != "mixture-density" else None
    net = build(name, options, sample_shape=shape, outputs=outputs, task=task, vocabulary=vocabulary).train()
    x = torch.ones(2, *shape) if vocabulary is None else torch.ones(2, *shape, dtype=torch.int64)
    states = torch.get_rng_state(), random.getstate()
    with torch.no_grad():
        net(x)
    assert random.getstate() == states[1]
    if draws_from(net) == "nothing":
        assert torch.equal(torch.get_rng_state(), states[0])
    else:
        assert draws_from(net) == "torch"


def test_code_of_the_users_may_draw_anything() -> None:
    plain = nn.Sequential(nn.Linear(2, 2), nn.Tanh())
    assert draws_from(plain) == "nothing"
    assert draws_from(nn.Sequential(plain, MyNet(2, 2))) == "anything"
    patched = nn.Linear(2, 2)
    patched.forward = lambda x: x * random.random()  # type: ignore[method-assign]
    assert draws_from(patched) == "anything"
    for register in ("register_forward_hook", "register_forward_pre_hook", "register_full_backward_hook"):
        hooked = nn.Linear(2, 2)
        getattr(hooked, register)(lambda *_: None)
        assert draws_from(hooked) == "anything"

"""Structure: what a net is made of, which of its parameters are moved, which are in plain lists."""

from typing import Any

import pytest
import torch
from torch import nn

from danlu.watch.layer_facts import Net
from danlu.watch.probes.structure import is_compiled, read_net, read_optimised, unlisted_parameters


def frozen(module: nn.Module) -> nn.Module:
    return module.requires_grad_(False)


def named(net: nn.Module) -> dict[str, nn.Module]:
    return {"": net}


def test_dropouts_are_named_with_their_rates_and_those_of_0_left_out() -> None:
    net = nn.Sequential(nn.Dropout(0.5), nn.Sequential(nn.Dropout2d(0.25), nn.AlphaDropout(0.0)), nn.Dropout(p=0))
    assert read_net(named(net)).dropout == {"0": 0.5, "1.0": 0.25}
    assert read_net({"actor": net}).dropout == {"actor.0": 0.5, "actor.1.0": 0.25}
    assert read_net(named(nn.Dropout(0.1))).dropout == {"Dropout": 0.1}


@pytest.mark.parametrize(
    ("net", "norms", "all_frozen"),
    [
        (nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)), ("1",), False),
        (nn.Sequential(frozen(nn.BatchNorm1d(2)), nn.BatchNorm2d(2)), ("0", "1"), False),
        (nn.Sequential(frozen(nn.BatchNorm1d(2)), frozen(nn.BatchNorm3d(2))), ("0", "1"), True),
        (nn.Sequential(nn.BatchNorm1d(2, affine=False)), ("0",), False),  # nobody froze it: it has no parameters
        (nn.Sequential(nn.BatchNorm1d(2, affine=False), frozen(nn.BatchNorm1d(2))), ("0", "1"), True),
        (nn.Sequential(nn.LayerNorm(2), nn.GroupNorm(1, 2), nn.InstanceNorm1d(2)), (), False),
        (nn.Sequential(nn.LazyBatchNorm1d()), ("0",), False),
        (nn.Sequential(nn.SyncBatchNorm(2)), ("0",), False),
    ],
)
def test_batch_norms_are_named_and_frozen_where_all_are(
    net: nn.Module, norms: tuple[str, ...], all_frozen: bool
) -> None:
    facts = read_net(named(net))
    assert (facts.norms, facts.frozen_norms) == (norms, all_frozen)


@pytest.mark.parametrize(
    ("net", "recurrent"),
    [
        (nn.Linear(2, 2), False),
        (nn.Sequential(nn.LSTM(2, 2)), True),
        (nn.GRUCell(2, 2), True),
        (nn.TransformerEncoderLayer(4, 1), False),
    ],
)
def test_a_net_with_a_memory_is_recurrent(net: nn.Module, recurrent: bool) -> None:
    assert read_net(named(net)).recurrent is recurrent


def test_trainable_tensors_are_counted_once() -> None:
    one, two = nn.Linear(2, 2), nn.Linear(2, 2)
    two.weight = one.weight
    assert read_net(named(nn.Sequential(one, two, frozen(nn.Linear(2, 2))))).trainable == 3
    assert read_net({"encoder": one, "decoder": two}).trainable == 3
    assert read_net({"model": nn.Sequential(one), "head": one}).trainable == 2
    assert read_net(named(nn.LazyLinear(2))).trainable == 2


def test_norms_of_a_module_that_two_nets_share_are_named_once() -> None:
    norm = nn.BatchNorm1d(2)
    assert read_net({"one": nn.Sequential(norm), "two": nn.Sequential(norm)}).norms == ("one.0",)


def test_nothing_is_made_of_nothing() -> None:
    assert read_net({}) == Net()
    assert read_net(named(nn.ReLU())) == Net()


def test_a_compiled_module_is_known_without_being_run() -> None:
    plain, in_place = nn.Linear(2, 2), nn.Linear(2, 2)
    in_place.compile(backend="eager")
    compiled = torch.compile(plain, backend="eager")
    assert [is_compiled(one) for one in (plain, in_place, compiled)] == [False, True, True]  # type: ignore
    assert [read_net(named(nn.Sequential(one))).compiled for one in (plain, in_place)] == [False, True]


def of(net: nn.Module, *names: str) -> set[int]:
    parameters = dict(net.named_parameters())
    return {id(parameters[name]) for name in names}


THREE = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False), frozen(nn.Linear(2, 2, bias=False)))


@pytest.mark.parametrize(
    ("reached", "moved", "missing", "first"),
    [
        (("0.weight", "1.weight"), ("0.weight", "1.weight"), (), False),
        (("0.weight", "1.weight"), ("1.weight",), ("0.weight",), True),
        (("0.weight", "1.weight"), ("0.weight",), ("1.weight",), False),
        (("0.weight", "1.weight"), (), ("0.weight", "1.weight"), False),
        (("1.weight",), ("1.weight",), (), False),  # no gradient comes to the first: it is not missing
        (("2.weight",), ("0.weight", "1.weight"), (), False),  # frozen
    ],
)
def test_what_a_gradient_reaches_and_nobody_moves_is_named(
    reached: tuple[str, ...], moved: tuple[str, ...], missing: tuple[str, ...], first: bool
) -> None:
    net = Net()
    read_optimised(net, named(THREE), of(THREE, *reached), of(THREE, *moved))
    assert (net.unoptimised, net.unoptimised_first) == (missing, first)


def test_the_names_of_several_nets_begin_with_theirs() -> None:
    one, two, net = nn.Linear(1, 1), nn.Linear(1, 1), Net()
    everything = {id(parameter) for module in (one, two) for parameter in module.parameters()}
    read_optimised(net, {"encoder": one, "decoder": two}, everything, of(two, "weight", "bias"))
    assert (net.unoptimised, net.unoptimised_first) == (("encoder.weight", "encoder.bias"), True)


def test_it_is_read_anew_each_time() -> None:
    net = Net(unoptimised=("gone",), unoptimised_first=True)
    read_optimised(net, named(THREE), set(), set())
    assert (net.unoptimised, net.unoptimised_first) == ((), False)


def module_with(value: Any) -> nn.Module:
    net = nn.Module()
    net.held = value
    return net


LAYER = nn.Linear(2, 2)


@pytest.mark.parametrize(
    ("value", "count"),
    [
        ([LAYER, nn.ReLU()], 2),
        ((LAYER.weight,), 1),
        ({"a": {"b": [LAYER]}}, 2),
        ([LAYER, LAYER], 2),
        ([[[[LAYER]]]], 0),  # as deep as nobody looks
        ([1, "x", None, torch.zeros(2)], 0),
        ([0] * 1_000 + [LAYER], 0),  # a list of numbers or samples
        (nn.ModuleList([LAYER]), 0),
        ([], 0),
    ],
)
def test_parameters_in_plain_lists_are_found(value: Any, count: int) -> None:
    assert len(unlisted_parameters([module_with(value)])) == count


def test_what_is_registered_as_well_is_no_stray() -> None:
    net = nn.Sequential(LAYER)
    net.again = [LAYER]
    assert unlisted_parameters([net]) == set()
    assert unlisted_parameters([module_with([LAYER]), net]) == set()


def test_a_list_deep_in_the_net_is_looked_into() -> None:
    assert len(unlisted_parameters([nn.Sequential(nn.Sequential(module_with([LAYER])))])) == 2


def test_matrices_that_are_frozen_at_zero() -> None:
    net = nn.ModuleDict({"base": nn.Linear(4, 4), "up": nn.Linear(2, 4)})
    nn.init.zeros_(net["up"].weight)  # type: ignore[arg-type]
    assert read_net({"": net}).frozen_at_zero == ()
    net["base"].bias.data.zero_()  # type: ignore[operator, union-attr]
    net.requires_grad_(False)
    assert read_net({"": net}).frozen_at_zero == ("up.weight",)

"""Every training of a process is watched: which models belong to which optimizers, where one ends, the next begins."""

import copy
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim.optimizer import _global_optimizer_pre_hooks
from torch.utils.data import DataLoader, TensorDataset

from danlu.watch import Watch
from danlu.watch.everywhere import Everywhere

Program = Callable[[], object]
x = torch.randn(8, 4, generator=torch.Generator().manual_seed(0))


def net() -> nn.Sequential:
    return nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 1))


def steps(model: Any, optimizer: Any, count: int = 6) -> None:
    for _ in range(count):
        optimizer.zero_grad()
        model(x).mean().backward()
        optimizer.step()


def sgd(*models: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.SGD([one for model in models for one in model.parameters()], lr=0.01)


def one() -> None:
    model = net()
    steps(model, sgd(model))


def two_in_turn() -> None:
    generator, critic = net(), nn.Linear(1, 1)
    first, second = sgd(generator), sgd(critic)
    for _ in range(6):
        for optimizer in (first, second):
            optimizer.zero_grad()
            critic(generator(x)).mean().backward()
            optimizer.step()


def two_that_are_made_late() -> None:
    generator, critic = net(), net()
    first = sgd(generator)
    steps(generator, first)
    second = sgd(critic)
    for _ in range(3):
        steps(critic, second, 2)
        steps(generator, first, 2)


def one_after_the_other() -> None:
    kept = [net(), net()]
    for model in kept:
        steps(model, sgd(model))


def made_anew_each_epoch() -> None:
    model = net()
    for _ in range(3):
        steps(model, sgd(model))


def a_wrapper_around_it() -> None:
    class Trainer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model, self.loss = net(), nn.MSELoss()

    trainer = Trainer()
    steps(trainer.model, sgd(trainer.model))


def a_part_of_it() -> None:
    model = net()
    model[0].requires_grad_(False)
    steps(model, sgd(model[2]))


def a_teacher_beside_it() -> None:
    model, optimizer = net(), None
    teacher = copy.deepcopy(model)
    optimizer = sgd(model)
    for _ in range(6):
        teacher(x)
        steps(model, optimizer, 1)


def tensors_alone() -> None:
    weight = torch.ones(4, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=0.1)
    steps(lambda batch: batch @ weight, optimizer)


def tensors_that_take_turns_with_a_net() -> None:
    model, bias = net(), torch.zeros(1, requires_grad=True)
    first, second = sgd(model), torch.optim.SGD([bias], lr=0.1)
    for _ in range(6):
        steps(model, first, 1)
        steps(lambda batch: batch.detach() + bias, second, 1)


def asked_by_a_method_of_its_own() -> None:
    class Energy(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(4))

        def energy(self, batch: torch.Tensor) -> torch.Tensor:
            return batch @ self.weight

    model = Energy()
    steps(model.energy, sgd(model))


def gradients_taken_in_a_closure() -> None:
    weight = torch.ones(4, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight], lr=0.1, max_iter=1)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = (x @ weight).square().mean()
        loss.backward()
        return loss

    for _ in range(6):
        optimizer.step(closure)


def a_watch_of_its_own() -> None:
    model = net()
    optimizer = sgd(model)
    with Watch(model, optimizer, shown=False):
        steps(model, optimizer)


# The sizes of what is watched: of each training the number of models, and the steps made.
CASES: dict[Program, tuple[list[tuple[int, int]], int]] = {
    one: ([(1, 6)], 6),
    two_in_turn: ([(2, 6)], 12),
    two_that_are_made_late: ([(1, 6), (1, 2), (2, 5)], 18),
    one_after_the_other: ([(1, 6), (1, 6)], 12),
    made_anew_each_epoch: ([(1, 18)], 18),
    a_wrapper_around_it: ([(1, 6)], 6),
    a_part_of_it: ([(1, 6)], 6),
    a_teacher_beside_it: ([(1, 6)], 6),
    tensors_alone: ([(1, 5)], 6),
    tensors_that_take_turns_with_a_net: ([(1, 6)], 12),
    asked_by_a_method_of_its_own: ([(1, 5)], 6),
    gradients_taken_in_a_closure: ([(1, 6)], 6),
    a_watch_of_its_own: ([], 6),
}


@pytest.mark.every(4)
@pytest.mark.parametrize("program", CASES)
def test_what_is_watched(program: Program) -> None:
    init, call, iterate = torch.optim.Optimizer.__init__, nn.Module.__call__, torch.utils.data.DataLoader.__iter__
    began: list[int] = []
    ended: list[Watch] = []

    def begin(models: Mapping[str, nn.Module], optimizers: Sequence[Any]) -> Watch:
        began.append(len(models))
        return Watch(models, list(optimizers), shown=False)

    with Everywhere(begin, ended.append) as everywhere:
        program()
    trainings, made = CASES[program]
    assert [(size, watch.measured.step) for size, watch in zip(began, ended, strict=True)] == trainings
    assert everywhere.steps == made
    assert not [finding.rule for watch in ended for finding in watch.findings if finding.severity == "error"]
    assert torch.optim.Optimizer.__init__ is init
    assert nn.Module.__call__ is call
    assert torch.utils.data.DataLoader.__iter__ is iterate


@pytest.mark.slow
def test_models_go_by_the_names_that_the_code_has_for_them() -> None:
    names: list[list[str]] = []

    def begin(models: Mapping[str, nn.Module], optimizers: Sequence[Any]) -> Watch:
        names.append(list(models))
        return Watch(models, list(optimizers), shown=False)

    with Everywhere(begin):
        two_in_turn()
        one()
    assert [sorted(one) for one in names] == [["critic", "generator"], [""]]


@pytest.mark.parametrize("held_out", [False, True])
def test_a_loader_that_was_begun_before_is_known_as_that_of_the_training(held_out: bool) -> None:
    trained, other = (DataLoader(TensorDataset(torch.randn(20, 4)), 8, drop_last=True) for _ in range(2))
    with Everywhere(lambda models, optimizers: Watch(models, list(optimizers), shown=False)) as everywhere:
        model = net()
        optimizer = sgd(model)
        for (batch,) in trained:
            steps(lambda _, batch=batch: model(batch), optimizer, 1)
            with torch.no_grad():
                for (rows,) in other if held_out else trained:
                    model.eval()(rows)
            model.train()
    assert ("drops" in everywhere.watches[0].measured.unfair) is held_out  # of what is trained on nothing is lost


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_is_left_alone() -> None:
    with Everywhere(lambda models, optimizers: Watch(models, list(optimizers), shown=False)) as everywhere:
        model = net()
        optimizer = sgd(model)
        steps(model, optimizer)
        child = os.fork()
        if not child:
            os._exit(1 if _global_optimizer_pre_hooks else 0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        steps(model, optimizer)
    assert everywhere.watches[0].measured.step == 12

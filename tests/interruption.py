"""What tests of resuming need: a Ctrl-C at a planned moment, and the comparison of two ends bit for bit."""

import os
import signal

import pytest
import torch

import danlu
from danlu.base.events import Event, StepDone, Stop
from danlu.run import training as training_module
from danlu.run.interrupt import Interrupt
from danlu.train.checkpoint import Checkpoint, load_newest


def end(run: danlu.Run) -> Checkpoint:
    checkpoint = load_newest(run.folder / "checkpoints").checkpoint
    assert checkpoint is not None
    return checkpoint


def assert_same_end(one: danlu.Run, other: danlu.Run) -> None:
    first, second = end(one), end(other)
    assert first.parts.keys() == second.parts.keys()
    for part, tensors in first.parts.items():
        for name, tensor in tensors.items():
            assert torch.equal(tensor, second.parts[part][name]), f"{part} {name}"
    states = [{key: value for key, value in state.items() if key != "seconds"} for state in (first.state, second.state)]
    assert states[0] == states[1]
    assert one.score == other.score
    assert one.history.equals(other.history)


def interrupt_at(monkeypatch: pytest.MonkeyPatch, *moments: int | str) -> None:
    """Let Ctrl-C fall at these steps of the following trainings, one each; "validation" is in the first validation."""
    left = list(moments)

    class Planned(Interrupt):
        def __init__(self, folder: str) -> None:
            super().__init__(folder)
            self.moment = left.pop(0) if left else None

        def __call__(self, event: Event) -> Stop | None:
            if isinstance(event, StepDone) and event.step == self.moment:
                os.kill(os.getpid(), signal.SIGINT)
            if self.moment == "validation" and isinstance(event, StepDone) and event.step % 32 == 0:
                self.asked_in_validation = True
            return super().__call__(event)

        @property
        def asked(self) -> bool:
            return self._asked or (self.moment == "validation" and getattr(self, "asked_in_validation", False))

        @asked.setter
        def asked(self, value: bool) -> None:
            self._asked = value

    monkeypatch.setattr(training_module, "Interrupt", Planned)

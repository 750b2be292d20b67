"""What a person sees while a training runs: a bar in a terminal, one plain line an epoch elsewhere."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from danlu.base.errors import Fault
from danlu.base.events import EpochDone, Event, StepDone, Stop, TrainingStarted
from danlu.base.recipe import Recipe
from danlu.base.records import Score
from danlu.base.smoothing import smooth
from danlu.base.words import say

_REFRESH_SECONDS = 0.25


class Reporter:
    """A listener that tells how far the training is, on standard error; silent when not `shown`."""

    def __init__(self, shown: bool, console: Console | None = None) -> None:
        self._shown = shown
        self._console = console or Console(stderr=True, highlight=False)
        self._live = shown and self._console.is_terminal
        self._bar = Progress(
            TextColumn("{task.fields[epoch]}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[line]}"),
            console=self._console,
            auto_refresh=False,
            transient=True,
            disable=not self._live,
        )
        self._beta = 1.0
        self._losses: list[torch.Tensor] = []
        self._smoothed: float | None = None
        self._validation = ""
        self._samples = 0
        self._drawn_at = self._epoch_at = time.monotonic()

    def note(self, fault: Fault) -> None:
        """Tell something the user should know."""
        if self._shown:
            self._console.print(f"! {fault}", style="yellow", markup=False, soft_wrap=True)

    def opening(
        self,
        folder: Path,
        recipe: Recipe,
        data: str,
        sizes: Mapping[str, int],
        parameters: int,
        notes: Sequence[Fault],
    ) -> None:
        """Say what is about to be trained, and what was decided on the user's behalf."""
        self._beta = recipe.train.smoothing
        if not self._shown:
            return
        name = recipe.net.options.get("class", recipe.net.name)
        self._print(say("view.opening", net=name, parameters=f"{parameters:,}", data=data, **sizes))
        self._print(say("view.opening-run", folder=folder, optimiser=recipe.optim.name, lr=recipe.optim.lr))
        for note in notes:
            self.note(note)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def __call__(self, event: Event) -> Stop | None:
        if isinstance(event, StepDone):
            self._samples += event.samples
            if self._live:
                self._losses.append(event.loss)
                if time.monotonic() - self._drawn_at > _REFRESH_SECONDS:
                    self._draw(event)
        elif not self._shown:
            pass
        elif isinstance(event, TrainingStarted):
            self._start(event)
        else:
            self._epoch(event)
        return None

    def _start(self, event: TrainingStarted) -> None:
        self._started_at = self._epoch_at = time.monotonic()
        self._first_step = event.step
        self._epochs = event.epochs
        self._steps_per_epoch = event.steps_per_epoch
        total = event.epochs * event.steps_per_epoch
        self._task = self._bar.add_task("", total=total, completed=event.step, epoch="", line="")

    def _draw(self, event: StepDone) -> None:
        now = time.monotonic()
        read = smooth(torch.stack(self._losses).tolist(), self._beta, self._smoothed)
        self._losses, self._smoothed = [], read[-1]
        line = say(
            "view.bar",
            step=(event.step - 1) % self._steps_per_epoch + 1,
            steps=self._steps_per_epoch,
            loss=f"{self._smoothed:.4f}",
            validation=self._validation,
            rate=f"{self._samples / max(now - self._epoch_at, 1e-9):,.0f}",
            left=_clock(self._seconds_left(event.step, now)),
        )
        epoch = say("view.bar-epoch", epoch=event.epoch, epochs=self._epochs)
        self._bar.update(self._task, completed=event.step, epoch=epoch, line=line)
        self._bar.refresh()
        self._drawn_at = now

    def _epoch(self, event: EpochDone) -> None:
        now = time.monotonic()
        self._validation = "" if not event.validation else say("view.validation", score=main_score(event.validation))
        if not self._live:
            line = say(
                "view.epoch-line",
                epoch=event.epoch,
                epochs=self._epochs,
                loss=f"{event.train['loss']:.4f}",
                validation=self._validation,
                rate=f"{self._samples / max(now - self._epoch_at, 1e-9):,.0f}",
                left=_clock(self._seconds_left(event.step, now)),
            )
            self._print(line)
        self._samples, self._epoch_at = 0, now

    def _seconds_left(self, step: int, now: float) -> float:
        done = step - self._first_step
        left = self._epochs * self._steps_per_epoch - step
        return (now - self._started_at) / max(1, done) * left

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=True)


def main_score(score: Score) -> str:
    """The number people look at first: accuracy, else R², else the loss.

    >>> main_score({"loss": 0.1, "accuracy": 0.97512})
    'accuracy 0.9751'
    """
    name = next(name for name in ("accuracy", "r2", "loss") if name in score)
    return f"{say(f'view.metric-{name}')} {score[name]:.4f}"


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"

"""What a person sees while a training runs: a bar in a terminal, one plain line an epoch elsewhere."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import torch
from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from danlu.base.errors import Fault
from danlu.base.events import EpochDone, Event, StepDone, Stop, TrainingStarted
from danlu.base.metric_names import metric_name
from danlu.base.recipe import Recipe
from danlu.base.records import Finding, Score
from danlu.base.smoothing import smooth
from danlu.base.telling import steady_error
from danlu.base.words import say
from danlu.view.figures.names import score_text
from danlu.view.findings import print_findings
from danlu.view.opening import choices
from danlu.view.terminal import PlainConsole

_REFRESH_SECONDS = 0.25
_BAR_WIDTHS = (8, 24)


class Reporter:
    """A listener that tells how far the training is, on standard error; not `shown`, it tells only what is amiss."""

    def __init__(self, shown: bool, console: Console | None = None) -> None:
        self._shown = shown
        self._console = console or PlainConsole(file=steady_error())
        self._live = shown and self._console.is_interactive
        self._columns = (TextColumn("{task.fields[epoch]}"), BarColumn(), TextColumn("{task.fields[line]}"))
        self._bar = Progress(*self._columns, console=self._console, auto_refresh=False, transient=True)
        self._beta = 1.0
        self._folder = Path()
        self._open_ended = False
        self._losses: list[torch.Tensor] = []
        self._smoothed: float | None = None
        self._validation: Score = {}
        self._samples = 0
        self._drawn_at = self._epoch_at = time.monotonic()

    def note(self, fault: Fault) -> None:
        """Tell something the user must know, whether the rest is shown or not."""
        self._console.print(f"! {fault}", style="yellow", markup=False, soft_wrap=True)

    def finding(self, finding: Finding) -> None:
        """Tell what watch has found."""
        if self._shown:
            print_findings(self._console, [finding], self._folder)

    def stopped_early(self, epoch: int, patience: int) -> None:
        """Say that early stopping has ended the training."""
        if self._shown:
            self._print(say("view.stopped-early", epoch=epoch, patience=patience))

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
        self._beta, self._folder = recipe.train.smoothing, folder
        self._open_ended = recipe.train.open_ended
        if not self._shown:
            return
        self._print(say("view.opening", net=recipe.net.label, parameters=f"{parameters:,}", data=data, **sizes))
        self._print(choices(recipe))
        self._print(say("view.opening-run", folder=folder))
        for note in notes:
            self.note(note)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
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
        total = None if self._open_ended else event.epochs * event.steps_per_epoch
        self._task = self._bar.add_task("", total=total, completed=event.step, epoch="", line="")
        if self._live:
            self._bar.start()

    def _draw(self, event: StepDone) -> None:
        now = time.monotonic()
        read = smooth(torch.stack(self._losses).tolist(), self._beta, self._smoothed)
        self._losses, self._smoothed = [], read[-1]
        epoch, parts = self._parts(event, self._smoothed, now)
        step = (event.step - 1) % self._steps_per_epoch + 1
        parts = {"step": say("view.step", step=step, steps=self._steps_per_epoch), **parts}
        self._bar.update(self._task, completed=event.step, epoch=epoch, line=self._fitted(epoch, parts))
        self._bar.refresh()
        self._drawn_at = now

    def _epoch(self, event: EpochDone[Score]) -> None:
        now = time.monotonic()
        self._validation = event.validation or {}
        if not self._live:
            epoch, parts = self._parts(event, event.train["loss"], now)
            self._print("  ".join([epoch, *parts.values()]))
        self._samples, self._epoch_at = 0, now

    def _parts(self, event: StepDone | EpochDone[Score], loss: float, now: float) -> tuple[str, dict[str, str]]:
        """Which epoch it is, and what there is to tell, in the order in which it is shown."""
        parts = {"loss": say("view.loss", loss=score_text(loss))}
        if self._validation:
            score = main_score(self._validation)
            # Chinese has a blank in front of "R²", and none in front of its own words.
            parts["validation"] = say(f"view.validation{'-short' if score[:1].isascii() else ''}", score=score)
        parts["rate"] = say("view.rate", rate=self._rate(now))
        if self._open_ended:
            return say("view.epoch-open", epoch=event.epoch), parts
        parts["left"] = say("view.left", left=_clock(self._seconds_left(event.step, now)))
        return say("view.epoch", epoch=event.epoch, epochs=self._epochs), parts

    def _fitted(self, epoch: str, parts: dict[str, str]) -> str:
        """The parts on one line; where that is too narrow, less: no bar, shorter words, then fewer of them."""
        rate = say("view.rate-short", rate=self._rate(time.monotonic()))
        score = main_score(self._validation).rpartition(" ")[2] if self._validation else ""
        validation = say("view.validation-short", score=score) if score else ""
        room = self._console.width - cell_len(epoch) - 1
        as_it_is = ("rate", parts["rate"])
        for part, text in (as_it_is, ("rate", rate), ("validation", validation), ("rate", ""), ("step", "")):
            parts[part] = text
            line = "  ".join(text for text in parts.values() if text)
            if cell_len(line) <= room:
                break
        first, bar, last = self._columns
        least, most = _BAR_WIDTHS
        left = room - cell_len(line) - 1
        bar.bar_width = min(left, most)
        self._bar.columns = (first, bar, last) if left >= least else (first, last)
        return line

    def _rate(self, now: float) -> str:
        return f"{self._samples / max(now - self._epoch_at, 1e-9):,.0f}"

    def _seconds_left(self, step: int, now: float) -> float:
        done = step - self._first_step
        left = self._epochs * self._steps_per_epoch - step
        return (now - self._started_at) / max(1, done) * left

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=True)


def main_score(score: Score) -> str:
    """The number people look at first: accuracy, R² or F1, else the loss.

    >>> main_score({"loss": 0.1, "accuracy": 0.97512})
    'accuracy 0.9751'
    """
    name = next((name for name in ("accuracy", "r2", "f1", "loss") if name in score), next(iter(score)))
    return f"{metric_name(name)} {score_text(score[name])}"


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"

"""A run to be tried out in the browser, as a server on this machine, until it is stopped."""

from pathlib import Path
from typing import Any, ClassVar, Protocol

from danlu.serve.listening import HOST, LocalPage
from danlu.serve.trial_app import make_trial_app
from danlu.ship import Answerer, RunOnTrial


class Answering(Protocol):
    """A run that can answer, as `danlu.Run` does."""

    @property
    def folder(self) -> Path: ...

    @property
    def answerer(self) -> Answerer: ...

    @property
    def error_band(self) -> Any: ...  # an ErrorBand or None, which a Run keeps once it is known


class TrialPage(LocalPage):
    """A run to be tried out: whoever has its address can ask it."""

    opened: ClassVar[str] = "serve.try-opened"
    exposed: ClassVar[str] = "serve.try-exposed"


def try_out(run: Answering, *, host: str = HOST, port: int | None = None, browser: bool = True) -> None:
    """Try a `danlu.Run` out in the browser until Ctrl-C: draw a digit, drop a picture, fill in a row, type a text.

    Listens on 127.0.0.1 alone unless `host` says otherwise; on `port`, else on the first free one from 8765 on.
    Raises UserError where the run cannot answer, or takes nothing that a page can ask for.
    """
    open_trial(run, host=host, port=port).show(browser=browser)


def open_trial(run: Answering, *, host: str = HOST, port: int | None = None) -> TrialPage:
    """What `try_out` serves, listening but not serving yet."""
    trial = RunOnTrial(run.answerer, run.error_band)
    form = trial.form() | {"name": run.folder.name}
    return TrialPage.open(run.folder, host, port, lambda bound, token: make_trial_app(trial, form, host, bound, token))

"""Run: one carrying-out of a recipe, read from its folder."""

import copy
import functools
from pathlib import Path
from typing import Any

import torch
from torch import nn

from danlu.base.errors import fail
from danlu.base.finding_text import Findings
from danlu.base.recipe import Recipe
from danlu.base.recipe_text import read_recipe
from danlu.base.records import Score
from danlu.base.seeds import choose_device
from danlu.data import Dataset
from danlu.lab.pictures import run_info
from danlu.lab.setup import build_net, dtype_of, load_data, refuse_other_structure, sample_dtype
from danlu.store.history import History
from danlu.store.journal import read
from danlu.store.run_folder import RunFolder
from danlu.train.carried import Carried
from danlu.train.checkpoint import load_newest
from danlu.train.predictions import predicted
from danlu.view.report import run_html


class Run:
    """A run folder with what it holds: recipe, scores, history, findings, weights.

    A Run that `fit` returns also remembers the net and the data it was given; one opened from a folder builds them
    again from the recipe, and asks for them where the recipe cannot. `data` may also say where they lie by now.
    """

    def __init__(self, folder: str | Path, *, net: nn.Module | None = None, data: object = None) -> None:
        if net is not None and not isinstance(net, nn.Module):  # pyright: ignore[reportUnnecessaryIsInstance]
            fail("lab.not-a-module", found=type(net).__name__)
        self._place = RunFolder(RunFolder.open(Path(folder)).path.absolute())
        self._net = net
        self._given = data

    @property
    def folder(self) -> Path:
        return self._place.path

    @functools.cached_property
    def recipe(self) -> Recipe:
        return read_recipe(self._place.recipe)

    @functools.cached_property
    def _record(self) -> History:
        return History.of(read(self._place.journal))

    @property
    def epochs(self) -> int:
        """Epochs done."""
        return len(self._record.epochs)

    @property
    def steps(self) -> int:
        """Updates done."""
        return self._record.steps[-1] if self._record.steps else 0

    @property
    def seconds(self) -> float:
        """Seconds spent training."""
        return self._record.seconds

    @property
    def finished(self) -> bool:
        return self._record.finished

    @property
    def score(self) -> dict[str, Score]:
        """Scores by part: "train", "validation" and "test"; empty until the run has ended."""
        return self._record.score

    @property
    def findings(self) -> Findings:
        return Findings(self._record.findings)

    @property
    def history(self) -> Any:
        """A polars frame, one row a step. `pandas.DataFrame(run.history.to_dict(as_series=False))` is a pandas one."""
        return self._record.frame(self.recipe.train.smoothing)

    def net(self, net: nn.Module | None = None) -> nn.Module:
        """The trained net in evaluation mode, on the CPU: a copy, with the weights that were scored.

        `net` is a net of the same structure, needed where the run's own was given as an object in another session.
        """
        template = net or self._net
        trained = copy.deepcopy(template) if template is not None else build_net(self.recipe, self.data)
        checkpoint = load_newest(self._place.checkpoints).checkpoint
        if checkpoint is None:
            fail("lab.no-checkpoint", folder=self.folder)
        train = self.recipe.train
        if train.scores_best and "best" in checkpoint.parts:
            weights = checkpoint.parts["best"]
        elif "ema" in checkpoint.parts:
            averaged = checkpoint.parts["ema"].items()
            weights = {name.removeprefix("module."): tensor for name, tensor in averaged if name != "n_averaged"}
        else:
            weights = checkpoint.parts["weights"]
        trained = trained.to(device="cpu", dtype=dtype_of(train.precision))
        refuse_other_structure(trained, weights, self.folder)
        trained.load_state_dict(weights)
        return trained.eval()

    def predict(self, x: object) -> Any:
        """Labels, or numbers in the target's own unit, for raw samples of the kind the run was trained on.

        `x` is a batch: images, an array [N, …], texts, or a table with the training table's columns. A language model
        gives the likeliest next token of each text.
        """
        data, net = self.data, self._final_net if self.finished else self.net()
        weights = next((parameter.dtype for parameter in net.parameters()), torch.float32)
        inputs = data.encode(x).to(choose_device("cpu"), sample_dtype(net, data, weights))
        with torch.no_grad():
            outputs = torch.cat([Carried(net)(part) for part in inputs.split(1024)])
        found = predicted(outputs, data.task, data.outputs)
        if data.task == "language":
            last = (inputs != 0).sum(1).clamp(min=1) - 1  # behind a text's end stands padding
            return [data.decode(tokens[place]) for tokens, place in zip(found, last, strict=True)]
        return data.decode(found)

    @functools.cached_property
    def data(self) -> Dataset:
        """The data it was trained on. UserError where they were given as objects in another session."""
        return load_data(self.recipe.data, self._given)

    def as_dict(self) -> dict[str, Any]:
        """The object that `--json` prints."""
        return {
            "run": str(self.folder),
            "recipe": self.recipe.as_dict(),
            "epochs": self.epochs,
            "steps": self.steps,
            "seconds": self.seconds,
            "finished": self.finished,
            "score": self.score,
            "findings": [vars(finding) for finding in self.findings],
        }

    def _repr_html_(self) -> str:
        """What a notebook shows: summary, findings and curves."""
        return run_html(run_info(self._place, self._record))

    def __repr__(self) -> str:
        state = "finished" if self.finished else f"{self.steps} steps"
        return f"Run({str(self.folder)!r}, {state})"

    @functools.cached_property
    def _final_net(self) -> nn.Module:
        return self.net()

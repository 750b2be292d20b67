"""Run: one carrying-out of a recipe, read from its folder."""

import copy
import functools
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import nn

from danlu import run as run_parts  # loaded where they are asked for
from danlu import ship
from danlu.base.errors import DataWarning, Fault, UserError, fail
from danlu.base.events import Listener
from danlu.base.own_code import file_and_maker
from danlu.base.places import shown
from danlu.base.recipe import Recipe
from danlu.base.recipe_text import read_recipe
from danlu.base.records import Score
from danlu.data import Dataset
from danlu.data.preprocessing import Preprocessing
from danlu.data.readers.csv_text import FileOptions
from danlu.run.building import build_net, dtype_of, sample_dtype
from danlu.run.called_as import called_as
from danlu.run.own.metric import MetricLike
from danlu.run.own.nets import refuse_unasked, telling_where_net_was, with_net_at
from danlu.run.own.program import answerer_of_program
from danlu.run.package import Package, read_package, without_samples
from danlu.run.run_record import RunRecord
from danlu.run.scored_net import answerer_of, scored_net, scored_weights
from danlu.ship import (
    Answerer,
    Answers,
    ErrorBand,
    Prediction,
    Tally,
    export,
    generate,
    joined,
    read_given,
    read_rows,
)


class Run(RunRecord):
    """A run folder with what it holds: recipe, scores, history, findings, weights.

    It answers from the folder alone; a net of the user's own does so as the program beside its weights, and has to be
    given again where torch could make none of it, or where the net itself is wanted. What needs the samples themselves
    loads them by the recipe; `data` brings those that were given as objects, or says where they lie by now. `net` does
    the same: a module, or the file (`my_nets.py:Net`) of a net that was trained from one.
    """

    def __init__(self, folder: str | Path, *, net: nn.Module | str | None = None, data: object = None) -> None:
        if net is not None and not isinstance(net, nn.Module) and file_and_maker(net) is None:
            fail("lab.not-a-module", found=type(net).__name__)
        super().__init__(folder)
        self._net = net if isinstance(net, nn.Module) else None
        self._net_at = net if isinstance(net, str) else None
        self._given = data

    @functools.cached_property
    def recipe(self) -> Recipe:
        recipe = read_recipe(self._place.recipe)
        return recipe if self._net_at is None else with_net_at(recipe, self._net_at)

    def built(self, data: Dataset | Preprocessing) -> nn.Module:
        """The net that the recipe names, with its first weights. Code of the user's own is run for that where the net
        is in such a file, which is held to its SHA-256.
        """
        if self._net_at is None:
            refuse_unasked(self.recipe, self._place)
        with telling_where_net_was(self.recipe, self._place):
            return build_net(self.recipe, data)

    def net(self, net: nn.Module | None = None) -> nn.Module:
        """The trained net in evaluation mode, on the CPU: a copy, with the weights that were scored.

        `net` is a net of the same structure, needed where the run's own was given as an object in another session.
        """
        self.refuse_imported()
        template = net or self._net
        own = copy.deepcopy(template) if template is not None else self.built(self.preprocessing)
        weights = scored_weights(self._place, self.recipe, finished=self.finished)
        answers = self._package.answers if self._package is not None and self.finished else None
        if answers is not None and weights.file != answers.weights:
            fail("lab.other-weights", file=weights.file.file, folder=shown(self.folder))
        scored = scored_net(self._place, self.recipe, own, weights)
        dtype = sample_dtype(scored, self.preprocessing, dtype_of(self.recipe.train.precision))
        return called_as(scored, self.recipe, self.preprocessing, dtype)[0]

    def fit(
        self,
        *,
        epochs: str,
        schedule: str | None = None,
        folder: str | Path | None = None,
        name: str | None = None,
        listeners: Sequence[Listener] | None = None,
        metrics: Mapping[str, MetricLike] | None = None,
        loss: object = None,
        optimizer: object = None,
        notify: str | None = None,
        progress: bool = True,
        **settings: Any,
    ) -> "Run":
        """Train this run, which has ended, further: `epochs="+20"` is for 20 epochs more. The new run comes back; this
        one stays as it is.

        The new one begins with all that this one ended with, the optimiser's state and the number of the epoch too, so
        that with a schedule that does not depend on the length its weights are those of one training in one go. A
        schedule that does (cosine, one-cycle) has come to its end: `schedule` "restarted", as without a word, runs it
        once more over the new epochs, "extended" stretches it over all of them. Of the other settings `patience` (then
        counted anew), `lr`, `track` and those of the schedule may change. `folder`, `name`, `listeners`, `metrics` and
        `notify` are as for `danlu.fit`; a `loss` or an `optimizer` of your own is given again as it was. Raises
        UserError where this run has not ended, has diverged, or its last checkpoint or its data are not what they were.

        >>> import tempfile, danlu
        >>> run = danlu.fit("softmax-regression", "iris", epochs=1, folder=tempfile.mkdtemp(), progress=False)
        >>> run.fit(epochs="+2", folder=tempfile.mkdtemp(), progress=False).epochs
        3
        """
        net = copy.deepcopy(self._net) if self._net is not None else None
        path, setup = run_parts.go_on(
            self,
            epochs,
            net=net,
            data=self._given,
            schedule=schedule,
            folder=folder,
            name=name,
            listeners=listeners,
            metrics=metrics,
            loss=loss,
            optimizer=optimizer,
            notify=notify,
            progress=progress,
            settings=settings,
        )
        return Run(path, net=setup.net, data=setup.data)

    def predict(self, x: object, *, beam: int = 1) -> Any:
        """Labels, or numbers in the target's own unit, for raw samples of the kind the run was trained on. Of several
        numbers [N, T] in the order of `run.preprocessing.targets`; of several labels a list for each sample.

        `x` is a batch: an array [N, …] of images or numbers, texts, or a table with the training table's columns (a
        polars or pandas DataFrame, a dict of columns, a list of dicts); or files: the path of a table, an array, an
        image or a folder of them, Pillow images of any size, or a list of these. A language model gives the likeliest
        next token of each text. A translation gives the texts that it writes: with the likeliest token each time, or
        with a `beam` the best of so many beginnings that are gone on with. The run answers from its own folder,
        whatever has become of its data. Raises UserError for samples that it cannot take, or that are certainly on
        another scale; warns (DataWarning) of numbers far outside the training part's range.
        """
        return joined(self._answers(x, lambda answers: answers.values, beam))

    def predict_proba(self, x: object) -> Any:
        """The probability of each class, as NumPy float64 [N, C], for raw samples as `predict` takes them.

        Columns are in the order of `run.preprocessing.classes`, and each row sums to 1 unless a sample may have
        several labels. UserError where there are none.
        """
        if not self.preprocessing.classes:
            fail("ship.no-classes", task=Fault(f"base.task-{self.preprocessing.task}"))
        return joined(self._answers(x, lambda answers: answers.probabilities)).numpy()

    def _answers(self, x: object, wanted: Callable[[Answers], Any], beam: int = 1) -> list[Any]:
        """What is wanted of the answers for raw samples, portion by portion."""
        answerer, found = self.answerer, list[Any]()
        answerer.check_beam(beam)
        for rows in read_given(x, self.preprocessing, self.recipe.data.target, self._file_options):
            for remark in rows.remarks:
                warnings.warn(str(remark), DataWarning, stacklevel=3)  # the caller of the method that was asked
            found.append(wanted(answerer.answers(rows.encoded, beam)))
        return found

    @property
    def _file_options(self) -> FileOptions:
        return FileOptions(self.recipe.data.header, self.recipe.data.encoding, self.recipe.data.sheet)

    def predict_files(self, *paths: str | Path, beam: int = 1) -> Iterator[Prediction]:
        """Answers for files, or folders of pictures, of the kind the run was trained on: what `danlu predict` shows.
        `beam` is as for `predict`."""
        answerer = self.answerer  # once: of a run that has not finished it is read from the disk
        for path in paths:
            for rows in read_rows(Path(path), self.preprocessing, self.recipe.data.target, self._file_options):
                yield Prediction(rows, answerer.answers(rows.encoded, beam))

    def evaluate(self, *data: object, part: str = "test", beam: int = 1) -> Score:
        """The metrics on samples with their right answers; those without one, or with a class that the run never met,
        do not count.

        `data` are files, frames, dicts of columns or lists of dicts that hold the column the run was trained to
        predict; pairs (x, y) of samples as `predict` takes them and their labels or numbers; or Datasets, of which
        `part` is scored. `beam` is as for `predict`. UserError where no sample has a right answer.
        """
        if self.preprocessing.task in ("language", "reconstruction"):
            fail("ship.not-evaluated", task=Fault(f"base.task-{self.preprocessing.task}"))
        tally, answerer = Tally(self.preprocessing), self.answerer
        answerer.check_beam(beam)
        for one in data:
            for rows in ship.read_scored(one, self.preprocessing, self.recipe.data.target, self._file_options, part):
                tally.add(Prediction(rows, answerer.answers(rows.encoded, beam)))
        return tally.score()

    def generate(
        self, text: str, *, tokens: int = 200, temperature: float = 1.0, top_k: int | None = None, seed: int = 0
    ) -> str:
        """`text` and what a language model goes on with; see `danlu.ship.generate`."""
        return generate(self.answerer, text, tokens=tokens, temperature=temperature, top_k=top_k, seed=seed)

    def export(self, path: str | Path, *, raw: bool = False) -> "export.ExportProof":
        """Write the run as one file that answers raw samples: `path` ends in .onnx or .pt2, or in neither for a folder
        in the layout of the Hugging Face Hub.

        It is proved before it gets its name: on the whole test part, as raw samples, it must give every label that the
        run gives and the same score. `raw` leaves strings and labels outside, for runtimes that have neither.
        UserError, and nothing is left behind, where that fails.
        """
        try:
            data: Dataset | UserError = self.samples
        except UserError as error:
            data = error
        made = run_parts.exporting(self, self.answerer, data, self._package, self.error_band)
        return export.export(replace(made, raw=raw), Path(path))

    @functools.cached_property
    def error_band(self) -> ErrorBand | None:
        """How far the answers of a regression of one number lay from the true values on the test part; None where that
        is not known.
        """
        residuals = next((told.residuals for told in self._told.predictions if told.residuals), None)
        return None if residuals is None else ErrorBand.of(residuals.predicted, residuals.actual)

    @property
    def answerer(self) -> Answerer:
        """Net and preprocessing, which answer together."""
        return self._final_answerer if self.finished else answerer_of(self.net(), self.preprocessing)

    @functools.cached_property
    def preprocessing(self) -> Preprocessing:
        """What was fitted to the training part, from the run's own folder: `encode`, `decode`, `classes` …"""
        self.refuse_imported()
        if self._package is not None:
            return self._package.preprocessing
        try:
            return Preprocessing.of(self.samples)
        except UserError as error:
            raise UserError(Fault("lab.no-package", {"folder": shown(self.folder)}), *error.faults) from None

    @functools.cached_property
    def samples(self) -> Dataset:
        """The data it was trained on, loaded again. UserError where they were given as objects in another session, are
        gone, or are not those it was trained on, with what has changed.
        """
        self.refuse_imported()
        return run_parts.load_trained(self._place, self.recipe, self._given)

    @functools.cached_property
    def data(self) -> Dataset:
        """The data it was trained on; where `samples` cannot be had, what the run's folder tells of them (classes,
        sizes, encoder), and the reason as soon as a sample is asked for.
        """
        try:
            return self.samples
        except UserError as error:
            if self._package is None:
                raise
            return without_samples(self._package, self.recipe, error)

    @functools.cached_property
    def _package(self) -> Package | None:
        return read_package(self._place.package)

    def _repr_html_(self) -> str:
        """What a notebook shows: summary, findings and curves."""
        return run_parts.run_html(run_parts.run_info_of(self._place, self._told))

    @functools.cached_property
    def _final_answerer(self) -> Answerer:
        try:
            return answerer_of(self.net(), self.preprocessing)
        except UserError as error:
            answers = None if self._package is None else self._package.answers
            return answerer_of_program(self._place, self.preprocessing, answers, error)

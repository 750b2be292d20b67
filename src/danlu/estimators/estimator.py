"""What danlu's estimators share: settings as scikit-learn's parameters, a run behind fit, and copies that answer."""

import contextlib
import copy
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

from sklearn.base import BaseEstimator
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted
from torch import nn

from danlu.base.errors import fail
from danlu.base.keywords import home_of
from danlu.data.table.frames import is_frame
from danlu.estimators.mistakes import as_value_errors
from danlu.estimators.run_home import live_together, new_home, packed, unpacked
from danlu.estimators.samples import data_of, to_be_answered, weighted
from danlu.run.fit import fit
from danlu.run.pictures import without_overviews
from danlu.run.run import Run

_OWN = ("net", "folder", "verbose")  # parameters that are no settings of a recipe


class Estimator(BaseEstimator):
    """A net by name (or a module, or None: the one that the data call for), with settings as `danlu.fit` takes them.

    What is None is left to danlu. `settings` are all other keys of a recipe and options of the net, flat (`momentum`,
    `hidden`), with their section (`data__validation`, `optim__lr`) or as a section in a dict. Runs lie in `folder`,
    each fit in a folder of its own; without one, in a temporary folder that lives as long as `run_`. Nothing is
    checked before `fit`.
    """

    run_: Run

    def __init__(
        self,
        net: Any = None,
        *,
        epochs: int | None = None,
        lr: float | None = None,
        batch_size: int | None = None,
        optim: Any = None,
        loss: Any = None,
        patience: int | None = None,
        seed: int | None = None,
        folder: str | Path | None = None,
        verbose: bool = False,
        **settings: Any,
    ) -> None:
        self.net = net
        self.epochs = epochs
        self.lr = lr
        self.batch_size = batch_size
        self.optim = optim
        self.loss = loss
        self.patience = patience
        self.seed = seed
        self.folder = folder
        self.verbose = verbose
        self._take(settings)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Every parameter by name: those of the signature, and the further settings that were given."""
        return super().get_params(deep) | dict(self._further())

    def set_params(self, **params: Any) -> Self:
        """Set parameters, also settings that were not given so far: `set_params(momentum=0.5, optim__lr=0.1)`."""
        known = super().get_params(deep=False)
        super().set_params(**{name: value for name, value in params.items() if name in known})
        self._take({name: value for name, value in params.items() if name not in known})
        return self

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def _take(self, settings: Mapping[str, Any]) -> None:
        for name, value in settings.items():
            if hasattr(type(self), name) or name.startswith("_") or name.endswith("_"):
                with as_value_errors():
                    fail("estimators.no-parameter", name=name)
            setattr(self, name, value)

    def _further(self) -> Iterator[tuple[str, Any]]:
        """Settings that the signature does not name. What is no parameter has an underscore at one of its ends."""
        known = self._get_param_names()
        for name, value in vars(self).items():
            if name not in known and not name.startswith("_") and not name.endswith("_"):
                yield name, value

    def _settings(self, task: str) -> dict[str, Any]:
        """The settings of the run. All samples are trained on or chosen by: none is put aside for a test."""
        given: dict[str, Any] = {}
        for name, value in self.get_params(deep=False).items():
            if name == "data":
                if not isinstance(value, Mapping):
                    fail("lab.data-given-twice", keys="data")
                given.update({f"data.{key}": one for key, one in value.items()})
            elif name not in _OWN and value is not None:
                given[name.replace("__", ".")] = value
        if not any(home_of(name, value) == ["data.test"] for name, value in given.items()):
            given["data.test"] = 0.0
        return {"progress": self.verbose, **given, "data.task": task}

    def _train(self, x: Any, y: Any, task: str, weights: Any) -> Self:
        """Train on X and y that have been checked."""
        net = copy.deepcopy(self.net) if isinstance(self.net, nn.Module) else self.net  # a fit changes no parameter
        with as_value_errors():
            data, more = data_of(x, y, weights)
            settings = {**self._settings(task), **more}
            if weights is not None and not is_frame(x):
                data, settings = weighted(data, weights, settings)
            home = new_home(self.folder)
            try:
                # What lies in a temporary folder is looked at by nobody, and often it is one of many.
                with without_overviews() if self.folder is None else contextlib.nullcontext():
                    self.run_ = fit(net, data, folder=home, **settings)
            except Exception:
                if not any(home.iterdir()):  # what was trained before the disk was full can be gone on with
                    home.rmdir()
                elif self.folder is None:
                    shutil.rmtree(home, ignore_errors=True)
                raise
        self._columns = list(map(str, x.columns)) if is_frame(x) else None
        self._is_temporary = self.folder is None
        if self._is_temporary:
            live_together(self.run_)
        return self

    def _answers(self, x: Any, *, probabilities: bool = False) -> Any:
        check_is_fitted(self)
        samples = to_be_answered(self, x, self.run_.preprocessing, self._columns)
        with as_value_errors():
            return self.run_.predict_proba(samples) if probabilities else self.run_.predict(samples)

    def __getstate__(self) -> dict[str, Any]:
        """Parameters, what was fitted, and of the run the path of its folder; of a temporary one its bytes."""
        state = dict(vars(self))
        run = state.pop("run_", None)
        if run is not None:
            state["run_"] = packed(run.folder) if self._is_temporary else str(run.folder)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        run = state.get("run_")
        vars(self).update({name: value for name, value in state.items() if name != "run_"})
        if run is None:
            return
        module = self.net if isinstance(self.net, nn.Module) else None
        self.run_ = Run(unpacked(run) if isinstance(run, bytes) else run, net=module)
        if self._is_temporary:
            live_together(self.run_)

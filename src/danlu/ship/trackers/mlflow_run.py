"""MLflow: a run in a local SQLite file beside the runs, or on the server that the environment names. The one door to
the package mlflow."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from danlu.base.places import tracker_variable, without_telemetry
from danlu.ship.trackers.tracker import PROJECT, Tracked, Tracker, plain

DATABASE = "mlflow.db"
_FOLDER = ".mlflow"  # hidden from what looks for runs: it holds copies of them
_MOST_METRICS, _MOST_PARAMS = 1000, 100  # in one call, as MLflow has it
_LONGEST = 500  # characters of a parameter
_STATES = {"finished": "FINISHED", "diverged": "FINISHED", "interrupted": "KILLED", "failed": "FAILED"}


class MlflowRun(Tracker):
    """A run of MLflow; trainings of a study are its children."""

    def __init__(self, run: Tracked) -> None:
        without_telemetry()
        from mlflow import MlflowClient  # pyright: ignore[reportMissingImports]

        uri = tracker_variable("MLFLOW_TRACKING_URI")
        project = run.project or tracker_variable("MLFLOW_EXPERIMENT_NAME") or PROJECT
        self._pending: list[Any] = []
        if uri is None:
            self._client, experiment = _local(run.home, project, MlflowClient)
        else:
            self._client = MlflowClient(tracking_uri=uri)
            experiment = _experiment(self._client, project, None)
        if run.handle:
            self.handle = run.handle
            self._client.update_run(run.handle, status="RUNNING")
            self.steps, self.epochs = self._last("loss"), self._last("train/loss")
            return
        tags = {"danlu.state": "running", "danlu.name": run.name}
        tags |= {"mlflow.parentRunId": run.parent} if run.parent else {}
        self.handle = str(self._client.create_run(experiment, run_name=run.name, tags=tags).info.run_id)
        self._parameters(run.settings)
        for name, text in run.notes.items():
            self.text(name, text, 0)

    def _last(self, name: str) -> int:
        """The last step at which a number of that name was told, 0 where none was."""
        return max((one.step for one in self._client.get_metric_history(self.handle, name)), default=0)

    def _parameters(self, settings: Mapping[str, Any]) -> None:
        from mlflow.entities import Param  # pyright: ignore[reportMissingImports]

        told = [Param(_name(name), str(plain(value))[:_LONGEST]) for name, value in settings.items()]
        for first in range(0, len(told), _MOST_PARAMS):
            self._client.log_batch(self.handle, params=told[first : first + _MOST_PARAMS])

    def numbers(self, step: int, values: Mapping[str, float]) -> None:
        from mlflow.entities import Metric  # pyright: ignore[reportMissingImports]

        now = int(time.time() * 1000)
        self._pending += [Metric(_name(name), value, now, step) for name, value in values.items()]
        if len(self._pending) >= _MOST_METRICS:
            self.flush()

    def text(self, name: str, text: str, step: int) -> None:
        self._client.log_text(self.handle, text, f"{name}.txt")

    def picture(self, name: str, png: bytes, step: int) -> None:
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"{name}.png"
            path.write_bytes(png)
            self._client.log_artifact(self.handle, str(path), "pictures")

    def file(self, path: Path, name: str) -> None:
        inside = Path("run", name).parent.as_posix()
        self._client.log_artifact(self.handle, str(path), inside)

    def flush(self) -> None:
        while self._pending:
            sent = self._pending[:_MOST_METRICS]
            self._client.log_batch(self.handle, metrics=sent)
            del self._pending[: len(sent)]

    def end(self, state: str, final: Mapping[str, float]) -> None:
        self.flush()
        self._client.set_tag(self.handle, "danlu.state", state)
        self._client.set_terminated(self.handle, _STATES[state])


def _local(home: Path, project: str, client: Any) -> tuple[Any, str]:
    """The client of the SQLite file in `home`, and the experiment of that name; one process at a time makes them."""
    import filelock

    folder = home / _FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(folder / "lock", timeout=120):
        made = client(tracking_uri=f"sqlite:///{(home / DATABASE).as_posix()}")
        return made, _experiment(made, project, folder.as_uri())


def _experiment(client: Any, project: str, artifacts: str | None) -> str:
    found = client.get_experiment_by_name(project)
    if found is None:
        return str(client.create_experiment(project, artifact_location=artifacts))
    return str(found.experiment_id)


def _name(name: str) -> str:
    """A name of the signs that MLflow takes."""
    return "".join(sign if sign.isalnum() or sign in "_-. /" else "-" for sign in name)[:250]

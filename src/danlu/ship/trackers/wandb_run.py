"""Weights & Biases: a run kept offline beside the runs, or sent where the environment says so. The one door to the
package wandb."""

import io
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from danlu.base.places import tracker_variable, without_telemetry
from danlu.ship.trackers.tracker import PROJECT, Tracked, Tracker, plain

_FOLDER = ".wandb"  # hidden from what looks for runs: it holds copies of them
_QUIET = {
    "console": "off", "silent": True, "disable_git": True, "disable_code": True, "save_code": False,
    "x_disable_stats": True, "x_disable_meta": True, "disable_job_creation": True,
}  # fmt: skip


class WandbRun(Tracker):
    """A run of Weights & Biases; the trainings of a study are a group. `wandb sync` sends what was kept offline."""

    def __init__(self, run: Tracked) -> None:
        without_telemetry()
        import wandb  # pyright: ignore[reportMissingImports]

        self._made: Any = wandb
        named = tracker_variable("WANDB_DIR")
        if named is None:
            (run.home / _FOLDER).mkdir(parents=True, exist_ok=True)
        self._run: Any = wandb.init(
            project=run.project or tracker_variable("WANDB_PROJECT") or PROJECT,
            name=run.name,
            id=run.handle or None,
            group=run.group or None,
            job_type="training" if run.parent or not run.group else "study",
            config={name: plain(value) for name, value in run.settings.items()},
            dir=named or str(run.home),
            mode=tracker_variable("WANDB_MODE") or "offline",
            resume="allow" if run.handle else None,
            reinit="create_new",
            settings=wandb.Settings(**_QUIET),
        )
        self.handle = str(self._run.id)
        # What was kept offline cannot be asked what it holds: a resume tells what comes after its checkpoint.
        self.steps = self.epochs = run.resumed_at if run.handle else 0
        for name, text in run.notes.items() if not run.handle else ():
            self.text(name, text, 0)

    def numbers(self, step: int, values: Mapping[str, float]) -> None:
        self._run.log(dict(values), step=step)

    def text(self, name: str, text: str, step: int) -> None:
        self._run.summary[name] = text

    def picture(self, name: str, png: bytes, step: int) -> None:
        from PIL import Image

        with Image.open(io.BytesIO(png)) as image:
            self._run.log({f"pictures/{name}": self._made.Image(image.convert("RGB"))})

    def file(self, path: Path, name: str) -> None:
        place = Path(self._run.dir) / "run" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)  # all that lies there goes with the run

    def flush(self) -> None:
        """Nothing: wandb sends by itself."""

    def end(self, state: str, final: Mapping[str, float]) -> None:
        self._run.summary["state"] = state
        self._run.summary.update(dict(final))
        self._run.finish(exit_code=1 if state == "failed" else 0)

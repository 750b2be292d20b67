"""TensorBoard: event files in the run's own folder. The one door to the package tensorboard."""

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from danlu.ship.trackers.tracker import Tracked, Tracker, plain

FOLDER = "tensorboard"
_SIZE = slice(16, 24)  # of width and height in a PNG


class TensorBoardFiles(Tracker):
    """A run as event files, which `tensorboard --logdir runs` shows beside the others. What a resume does over takes
    the place of what was told before."""

    def __init__(self, run: Tracked) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self.handle = FOLDER
        self._settings = {name: plain(value) for name, value in run.settings.items()}
        again = run.resumed_at + 1 if run.handle else None
        self._writer: Any = SummaryWriter(str(run.logs), purge_step=again)
        self.steps = self.epochs = run.resumed_at if run.handle else 0
        for name, text in run.notes.items() if not run.handle else ():
            self.text(name, text, 0)

    def numbers(self, step: int, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def text(self, name: str, text: str, step: int) -> None:
        indented = "\n".join(f"    {line}" for line in text.splitlines())  # shown as it stands, not as Markdown
        self._writer.add_text(name, indented, step)

    def picture(self, name: str, png: bytes, step: int) -> None:
        from tensorboard.compat.proto.summary_pb2 import Summary  # pyright: ignore[reportMissingImports]

        width, height = struct.unpack(">II", png[_SIZE])
        image = Summary.Image(height=height, width=width, colorspace=4, encoded_image_string=png)
        self._writer.file_writer.add_summary(Summary(value=[Summary.Value(tag=name, image=image)]), step)

    def file(self, path: Path, name: str) -> None:
        """Nothing: the event files lie in the run's folder already."""

    def flush(self) -> None:
        self._writer.flush()

    def end(self, state: str, final: Mapping[str, float]) -> None:
        from torch.utils.tensorboard.summary import hparams

        told: Any = hparams
        for part in told({**self._settings, "state": state}, dict.fromkeys(final, 0.0)):
            self._writer.file_writer.add_summary(part)
        self._writer.close()

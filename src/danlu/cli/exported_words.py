"""Whether a word of the command line names an exported network."""

from pathlib import Path

from danlu.base.input_files import path_kind

PROGRAMS = (".onnx", ".pt2")
HUB = "config.json"


def is_exported(word: str) -> bool:
    """A file whose name ends in .onnx or .pt2, there or not, or a folder in the layout of the Hub.

    >>> is_exported("model.ONNX"), is_exported("runs/lenet5-digits-3f2a")
    (True, False)
    """
    path = Path(word).expanduser()
    return path.name.lower().endswith(PROGRAMS) or path_kind(path / HUB) == "file"

"""The one door to ONNX and its runtime, which belong to the extra "export"."""

import contextlib
import importlib.util
from typing import Any

from danlu.base.errors import fail

INSTALL = "pip install 'danlu[export]'"
_FOR_ANSWERS = ("onnx", "onnxruntime")
_FOR_EXPORT = (*_FOR_ANSWERS, "onnxscript")


def require_parts(*, writing: bool) -> None:
    """UserError that says what to install, where a part is missing that reads exported files, or (`writing`) one that
    makes them.
    """
    wanted = _FOR_EXPORT if writing else _FOR_ANSWERS
    missing = [name for name in wanted if not _is_there(name)]
    if missing:
        fail("export.parts-missing", missing=", ".join(missing), install=INSTALL)


def _is_there(name: str) -> bool:
    with contextlib.suppress(ImportError, ValueError):
        return importlib.util.find_spec(name) is not None
    return False


def onnx() -> Any:
    """The package onnx. UserError where it is not installed."""
    require_parts(writing=False)
    import onnx

    return onnx


def onnxruntime() -> Any:
    """The package onnxruntime, which then says nothing of its own. UserError where it is not installed."""
    require_parts(writing=False)
    import onnxruntime

    onnxruntime.set_default_logger_severity(4)
    return onnxruntime


def opset() -> Any:
    """The operators that a translation to ONNX is written in (onnxscript). UserError where it is not installed."""
    require_parts(writing=True)
    from onnxscript import opset20

    return opset20

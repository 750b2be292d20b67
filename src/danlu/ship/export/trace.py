"""The program as torch.export sees it, and as ONNX has it, without a word of torch's own."""

import contextlib
import io
import logging
import warnings
from collections.abc import Generator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from danlu.base.errors import DanluError, fail
from danlu.base.memory import is_out_of_memory
from danlu.ship.export.interface import Interface
from danlu.ship.export.parts import require_parts
from danlu.ship.export.program import Program
from danlu.ship.export.recurrent import recurrent, to_onnx

OPSET = 20
_MOST_REASON = 300


def traced(program: Program, interface: Interface, example: Sequence[Tensor]) -> Any:
    """The program as a torch.export.ExportedProgram whose sizes vary as those of the (raw) `interface` do; `example`
    holds two samples at least. UserError, with torch's reason, for a net that cannot be followed.
    """
    return followed(program, example, [[axis for axis, side in enumerate(one.shape) if isinstance(side, str)]
                                       for one in interface.inputs])  # fmt: skip


def followed(module: nn.Module, example: Sequence[Tensor], varying: Sequence[Sequence[int]]) -> Any:
    """A module of a list of tensors, such as `example`, as a torch.export.ExportedProgram that takes any size along the
    `varying` axes of each. UserError, with torch's reason, where that cannot be.
    """
    shapes = [dict.fromkeys(axes, torch.export.Dim.DYNAMIC) for axes in varying]
    for parameter in module.parameters():
        # The shortcut that torch takes for transformers without gradients is one that nothing else knows.
        parameter.requires_grad_(parameter.is_floating_point())
    with silent(), _told("trace"), torch.enable_grad():
        return torch.export.export(module, (list(example),), dynamic_shapes=(shapes,), strict=False)


def in_onnx(exported: Any) -> Any:
    """An exported program as an onnx.ModelProto. UserError where an operator has no form in ONNX, or a part of the
    extra is missing.
    """
    require_parts(writing=True)
    table: dict[Any, Any] = {torch.ops.danlu.recurrent.default: to_onnx}
    assert recurrent is not None  # the operator is registered where it is defined
    with silent(), _told("translate"):
        translated = torch.onnx.export(
            exported, (), dynamo=True, optimize=True, verbose=False, opset_version=OPSET, custom_translation_table=table
        )
        assert translated is not None
        return translated.model_proto


@contextlib.contextmanager
def silent() -> Generator[None]:
    """Neither warnings nor log lines nor prints: what matters is raised, or found by the proof."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


@contextlib.contextmanager
def _told(step: str) -> Generator[None]:
    """What torch raises as a UserError of one line."""
    try:
        yield
    except DanluError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise
        fail(f"export.cannot-{step}", reason=_first_cause(error))


def _first_cause(error: BaseException) -> str:
    """The line that says most: that of the first error of all, without advice and without colours."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    text = next((line.removeprefix("- ") for line in lines if "specialized" in line), lines[0])
    return f"{type(error).__name__}: {text}"[:_MOST_REASON]

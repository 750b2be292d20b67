"""A net of the user's own as a program of torch beside a run's weights, so that the run answers without its code.

What is kept is the net alone: encoded samples in, outputs out. Preprocessing and meaning are in the run's package.
"""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from danlu.base.errors import fail
from danlu.base.input_files import guarded
from danlu.ship.answerer import Answerer
from danlu.ship.export.archive import Archive, archived
from danlu.ship.export.recurrent import with_exported_layers
from danlu.ship.export.trace import followed, silent
from danlu.ship.golden import TOLERANCE, apart
from danlu.train.carried import Carried

METADATA = "danlu-net.json"
BATCH_SIZES = (1, 3)
_SCHEMA = 1
_TYPES = {str(dtype).removeprefix("torch."): dtype for dtype in (torch.float32, torch.float64, torch.int64)}


class NetProgram(nn.Module):
    """A program that was read: encoded samples [N, …] of the type `takes` to the outputs [N, …] of the net it was made
    of, in evaluation mode, always. `remembers` says whether that net handed on a state, which a program does not: each
    call begins anew.
    """

    def __init__(self, path: Path, program: nn.Module, *, takes: torch.dtype, remembers: bool) -> None:
        super().__init__()
        self.program = program
        self.takes, self.remembers = takes, remembers
        self._path = path
        self.train(False)

    def train(self, mode: bool = True) -> Self:
        """Nothing changes: torch's programs refuse to be told so."""
        self.training = False
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Itself, because it never changes: torch's programs do not copy without a warning."""
        return self

    def forward(self, x: Tensor) -> Tensor:
        """UserError where the program fails on such samples."""
        with guarded(self._path, "export.run-failed"):
            return self.program([x])


class _Called(nn.Module):
    """A net as an answer calls it."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, inputs: list[Tensor]) -> Tensor:
        found: Any = self.net(inputs[0])
        return found[0] if isinstance(found, tuple) else found


def net_program(answerer: Answerer, encoded: Tensor, path: Path) -> bytes:
    """The net of `answerer` as the bytes of the .pt2 file `path`, proved on `encoded` samples [N, …] in batches of 1
    and 3, and at other lengths where texts may have any. UserError says why it cannot be.
    """
    if answerer.fitted.task == "translation":
        fail("export.program-writes")
    x, net = encoded.to(answerer.dtype), answerer.net
    trials = list(_trials(answerer, x))
    varying = [0, 1] if len({trial.shape[1:] for trial in trials}) > 1 else [0]
    called = with_exported_layers(_Called(copy.deepcopy(net)))
    exported = followed(called, [x if len(x) > 1 else torch.cat([x, x])], [varying])
    told = {"schema": _SCHEMA, "takes": str(answerer.dtype).removeprefix("torch."), "remembers": _remembers(net, x)}
    content = archived(exported, METADATA, told)
    program = Answerer(answerer.fitted, open_net_program(content, path), answerer.dtype)
    for trial in trials:
        wanted = answerer.outputs(trial)
        for size in BATCH_SIZES:
            found = torch.cat([program.outputs(part) for part in trial.split(size)])
            distance = apart(found, wanted)
            if not distance <= TOLERANCE:
                fail("export.program-differs", shape=list(trial.shape[1:]), apart=f"{distance:.3g}")
    return content


def open_net_program(content: bytes, path: Path) -> NetProgram:
    """The program in the `content` of `path`, in evaluation mode on the CPU. UserError for what `Archive.of` refuses,
    and for what does not say of itself what it takes.
    """
    archive = Archive.of(content, path, METADATA)
    with guarded(path, "export.damaged"):
        told = json.loads(archive.told)
        if told["schema"] != _SCHEMA:
            fail("export.newer", path=path)
        takes, remembers = _TYPES[told["takes"]], told["remembers"] is True
    exported = archive.load()
    with guarded(path, "export.damaged"), silent():
        program = exported.module(check_guards=False)
    return NetProgram(path, program, takes=takes, remembers=remembers)


def _trials(answerer: Answerer, x: Tensor) -> Iterator[Tensor]:
    """The samples, and where they are texts the same at each other length that the net itself takes."""
    yield x
    if answerer.fitted.vocabulary is None or x.dim() != 2:
        return
    for changed in (pad(x, (0, 3)), x[:, : max(2, x.shape[1] // 2)], x[:, :1]):
        if changed.shape != x.shape and _takes(answerer, changed):
            yield changed


def _takes(answerer: Answerer, x: Tensor) -> bool:
    try:
        answerer.outputs(x)
    except Exception:  # noqa: BLE001 - a net is the user's code
        return False
    return True


def _remembers(net: nn.Module, x: Tensor) -> bool:
    carried = Carried(net)
    with torch.no_grad():
        carried(x[:1])
    return carried.state is not None

"""A folder in the layout of the Hugging Face Hub: weights, configuration with preprocessing and labels, model card."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from danlu.base.errors import UserError, fail
from danlu.base.files import TEMPORARY, absolute, put_folder, remove_folder
from danlu.base.input_files import guarded, path_kind, read_file
from danlu.base.strict_json import to_json
from danlu.data.plain import from_plain
from danlu.nets import build
from danlu.ship.answerer import Answerer
from danlu.ship.export.card import model_card
from danlu.ship.export.exported import ExportedNet
from danlu.ship.export.interface import Interface
from danlu.ship.export.metadata import checked_metadata, refuse_unshown, sealed
from danlu.ship.export.program import Program
from danlu.ship.export.program_file import RunningProgram, tensors_digest
from danlu.ship.export.proof import ExportProof, ExportTrial
from danlu.ship.export.write import Exporting, new_place
from danlu.train.weight_file import load_weights

CONFIG, WEIGHTS, CARD = "config.json", "model.safetensors", "README.md"
_TYPES = {"float32": torch.float32, "float64": torch.float64, "int64": torch.int64}


def export_hub(exporting: Exporting, path: Path) -> ExportProof:
    """Write the run as a folder for the Hub. UserError, and nothing is left, where it cannot be written or is not
    proved, and for a net that was given as an object, whose code no folder holds.
    """
    import safetensors.torch

    path = new_place(path)
    net = exporting.net
    if net is None:
        fail("export.hub-needs-name", path=path)
    interface = Interface(exporting.interface.plain, raw=True)
    refuse_unshown(interface, path)
    weights = {name: tensor.contiguous().clone() for name, tensor in exporting.answerer.net.state_dict().items()}
    kind = str(exporting.answerer.dtype).removeprefix("torch.")
    metadata = exporting.inner_metadata() | {"net": {**net, "dtype": kind}, "weights_sha256": tensors_digest(weights)}
    files = {WEIGHTS: safetensors.torch.save(weights), CONFIG: _config(interface, metadata), CARD: b"\n"}
    place = absolute(path.with_name(f"{TEMPORARY}{path.name}.proof"))
    try:
        put_folder(place, files)
        proof = ExportTrial(exporting.answerer, interface, open_hub(place).answers).prove(exporting.evidence)
    finally:
        remove_folder(place, CONFIG)
    metadata |= {"proof": proof.as_dict()}
    card = model_card(interface, metadata).encode()
    put_folder(path, {**files, CONFIG: _config(interface, metadata), CARD: card})
    return proof


def open_hub(path: Path) -> ExportedNet:
    """The exported network in the folder `path`. UserError for one that is damaged, not danlu's, or whose weights are
    not those of the net that its configuration names.
    """
    for name in (CONFIG, WEIGHTS):
        if path_kind(path / name) != "file" or (path / name).is_symlink():
            fail("export.hub-incomplete", path=path, name=name)
    metadata = checked_metadata(read_file(path / CONFIG).decode("utf-8", "replace"), path / CONFIG, "danlu")
    fitted = None
    with guarded(path / CONFIG, "export.damaged"):
        fitted = from_plain(metadata["preprocessing"])
        named = dict(metadata["net"])
        dtype = _TYPES[named["dtype"]]
    weights = load_weights(path / WEIGHTS)
    net = _built(named, fitted, weights, path)
    answerer = Answerer(fitted, net, dtype)
    interface = Interface(metadata["preprocessing"], raw=True)
    program = Program(answerer, resizes=interface.resizes)
    running = RunningProgram(path, program, interface)
    return ExportedNet(path, metadata, running.answers, lambda: tensors_digest(weights))


def _built(named: Mapping[str, Any], fitted: Any, weights: Mapping[str, torch.Tensor], path: Path) -> nn.Module:
    """The net without a byte of memory, until its weights are seen to be those in the file."""
    words = None if fitted.vocabulary is None else len(fitted.vocabulary)
    facts: Any = {"sample_shape": fitted.sample_shape, "outputs": fitted.outputs, "task": fitted.task}
    try:
        with torch.device("meta"):
            net = build(named["name"], named["options"], vocabulary=words, **facts)
    except (UserError, KeyError, TypeError, ValueError, AttributeError) as error:
        fail("export.damaged", path=path / CONFIG, reason=str(error)[:200])
    wanted = {name: tuple(tensor.shape) for name, tensor in net.state_dict().items()}
    if wanted != {name: tuple(tensor.shape) for name, tensor in weights.items()}:
        fail("export.other-weights", path=path / WEIGHTS)
    net.load_state_dict(dict(weights), assign=True)
    if any(buffer.is_meta for buffer in net.buffers()):
        fail("export.other-weights", path=path / WEIGHTS)
    return net.eval()


def _config(interface: Interface, metadata: Mapping[str, Any]) -> bytes:
    """As the Hub's other libraries write theirs: label names under "id2label"; all that danlu tells under "danlu"."""
    content: dict[str, Any] = {"model_type": "danlu", "architectures": [metadata["net"]["name"]]}
    if interface.class_names:
        names = interface.class_names
        content["id2label"] = {str(place): name for place, name in enumerate(names)}
        content["label2id"] = {name: place for place, name in enumerate(names)}
    return to_json({**content, "danlu": sealed(metadata)}, indent=2).encode() + b"\n"

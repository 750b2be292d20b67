"""The weights that a run was scored with, the net that holds them, and what answers with it."""

import warnings
from collections.abc import Collection
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from danlu.base.errors import DataWarning, fail
from danlu.base.places import shown
from danlu.base.recipe import Recipe
from danlu.data.preprocessing import Preprocessing
from danlu.run.building import dtype_of, refuse_other_structure, sample_dtype
from danlu.ship import Answerer
from danlu.store.package_file import PackedFile
from danlu.store.run_folder import RunFolder
from danlu.train.checkpoint import load_newest, of_the_net


@dataclass(frozen=True)
class ScoredWeights:
    """Tensors by name, and the file of the run's folder that they stand in."""

    tensors: dict[str, Tensor]
    file: PackedFile


def scored_weights(place: RunFolder, recipe: Recipe, *, finished: bool) -> ScoredWeights:
    """The weights that were scored: the last, the best or the averaged ones, as the recipe says.

    UserError where there are none, or, of a run that has `finished`, where those are damaged: older ones would answer
    otherwise, and nobody would know.
    """

    def scored(parts: Collection[str]) -> str:
        best = recipe.train.scores_best and "best" in parts
        return "best" if best else "ema" if "ema" in parts else "weights"

    newest = load_newest(place.checkpoints, scored)
    checkpoint = newest.checkpoint
    if newest.skipped and finished:
        fail("lab.scored-weights-lost", what=newest.skipped[0].values["what"], folder=shown(place.path))
    for skipped in newest.skipped:
        warnings.warn(str(skipped), DataWarning, stacklevel=3)
    if checkpoint is None:
        fail("lab.no-checkpoint", folder=place.path)
    (part,) = checkpoint.parts
    tensors = of_the_net(checkpoint.parts[part])
    file = checkpoint.file(part).relative_to(place.path).as_posix()
    return ScoredWeights(tensors, PackedFile(file, checkpoint.hashes[part], part))


def scored_net(place: RunFolder, recipe: Recipe, net: nn.Module, weights: ScoredWeights) -> nn.Module:
    """`net`, changed in place, with the weights, in evaluation mode, on the CPU."""
    trained = net.to(device="cpu", dtype=dtype_of(recipe.train.precision))
    refuse_other_structure(trained, weights.tensors, place.path)
    trained.load_state_dict(weights.tensors)
    # Convolutions in another layout may differ in the last digits: a run answers alike wherever its net comes from.
    trained.to(memory_format=torch.contiguous_format)  # pyright: ignore[reportCallIssue]
    return trained.eval()


def answerer_of(net: nn.Module, fitted: Preprocessing) -> Answerer:
    """Net and preprocessing, which answer together."""
    weights = next((parameter.dtype for parameter in net.parameters()), torch.float32)
    return Answerer(fitted, net, sample_dtype(net, fitted, weights))

"""Losses by name. Every one takes (outputs, targets) and gives a 0-d tensor, reduced over the batch as stated."""

import functools
import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F

from danlu.base.errors import Faults, fail, nearest
from danlu.base.ignored import IGNORED
from danlu.base.naming import spelled
from danlu.base.recipe import LossRecipe
from danlu.base.shapes import show_shape
from danlu.train.class_weights import WEIGHED, ClassWeights, as_tensor, ratio_of
from danlu.train.focal import focal, gamma_of

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def cross_entropy(
    outputs: torch.Tensor,
    targets: torch.Tensor,
    *,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
    weights: ClassWeights = (),
) -> torch.Tensor:
    """Cross-entropy of logits [N, C] against classes int64 [N], [N, T, C] against [N, T], or [N, C, H, W] against
    [N, H, W], "mean" over all that are not IGNORED.

    The log-softmax is inside: the net ends in logits. With `weights` [C] a sample counts as often as its class does,
    and the mean is over these weights, as torch has it.
    """
    if _nothing_known(outputs, targets, reduction):
        return outputs.sum() * 0.0
    if outputs.ndim == 3:
        outputs, targets = outputs.flatten(0, -2), targets.flatten()
    weight = as_tensor(weights, outputs)
    return F.cross_entropy(outputs, targets, weight, reduction=reduction, label_smoothing=label_smoothing)


def nll(
    outputs: torch.Tensor, targets: torch.Tensor, *, reduction: str = "mean", weights: ClassWeights = ()
) -> torch.Tensor:
    """Negative log-likelihood of log-probabilities [N, C] (a net that ends in log-softmax) against classes [N], of
    [N, T, C] against [N, T], or of [N, C, H, W] against [N, H, W]; `weights` as in `cross_entropy`.
    """
    if _nothing_known(outputs, targets, reduction):
        return outputs.sum() * 0.0
    if outputs.ndim == 3:
        outputs, targets = outputs.flatten(0, -2), targets.flatten()
    return F.nll_loss(outputs, targets, as_tensor(weights, outputs), reduction=reduction)


def _nothing_known(outputs: torch.Tensor, targets: torch.Tensor, reduction: str) -> bool:
    """Whether no pixel or token of a batch has a class: the mean would be 0/0."""
    return outputs.ndim > 2 and reduction == "mean" and not bool((targets != IGNORED).any())


def bce(
    outputs: torch.Tensor,
    targets: torch.Tensor,
    *,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
    weights: ClassWeights = (),
    of_labels: ClassWeights = (),
) -> torch.Tensor:
    """Binary cross-entropy of one logit a sample [N, 1] against 0/1 [N], or of labels [N, L] against 0/1 [N, L]; the
    sigmoid is inside.

    Of the two `weights` only their ratio counts: it is torch's pos_weight, and the mean is over the samples; of labels
    it is `of_labels`, one number or [L].
    """
    wanted = targets.to(outputs.dtype)
    if label_smoothing:
        wanted = wanted * (1 - label_smoothing) + label_smoothing / 2
    ratio = as_tensor(of_labels or ratio_of(weights), outputs)
    return F.binary_cross_entropy_with_logits(
        outputs.reshape(wanted.shape), wanted, pos_weight=ratio, reduction=reduction
    )


def mse(outputs: torch.Tensor, targets: torch.Tensor, *, reduction: str = "mean") -> torch.Tensor:
    """Squared error of outputs [N, T] against targets [N, T]; "mean" is over all N·T numbers."""
    return F.mse_loss(outputs.reshape(targets.shape), targets, reduction=reduction)


def l1(outputs: torch.Tensor, targets: torch.Tensor, *, reduction: str = "mean") -> torch.Tensor:
    """Absolute error of outputs [N, T] against targets [N, T]."""
    return F.l1_loss(outputs.reshape(targets.shape), targets, reduction=reduction)


def huber(outputs: torch.Tensor, targets: torch.Tensor, *, reduction: str = "mean", delta: float = 1.0) -> torch.Tensor:
    """Huber's error (1964): e²/2 up to |e| = delta, then delta·(|e| - delta/2)."""
    return F.huber_loss(outputs.reshape(targets.shape), targets, reduction=reduction, delta=delta)


def mixture_nll(outputs: torch.Tensor, targets: torch.Tensor, *, reduction: str = "mean") -> torch.Tensor:
    """Negative log-likelihood, in nats, of targets [N, D] under mixtures of K Gaussians [N, K, 1 + 2·D] (Bishop 1994).

    -log Σₖ wₖ Πd N(yd; μkd, 1/λkd), summed in logarithms; the outputs are the logits of w, the means μ and log λ.
    "none" gives [N].

    >>> mixture_nll(torch.zeros(5, 3, 3), torch.zeros(5, 1))
    tensor(0.9189)
    """
    size = targets.shape[-1]
    weights = outputs[..., 0].log_softmax(-1)
    means, log_precisions = outputs[..., 1 : 1 + size], outputs[..., 1 + size :]
    squares = log_precisions.exp() * (targets.unsqueeze(-2) - means) ** 2
    densities = 0.5 * (log_precisions - squares - math.log(2 * math.pi)).sum(-1)
    losses = -(weights + densities).logsumexp(-1)
    return losses if reduction == "none" else losses.sum() if reduction == "sum" else losses.mean()


def loss_of(outputs: Any, targets: torch.Tensor, loss: Loss) -> torch.Tensor:
    """`loss` of what a net gives. The outputs of several heads say themselves, by their `loss`, how theirs add up; of
    any other tuple (outputs and a state, say) the first entry counts.
    """
    if not isinstance(outputs, tuple):
        return loss(outputs, targets)
    several: Any = outputs
    return several.loss(loss, targets) if hasattr(several, "loss") else loss(several[0], targets)


LOSSES: dict[str, tuple[Callable[..., torch.Tensor], str]] = {
    "cross-entropy": (cross_entropy, "classification"),
    "nll": (nll, "classification"),
    "bce": (bce, "classification"),
    "focal": (focal, "classification"),
    "mse": (mse, "regression"),
    "l1": (l1, "regression"),
    "huber": (huber, "regression"),
    "mixture-nll": (mixture_nll, "regression"),
}

OWN = "custom"
"""Name in a recipe of a loss that was given as a function, and that no recipe can bring back."""

_SMOOTHED = ("cross-entropy", "bce")  # whose targets label smoothing spreads
# What a loss for one task serves besides: the next token is a class, what went in is a quantity, labels are two
# classes each.
_ALSO = {
    "multi-label": ("bce",),
    "segmentation": ("cross-entropy", "nll", "focal"),
    "tagging": ("cross-entropy", "nll", "focal"),
    "translation": ("cross-entropy", "nll", "focal"),
    "language": ("cross-entropy", "nll"),
    "reconstruction": ("mse", "l1", "huber"),
}


AT_PLACES: dict[str, Callable[[int, tuple[int, ...]], tuple[int, ...]]] = {
    "segmentation": lambda outputs, places: (outputs, *places),
    "tagging": lambda outputs, places: (*places, outputs),
    "translation": lambda outputs, places: (*places, outputs),
}
"""The tasks with a class at each place of a sample: the shape of a net's outputs for so many classes and places."""


def registered_loss(name: str) -> str:
    """The name of a loss in its own spelling, or "auto"; UserError for what is none.

    >>> registered_loss("MSE")
    'mse'
    """
    found = spelled(name, ("auto", OWN, *LOSSES))
    if found is None:
        fail("train.unknown-loss", name=name, names=", ".join(LOSSES), hint=nearest(name.lower(), LOSSES))
    return found


def choose_loss(
    recipe: LossRecipe, *, task: str, outputs: int, output_shape: tuple[int, ...], places: tuple[int, ...] = ()
) -> str:
    """The name of the loss: the recipe's, or for "auto" the one that task and net call for.

    `outputs` is the number of classes, or of regression targets; `output_shape` the net's, without the batch axis;
    `places` the shape of a target that has a class at each place.
    Raises UserError where loss, net and data do not fit each other.

    >>> choose_loss(LossRecipe(), task="classification", outputs=10, output_shape=(10,))
    'cross-entropy'
    """
    name = registered_loss(recipe.name)
    if name == "auto":
        name = _usual_loss(task, outputs, output_shape)
    faults = Faults()
    if task == "multi-label" and name != "bce":
        faults.add("train.labels-need-bce", loss=name)
    elif task in AT_PLACES and name not in _ALSO[task]:
        faults.add("train.places-need-cross-entropy", loss=name, names=", ".join(_ALSO[task]))
    elif task != LOSSES[name][1] and name not in _ALSO.get(task, ()):
        faults.add(f"train.loss-is-for-{LOSSES[name][1]}", loss=name)
    elif name == "bce" and outputs != 2 and task != "multi-label":
        faults.add("train.bce-needs-two-classes", classes=outputs)
    elif not _fits(name, task, outputs, output_shape, places):
        shape = show_shape(output_shape)
        wanted: Any = 1 if name == "bce" and task != "multi-label" else outputs
        if task in AT_PLACES:
            wanted = show_shape(AT_PLACES[task](outputs, places))
        faults.add(f"train.outputs-do-not-fit-{task}", shape=shape, loss=name, wanted=wanted, outputs=outputs)
    if recipe.label_smoothing and name not in _SMOOTHED:
        faults.add("train.smoothing-needs-cross-entropy", loss=name)
    faults.raise_if_any()
    return name


def _usual_loss(task: str, outputs: int, output_shape: tuple[int, ...]) -> str:
    if task == "regression":
        return "mixture-nll" if _is_mixture(outputs, output_shape) else "mse"
    if task == "reconstruction":
        return "mse"
    if task == "multi-label":
        return "bce"
    return "bce" if output_shape == (1,) and outputs == 2 else "cross-entropy"


def _fits(name: str, task: str, outputs: int, output_shape: tuple[int, ...], places: tuple[int, ...]) -> bool:
    if task in AT_PLACES:
        return output_shape == AT_PLACES[task](outputs, places)
    if name == "mixture-nll":
        return _is_mixture(outputs, output_shape)
    if task == "language":
        return len(output_shape) == 2 and output_shape[1] == outputs
    if task == "regression" and outputs == 1 and output_shape == ():
        return True
    if task == "reconstruction":
        return math.prod(output_shape) == outputs
    if name == "focal" and outputs == 2 and output_shape == (1,):
        return True
    return output_shape == ((1,) if name == "bce" and task != "multi-label" else (outputs,))


def _is_mixture(outputs: int, output_shape: tuple[int, ...]) -> bool:
    return len(output_shape) == 2 and output_shape[1] == 1 + 2 * outputs


def build_loss(name: str, recipe: LossRecipe) -> Loss:
    """The loss called `name` with the recipe's options bound."""
    if name == OWN:
        fail("train.own-loss-missing")
    options: dict[str, Any] = {"reduction": recipe.reduction}
    if name in _SMOOTHED:
        options["label_smoothing"] = recipe.label_smoothing
    if name == "huber":
        options["delta"] = recipe.delta
    if name == "focal":
        options["gamma"] = gamma_of(recipe)
    if name in WEIGHED:
        options["weights"] = recipe.class_weights or ()
    if name == "bce" and recipe.pos_weight is not None and recipe.class_weights is None:
        options["of_labels"] = recipe.pos_weight if isinstance(recipe.pos_weight, tuple) else (recipe.pos_weight,)
    return functools.partial(LOSSES[name][0], **options)


def scoring(recipe: LossRecipe) -> LossRecipe:
    """The loss by which a part is scored: the mean, its targets and classes as they are.

    >>> scoring(LossRecipe(name="cross-entropy", class_weights=(1.0, 9.0))).class_weights is None
    True
    """
    return LossRecipe(name=recipe.name, delta=recipe.delta, gamma=recipe.gamma)

"""What the tags of other programs mean: which part of the data, which metric, or nothing that danlu has a word for."""

import re
from dataclasses import dataclass

PARTS = {
    **dict.fromkeys(("train", "training", "tr", "fit"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev", "eval", "evaluation"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}
_SYNONYMS = {
    "acc": "accuracy",
    "top1": "accuracy",
    "acc1": "accuracy",
    "categorical_accuracy": "accuracy",
    "sparse_categorical_accuracy": "accuracy",
    "binary_accuracy": "accuracy",
    "f1_score": "f1",
    "f1score": "f1",
    "r2_score": "r2",
    "r2score": "r2",
    "mean_absolute_error": "mae",
    "root_mean_squared_error": "rmse",
    "ppl": "perplexity",
    "mean_io_u": "miou",
    "mean_iou": "miou",
}
_METRICS = {"loss", "accuracy", "f1", "r2", "mae", "rmse", "perplexity", "miou", "bleu", "map"}
_RATES = {"lr", "learning_rate", "learningrate"}
EPOCH, RATE, NORM, SCORE = "epoch", "lr", "norm", "score"


@dataclass(frozen=True)
class Meaning:
    """What a tag is: EPOCH, RATE, NORM, or a SCORE of that name on a part of the data."""

    what: str
    part: str = ""
    name: str = ""


def meaning_of(tag: str, folder_part: str = "") -> Meaning:
    """The meaning of a tag in a log of the part that its folder names, "" where that names none. What is not in the
    table keeps its own name, as a score of the training part.

    >>> meaning_of("val_acc"), meaning_of("Loss/train").part, meaning_of("epoch_loss", "validation").part
    (Meaning(what='score', part='validation', name='accuracy'), 'train', 'validation')
    >>> meaning_of("lr-Adam").what, meaning_of("rollout/ep_rew_mean").name
    ('lr', 'rollout/ep_rew_mean')
    """
    words = [word for word in re.split(r"[\W_]+", re.sub(r"([a-z])([A-Z])", r"\1_\2", tag).lower()) if word]
    if words == ["epoch"]:
        return Meaning(EPOCH)
    part = next((PARTS[word] for word in words if word in PARTS), "")
    rest = [word for word in words if word not in PARTS]
    if len(rest) > 1:  # a loss of each step or epoch, epoch_loss and train_loss_step
        rest = rest[1:] if rest[0] in ("epoch", "batch") else rest
        rest = rest[:-1] if len(rest) > 1 and rest[-1] in ("epoch", "step") else rest
    joined = "_".join(rest)
    if joined in _RATES or (rest and rest[0] == "lr") or joined.startswith("learning_rate") or rest[-1:] == ["lr"]:
        return Meaning(RATE)
    if "norm" in rest and {"grad", "gradient", "gradients"} & set(rest):
        return Meaning(NORM)
    name = _SYNONYMS.get(joined, joined)
    if part and name:
        return Meaning(SCORE, part, name)
    if name in _METRICS:
        return Meaning(SCORE, folder_part or "train", name)
    return Meaning(SCORE, folder_part or "train", tag)

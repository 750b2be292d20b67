"""What tags of other programs mean."""

import pytest

from danlu.store.foreign.tags import meaning_of

SCORES = {
    "loss": ("train", "loss"),
    "val_loss": ("validation", "loss"),
    "Loss/train": ("train", "loss"),
    "Loss/valid": ("validation", "loss"),
    "train_loss_step": ("train", "loss"),
    "train_loss_epoch": ("train", "loss"),
    "epoch_loss": ("train", "loss"),
    "eval/accuracy": ("validation", "accuracy"),
    "valAcc": ("validation", "accuracy"),
    "val_sparse_categorical_accuracy": ("validation", "accuracy"),
    "test_f1_score": ("test", "f1"),
    "val/box_loss": ("validation", "box_loss"),
    "rollout/ep_rew_mean": ("train", "rollout/ep_rew_mean"),
    "train": ("train", "train"),
    "损失": ("train", "损失"),
}


@pytest.mark.parametrize("tag", SCORES)
def test_scores(tag: str) -> None:
    meaning = meaning_of(tag)
    assert (meaning.what, meaning.part, meaning.name) == ("score", *SCORES[tag])


@pytest.mark.parametrize(
    ("tag", "what"),
    [
        ("epoch", "epoch"),
        ("lr", "lr"),
        ("lr-AdamW/pg1", "lr"),
        ("train/learning_rate", "lr"),
        ("learning_rate_1", "lr"),
        ("grad_norm", "norm"),
        ("gradients/total-norm", "norm"),
    ],
)
def test_what_is_no_score(tag: str, what: str) -> None:
    assert meaning_of(tag).what == what


def test_the_folder_says_which_part_a_tag_without_one_is_of() -> None:
    assert meaning_of("epoch_loss", "validation").part == "validation"
    assert meaning_of("train_loss", "validation").part == "train"

"""What may be unset is unset by the word none, and nothing else is."""

import pytest

from danlu.base.errors import UserError
from danlu.base.recipe_text import RecipeDraft
from danlu.base.setting_keys import known_keys, means_unset

UNSET = [
    f"{section}.{key}" for section, keys in known_keys().items() for key in keys if means_unset(section, key, "none")
]


@pytest.mark.parametrize("key", UNSET)
def test_the_word_none_unsets_what_may_be_unset(key: str) -> None:
    section, _, name = key.partition(".")
    draft = RecipeDraft()
    draft.read_words([f"{key}=none"])
    assert getattr(getattr(draft.recipe(), section), name) is None


def test_most_settings_that_may_be_unset_are_known() -> None:
    assert {"train.clip_norm", "optim.lr", "optim.momentum", "data.samples", "data.standardise"} <= {*UNSET}
    assert not {"data.balance", "loss.class_weights", "data.sheet", "train.seed"} & {*UNSET}


def test_none_is_no_number() -> None:
    draft = RecipeDraft()
    draft.read_words(["train.seed=none"])
    with pytest.raises(UserError, match=r"train\.seed is 'none'"):
        draft.recipe()

"""The net that data call for where nobody names one."""

from collections.abc import Sequence

from danlu.nets.catalogue import option_names

AUTO = "auto"
"""Stands in a recipe for the net that follows from the data."""

# LeNet-5 was made for gray pictures of this side; for larger or coloured ones it is too small.
_SMALL_SIDE = 32
_OF_TASKS = {
    "language": "language-model",
    "reconstruction": "autoencoder",
    "segmentation": "unet",
    "tagging": "sequence-tagger",
    "translation": "encoder-decoder",
}
_CHOICES = ("mlp", "lstm", "lenet5", "small-resnet", "sequence-classifier", *_OF_TASKS.values())


def usual_net(sample_shape: Sequence[int], task: str, vocabulary: int | None = None, *, forecasts: bool = False) -> str:
    """The name of the net for samples of `sample_shape`, a task, and sequences over so many tokens; or windows of a
    time series, of which it `forecasts` the next values.

    >>> usual_net((9,), "regression"), usual_net((3, 64, 64), "classification")
    ('mlp', 'small-resnet')
    """
    if task in _OF_TASKS:
        return _OF_TASKS[task]
    if vocabulary is not None:
        return "sequence-classifier"
    if forecasts:
        return "lstm"
    if len(sample_shape) != 3:
        return "mlp"
    channels, *sides = sample_shape
    return "lenet5" if channels == 1 and max(sides) <= _SMALL_SIDE else "small-resnet"


def options_of_usual_nets() -> list[str]:
    """The options of all nets that data can call for.

    >>> "hidden" in options_of_usual_nets()
    True
    """
    return [*dict.fromkeys(option for name in _CHOICES for option in option_names(name))]

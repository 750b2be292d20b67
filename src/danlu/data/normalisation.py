"""The mean and deviation by which pictures are normalised: the training part's own, or those of published weights."""

from danlu.base.errors import fail
from danlu.data.options import Options

Statistics = tuple[tuple[float, ...], tuple[float, ...]]
"""Mean and deviation of each channel, on the scale of 0 to 1."""

# https://docs.pytorch.org/vision/stable/models.html
_IMAGENET: Statistics = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
BY_THE_DATA = "data"
NORMALISATIONS = (BY_THE_DATA, "imagenet", "symmetric")


def fixed_statistics(options: Options, channels: int) -> Statistics | None:
    """Those that the options name for pictures of so many channels; None where they are to be measured, or nothing is
    to be done. UserError where ImageNet's are wanted for pictures without colours, or some are wanted and none at all.

    >>> fixed_statistics(Options(normalise="symmetric"), channels=1)
    ((0.5,), (0.5,))
    """
    wanted = options.normalise
    if wanted in (None, BY_THE_DATA):
        return None
    if options.standardise is False:
        fail("data.normalise-beside-standardise", normalise=wanted)
    if wanted == "symmetric":
        return (0.5,) * channels, (0.5,) * channels
    if channels != len(_IMAGENET[0]):
        fail("data.normalise-channels", found=channels)
    return _IMAGENET

"""The registry: which nets there are, and what can be said of them before torch is there."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from danlu import nets
from danlu.base.errors import fail, nearest
from danlu.base.files import absolute
from danlu.base.naming import spelled
from danlu.base.own_code import file_and_maker

if TYPE_CHECKING:
    from torch import nn


class UsualTraining(NamedTuple):
    """How a net is trained where nobody says: by which optimiser, in batches of how many samples, and, where it is to
    end once nothing improves any more, after how many epochs of that, its weights averaged with which decay meanwhile.
    None leaves it to what befits the data.
    """

    optimiser: str = "sgd"
    batch_size: int | None = None
    patience: int | None = None
    ema: float | None = None


BY_THE_DATA = UsualTraining()
_BY_ADAMW = UsualTraining("adamw")


@dataclass(frozen=True)
class NetEntry:
    """A registered net class, with the task and the number of classes it is limited to, if any, and the least side of
    pictures. `data` is the name of a data set that it can be tried on, empty where there is none. `sample_shape`,
    `outputs` and `vocabulary` (of sequences) are those of the data that `example` takes; `size` is the parameters and
    multiply-adds it then has, where it takes long to measure them. `published` is how pictures were normalised, as
    `data.normalise` has it, to train the weights for ImageNet that torchvision publishes for the net, if it does.
    """

    net_class: "Callable[[], type[nn.Module]]"
    task: str | None = None
    classes: int | None = None
    least_side: int = 1
    sample_shape: tuple[int, ...] = (1, 28, 28)
    outputs: int = 10
    vocabulary: int | None = None
    data: str = "digits"
    size: tuple[int, int] | None = None
    training: UsualTraining = BY_THE_DATA
    published: str | None = None


IMAGENET: dict[str, Any] = {"sample_shape": (3, 224, 224), "outputs": 1000}
_TOKENS: dict[str, Any] = {"sample_shape": (20,), "vocabulary": 100}
_WINDOWS: dict[str, Any] = {"sample_shape": (24, 3), "outputs": 1, "data": ""}
_PAIRS: dict[str, Any] = {
    "task": "translation",
    "sample_shape": (2, 20),
    "vocabulary": 100,
    "outputs": 100,
    "data": "dates",
    "training": _BY_ADAMW,
}

NETS: dict[str, NetEntry] = {
    "linear-regression": NetEntry(lambda: nets.LinearRegression, task="regression", data="diabetes", size=(785, 784)),
    "logistic-regression": NetEntry(
        lambda: nets.LogisticRegression, task="classification", classes=2, data="breast-cancer", size=(785, 784)
    ),
    "softmax-regression": NetEntry(lambda: nets.SoftmaxRegression, task="classification", size=(7_850, 7_840)),
    "mlp": NetEntry(lambda: nets.MLP, size=(101_770, 101_632)),
    "lenet5": NetEntry(lambda: nets.LeNet5, size=(61_706, 416_520)),
    "small-inception": NetEntry(
        lambda: nets.SmallInception, least_side=16, data="fashion-mnist", size=(97_298, 6_019_200)
    ),
    "googlenet": NetEntry(
        lambda: nets.GoogLeNet,
        least_side=15,
        **IMAGENET,
        data="fashion-mnist",
        size=(6_624_904, 1_498_376_192),
        published="symmetric",
    ),
    "small-resnet": NetEntry(lambda: nets.SmallResNet, size=(272_186, 31_021_952)),
    "resnet18": NetEntry(lambda: nets.ResNet18, **IMAGENET, size=(11_689_512, 1_814_073_344), published="imagenet"),
    "resnet34": NetEntry(lambda: nets.ResNet34, **IMAGENET, size=(21_797_672, 3_663_761_408), published="imagenet"),
    "resnet50": NetEntry(lambda: nets.ResNet50, **IMAGENET, size=(25_557_032, 4_089_184_256), published="imagenet"),
    "resnet101": NetEntry(lambda: nets.ResNet101, **IMAGENET, size=(44_549_160, 7_801_405_440), published="imagenet"),
    "small-densenet": NetEntry(lambda: nets.SmallDenseNet, least_side=4, size=(175_690, 55_066_344)),
    "densenet121": NetEntry(
        lambda: nets.DenseNet121,
        least_side=29,
        **IMAGENET,
        data="cifar10",
        size=(7_978_856, 2_834_161_664),
        published="imagenet",
    ),
    "densenet169": NetEntry(
        lambda: nets.DenseNet169,
        least_side=29,
        **IMAGENET,
        data="cifar10",
        size=(14_149_480, 3_359_843_328),
        published="imagenet",
    ),
    "sequence-classifier": NetEntry(
        lambda: nets.SequenceClassifier, task="classification", **_TOKENS, data="names", size=(107_018, 1_967_360)
    ),
    "language-model": NetEntry(
        lambda: nets.LanguageModel, task="language", **_TOKENS, data="time-machine", size=(157_796, 2_877_440)
    ),
    "transformer-classifier": NetEntry(
        lambda: nets.TransformerClassifier,
        task="classification",
        **_TOKENS,
        data="names",
        size=(107_146, 2_069_120),
        training=_BY_ADAMW,
    ),
    "transformer-language-model": NetEntry(
        lambda: nets.TransformerLanguageModel,
        task="language",
        **_TOKENS,
        data="time-machine",
        size=(409_600, 8_325_120),
        training=_BY_ADAMW,
    ),
    "tabm": NetEntry(
        lambda: nets.TabM,
        sample_shape=(10,),
        outputs=1,
        data="diabetes",
        size=(49_856, 712_096),
        training=UsualTraining("adamw", batch_size=64, patience=16, ema=0.97),
    ),
    "sequence-tagger": NetEntry(
        lambda: nets.SequenceTagger,
        task="tagging",
        **_TOKENS,
        data="time-machine-capitals",
        size=(74_250, 1_336_320),
        training=_BY_ADAMW,
    ),
    "transformer-tagger": NetEntry(
        lambda: nets.TransformerTagger,
        task="tagging",
        **_TOKENS,
        data="time-machine-capitals",
        size=(107_146, 2_081_280),
        training=_BY_ADAMW,
    ),
    "encoder-decoder": NetEntry(lambda: nets.RecurrentEncoderDecoder, **_PAIRS, size=(364_132, 6_350_848)),
    "transformer-encoder-decoder": NetEntry(
        lambda: nets.TransformerEncoderDecoder, **_PAIRS, size=(253_028, 5_022_720)
    ),
    "unet": NetEntry(
        lambda: nets.UNet, task="segmentation", data="digit-masks", size=(482_602, 36_093_952), training=_BY_ADAMW
    ),
    "mixture-density": NetEntry(
        lambda: nets.MixtureDensityNet, task="regression", sample_shape=(1,), data="diabetes", size=(5_263, 5_120)
    ),
    "rnn": NetEntry(lambda: nets.WindowRNN, **_WINDOWS, size=(1_217, 26_912)),
    "gru": NetEntry(lambda: nets.WindowGRU, **_WINDOWS, size=(3_585, 80_672)),
    "lstm": NetEntry(lambda: nets.WindowLSTM, **_WINDOWS, size=(4_769, 107_552)),
    "tcn": NetEntry(lambda: nets.TCN, **_WINDOWS, size=(16_001, 377_888)),
    "autoencoder": NetEntry(lambda: nets.Autoencoder, task="reconstruction", size=(209_968, 208_896)),
}


def names() -> list[str]:
    """The names of all nets.

    >>> names()[:5]
    ['linear-regression', 'logistic-regression', 'softmax-regression', 'mlp', 'lenet5']
    """
    return list(NETS)


def task_of(name: str) -> str | None:
    """The one task that the net called `name` is for; None where it serves several, or is not known.

    >>> task_of("language-model")
    'language'
    """
    found = spelled(name, NETS)
    return NETS[found].task if found else None


def usual_data(name: str) -> str:
    """The name of a data set that the net called `name` can be tried on; empty for those that forecast time series.

    >>> usual_data("language-model")
    'time-machine'
    """
    return NETS[registered(name)].data


def usual_training(name: str) -> UsualTraining:
    """How the net called `name` is trained where nobody says; by SGD for a net of another's.

    >>> usual_training("lenet5").optimiser, usual_training("tabm").optimiser
    ('sgd', 'adamw')
    """
    found = spelled(name, NETS)
    return NETS[found].training if found else BY_THE_DATA


def registered(name: str) -> str:
    """The name of a net in the catalogue's own spelling; names of classes are understood too. One in a file of the
    user's own (`my_nets.py:Net`) gets its whole path. UserError for others.

    >>> registered("LeNet5")
    'lenet5'
    """
    if own := file_and_maker(name):
        return f"{absolute(Path(own[0]).expanduser())}:{own[1]}"
    found = spelled(name, NETS)
    if found is None:
        fail("nets.unknown-net", name=name, names=", ".join(NETS), hint=nearest(str(name).lower(), NETS))
    return found

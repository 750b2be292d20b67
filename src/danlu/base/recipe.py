"""The recipe: everything that determines a training, as a frozen tree of plain values."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Annotated, Any, Literal, cast

from annotated_types import Ge, Gt, Le, Lt

from danlu.base.counts import number_or_word
from danlu.base.own_code import file_and_maker, short_name
from danlu.base.readable import Readable
from danlu.base.recipe_values import (
    MOST,
    MOST_EPOCHS,
    ColumnType,
    Count,
    Epochs,
    Float32,
    Fraction,
    LearnedTask,
    NotNegative,
    Positive,
    Seed,
    Several,
)
from danlu.base.sections import plain_keys, section_of
from danlu.base.strict_json import canonical_json

# What the validator is told: refuse keys it does not know and numbers that are not finite.
_STRICT = {"extra": "forbid", "allow_inf_nan": False}

CUSTOM = "custom"
"""Name in a recipe of a net, or data, that were given as objects and that no recipe can bring back."""


@dataclass(frozen=True, kw_only=True)
class DataRecipe:
    """Where the samples come from and how they are split."""

    __pydantic_config__ = _STRICT
    name: str | None = None  # a data set of the catalogue; digits where neither name nor path is given
    path: str | None = None  # file, folder or pattern: table (CSV, Parquet, JSON, Excel), text, images, archive
    validation_path: str | None = None  # file or folder of the validation part, where path holds the training part
    test_path: str | None = None  # the same of the test part
    # the column to predict, in a table: its name, or its number (-1: the last); several: ["a", "b"], or "a,b"
    target: str | tuple[str, ...] | None = None
    # of a table: only these columns are features; none: all but the target, the group and the weight
    columns: tuple[str, ...] | None = None
    drop: tuple[str, ...] | None = None  # of a table: columns that are no features; those of group and time still count
    # of a table: what the cells of a column are taken for, types.zip = "category"; what is not named: by its cells
    types: Mapping[str, ColumnType] | None = field(default=None, hash=False)
    header: bool | None = None  # whether a table's first line names its columns; none: yes, unless it looks like a row
    encoding: str | None = None  # of a table or a text; none: detected
    sheet: str | None = None  # of an Excel workbook: the name of the sheet, or its number from 1; none: the first
    # of a CSV or Parquet table: keep its rows on the disk, not in memory; none: where they would take over half of it
    stream: bool | None = None
    root: str | None = None  # folder to look for catalogue data in, before $DANLU_DATA and the cache
    validation: Fraction = 0.1  # share of the samples held out to choose by
    test: Fraction = 0.2  # share held out for the last score; an official test part is kept instead
    samples: Count | None = None  # train on at most so many, drawn from split_seed; none: on all
    noise: NotNegative | None = None  # of moons and the other drawn shapes: its standard deviation; none: 0.1
    split_seed: Seed = 0  # draws the parts; fixed while train.seed varies, so that no test sample is ever trained on
    # what is learned; auto: by the target; segmentation: a class a pixel; tagging: a tag a token; translation: a
    # text for each text; reconstruction: the target is the sample itself
    task: LearnedTask = "auto"
    # to mean 0 and variance 1 of the training part; none: all but tokens, and images or sequences of floats from 0 to 1
    standardise: bool | None = None
    # of images, by whose mean and deviation: data: the training part's; imagenet: ImageNet's; symmetric: to -1 … 1;
    # none: those of ImageNet's published weights in net.weights, else the training part's
    normalise: Literal["data", "imagenet", "symmetric"] | None = None
    shuffle: bool = True  # draw a new order each epoch
    # classes: an epoch draws as many samples of each class, those of a rare one several times; none: each sample once
    balance: Literal["none", "classes"] | None = None
    workers: Annotated[int, Ge(0), Le(256)] = 0  # worker processes for data too big for memory
    # changes of the training images, drawn anew for every epoch: crop, flip, rotation, cutout (crop:4); none: none
    augment: tuple[str, ...] | None = None
    # side of the squares, in pixels, that images are brought to; none: as they are
    image_size: Annotated[int, Ge(1), Le(2**14)] | None = None
    tokens: Literal["characters", "words"] | None = None  # what a text is cut into; none: by the data
    # tokens rarer than that in the training part are unknown; none: 1 (tagging, words to translate: 2)
    min_frequency: Count | None = None
    steps: Count | None = None  # tokens of a text in a sample, and so how far back the gradient goes; none: 35
    partition: Literal["sequential", "random"] | None = None  # of a text: batches that go on from each other, or not
    group: str | None = None  # column whose equal values stay in one part; of a time series: that names each series
    # column by which the rows are ordered, the last held out; rows: as they stand; none, of a series: that of dates
    time: str | None = None
    window: Count | None = None  # of a time series: rows of a table that make one sample; none: it is no series
    horizon: Count | None = None  # of a time series: how many of the target's next values are forecast; none: 1
    season: Count | None = None  # of a time series: steps after which it begins anew; none: by autocorrelation
    weight: str | None = None  # column of how much each sample counts in the loss, which is then a weighted mean
    fold: tuple[Several, Count] | None = None  # [i, k]: fold i of k for validation, the rest to train on
    fold_seed: Seed | None = None  # draws the folds; none: 0
    steps_per_epoch: Count | None = None  # batches that make an epoch of a stream without an end; none: counted
    refit: bool | None = None  # train on the validation part too: the last training, when all is chosen; none: no


@dataclass(frozen=True, kw_only=True)
class NetRecipe:
    """A net by name, with whatever options that net's class has; "auto" takes the one that the data call for."""

    # a net that danlu nets lists, or one of a file of your own, my_nets.py:Net; auto: the one that the data call for
    name: str = "auto"
    sha256: str | None = None  # of the file of a net of your own; none: noted when it is trained, and held to since
    # of a net of your own that returns several outputs, the one to score: name, or place from 0; none: the only one
    output: str | None = None
    weights: str | None = None  # a file of weights to start from: .safetensors, or .pt and .pth without code in it
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def label(self) -> str:
        """What the net is called where it is shown: its name, or the class of one that was given as an object.

        >>> NetRecipe(name="/home/me/my_nets.py:Net").label, NetRecipe(name="custom", options={"class": "Net"}).label
        ('my_nets.py:Net', 'Net')
        """
        return str(self.options.get("class", self.name)) if self.name == CUSTOM else short_name(self.name)

    @property
    def is_own(self) -> bool:
        """Whether it is a net of the user's own, given as an object or by its file."""
        return self.name == CUSTOM or self.in_file

    @property
    def in_file(self) -> bool:
        """Whether it is a net of a file of the user's own."""
        return file_and_maker(self.name) is not None


@dataclass(frozen=True, kw_only=True)
class LossRecipe:
    """The loss; "auto" takes cross-entropy, binary cross-entropy or mean squared error, by task and net."""

    __pydantic_config__ = _STRICT
    name: str = "auto"  # auto: cross-entropy, binary cross-entropy or mean squared error, by task and net
    reduction: Literal["mean", "sum"] = "mean"  # over the samples of a batch
    label_smoothing: Fraction = 0.0  # share of the target spread over all classes; cross-entropy and bce only
    delta: Positive = 1.0  # Huber: the error at which the square turns into a line
    gamma: NotNegative | None = None  # focal: power of 1 - p, which takes from what is sure already; none: 2
    # bce: how much the second class counts beside the first; of several labels one number, or one a label
    pos_weight: Positive | tuple[Positive, ...] | None = None
    # how much each class counts in training: numbers, one a class, or by label; balanced: as many times as it is rarer
    class_weights: Any = None

    def __post_init__(self) -> None:
        """Class weights as plain values of one form; what they are to be is checked beside the data."""
        given = self.class_weights
        if isinstance(given, str):
            words = [word.strip() for word in given.split(",")]
            given = None if given == "none" else [number_or_word(word) for word in words] if len(words) > 1 else given
        if isinstance(given, list):
            given = tuple(cast(list[Any], given))
        if isinstance(given, Mapping):
            given = {str(label): weight for label, weight in cast(Mapping[Any, Any], given).items()}
        object.__setattr__(self, "class_weights", given)


@dataclass(frozen=True, kw_only=True)
class OptimRecipe:
    """The optimiser. An option left out takes torch's default; one that the optimiser lacks is an error."""

    __pydantic_config__ = _STRICT
    name: str = "auto"  # a torch.optim optimizer; auto: sgd; adamw: tabm, unet, taggers, transformers, encoder-decoder
    lr: Positive | None = None  # learning rate; none: 0.01 for SGD, torch's default for the others
    momentum: Fraction | None = None  # none: 0.9 for SGD, torch's default for the others
    rates: tuple[str, ...] | None = None  # learning rates of parts of the net, layer4:0.001; lr is for the rest
    weight_decay: NotNegative | None = None  # factor of the L2 penalty; AdamW and the like: of the decoupled decay
    nesterov: bool | None = None  # SGD, with momentum: Nesterov's variant
    dampening: NotNegative | None = None  # SGD: dampening of the momentum
    betas: tuple[Fraction, Fraction] | None = None  # Adam and the like: decay of the two moving averages
    eps: NotNegative | None = None  # added to a denominator, so that nothing is divided by 0
    amsgrad: bool | None = None  # Adam, AdamW: the AMSGrad variant
    centered: bool | None = None  # RMSprop: subtract the mean of the gradient
    alpha: NotNegative | None = None  # RMSprop: decay of the mean square; ASGD: power of the rate's decay
    rho: Fraction | None = None  # Adadelta: decay of the mean square
    lr_decay: NotNegative | None = None  # Adagrad: decay of the learning rate with the steps
    initial_accumulator_value: NotNegative | None = None  # Adagrad: sum of squares at the beginning
    lambd: NotNegative | None = None  # ASGD: decay term
    t0: NotNegative | None = None  # ASGD: step from which on the weights are averaged
    etas: tuple[Positive, Positive] | None = None  # Rprop: factors of a smaller and a larger step
    step_sizes: tuple[Positive, Positive] | None = None  # Rprop: smallest and largest step
    momentum_decay: NotNegative | None = None  # NAdam: decay of the momentum
    decoupled_weight_decay: bool | None = None  # RAdam, NAdam: decay the weights as AdamW does
    max_iter: Annotated[int, Ge(1), Le(10**6)] | None = None  # L-BFGS: iterations a step
    history_size: Annotated[int, Ge(1), Le(10**4)] | None = None  # L-BFGS: copies of the gradient that are kept
    tolerance_grad: NotNegative | None = None  # L-BFGS: stop once the gradient is smaller
    tolerance_change: NotNegative | None = None  # L-BFGS: stop once loss and weights change by less
    line_search_fn: Literal["strong_wolfe"] | None = None  # L-BFGS: line search; none: fixed steps


@dataclass(frozen=True, kw_only=True)
class ScheduleRecipe:
    """How the learning rate goes from step to step; a linear warm-up can stand in front of any of them."""

    __pydantic_config__ = _STRICT
    # constant, step, exponential, cosine, one-cycle or plateau; auto: constant, but one-cycle for a folder of pictures
    # whose net is left open
    name: str = "auto"
    warmup: Several = 0  # steps over which the rate rises from near 0 to its full value
    every: Count = 10  # step: epochs between two drops
    gamma: Annotated[float, Gt(0), Le(1)] = 0.1  # step, exponential, plateau: factor of a drop
    floor: Annotated[float, Ge(0), Le(1)] = 0.0  # cosine, one-cycle, plateau: the least share of the rate
    rise: Annotated[float, Gt(0), Lt(1)] = 0.3  # one-cycle: share of the steps on the way up
    patience: Several = 3  # plateau: epochs without a better validation score before a drop
    # after so many epochs it begins anew, warm-up included, each time over those up to the next: [10, 20]; none: never
    restarts: tuple[Count, ...] | None = None
    # after what a scheduler of your own is stepped; none: as torch means it (one-cycle and cyclic: step, others: epoch)
    per: Literal["step", "epoch"] | None = None


@dataclass(frozen=True, kw_only=True)
class TrainRecipe:
    """The loop: how long, in what portions, with which guards."""

    __pydantic_config__ = _STRICT
    # none: 20; more for fewer than 3,200 samples, up to 200; of danlu fit with patience: until that is spent
    epochs: Epochs | None = None
    batch_size: Count | None = None  # none: 32; 16 below 2,000 samples; 64 for tabm; all for L-BFGS
    accumulate: Count = 1  # batches whose gradients make one step; a step then sees batch_size * accumulate samples
    fit_memory: bool | None = None  # compute a batch in as small portions as memory asks for; none: no
    seed: Seed = 0  # initial weights, order of the samples, augmentation and dropout
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"  # where to train; auto: on an accelerator, if there is one
    precision: Literal["float32", "float64", "bfloat16", "float16"] = "float32"  # the last two: autocast
    compile: bool | None = None  # try torch.compile, and keep to it where it pays; none: no
    channels_last: bool | None = None  # memory format of images and convolutions; none: of danlu's own nets
    # that share the batch of every step, on this machine; none: one, or those that torchrun has started
    processes: Annotated[int, Ge(1), Le(1024)] | None = None
    # over which samples several processes normalise: those of all, or each its own; none: synchronised
    batch_norm: Literal["synchronised", "per-process"] | None = None
    exact: bool | None = None  # whether any number of processes gives the same bits; none: no
    virtual_workers: Annotated[int, Ge(1), Le(1024)] | None = None  # exact: parts of a batch, added in order; none: 4
    fsdp: bool | None = None  # processes hold weights, gradients and optimiser state in parts; none: no
    clip_norm: Positive | None = None  # largest norm of the whole gradient; none: not clipped
    clip_value: Float32 | None = None  # largest absolute entry of the gradient; none: not clipped
    freeze: tuple[str, ...] | None = None  # parts of the net that are not trained, by name
    thaw: Annotated[int, Ge(2), Le(MOST)] | None = None  # the epoch from which on they are; none: never
    # decay of an exponential moving average of the weights, which is then what is scored; none: no average; tabm, with
    # epochs and weights left open: 0.97
    ema: Fraction | None = None
    # early stopping: epochs without a better validation score; none: never; tabm, epochs and weights left open: 16
    patience: Count | None = None
    weights: Literal["last", "best"] | None = None  # which are scored; none: best, given 30 validation samples
    # a regression's answers stay in the training targets' range; none: those of danlu's nets with hidden layers
    limit_predictions: bool | None = None
    smoothing: Annotated[float, Gt(0), Le(1)] = 0.1  # share β of the newest loss in the smoothed curve
    checkpoint_steps: Count | None = None  # save every so many steps, besides checkpoint_seconds
    checkpoint_seconds: Positive = 30.0  # save when so many seconds have passed since the last save
    keep: Annotated[int, Ge(2), Le(MOST)] = 2  # checkpoints kept; two at least: a bad block of the disk loses little

    @property
    def open_ended(self) -> bool:
        """Whether nobody said for how many epochs: it goes on until its patience is spent.

        >>> TrainRecipe(patience=3, epochs=MOST_EPOCHS).open_ended
        True
        """
        return self.patience is not None and self.epochs == MOST_EPOCHS

    @property
    def scores_best(self) -> bool:
        """Whether the best weights are scored and used, rather than the last.

        >>> TrainRecipe(patience=3).scores_best
        True
        """
        return self.weights == "best" if self.weights else self.patience is not None

    @property
    def workers(self) -> int | None:
        """Into how many parts an exact training cuts its batches, whatever the processes; None of any other."""
        return (self.virtual_workers or 4) if self.exact else None

    @property
    def defining_weights(self) -> "TrainRecipe":
        """Without how many processes share the work, where that does not change what is trained."""
        several = (self.processes or 1) > 1 and not self.exact and self.batch_norm == "per-process"
        shared = {key: getattr(self, key) if several else None for key in ("processes", "batch_norm")}
        return replace(self, **shared, fsdp=None, exact=self.exact or None, virtual_workers=self.workers)


@dataclass(frozen=True, kw_only=True)
class WatchRecipe:
    """Whether the training is watched, and by which rules; it has no influence on the weights.

    Numbers of rules stand beside the other keys, as in `dead-relu.min_dead_share = 0.6`.
    """

    __pydantic_config__ = _STRICT
    on: bool = True  # whether the training is watched
    silence: tuple[str, ...] = ()  # ids of rules that are switched off
    thresholds: Mapping[str, Mapping[str, float]] = field(default_factory=dict[str, Mapping[str, float]])


@dataclass(frozen=True, kw_only=True)
class TrackRecipe:
    """Trackers that hear of the training besides its own folder; they have no influence on the weights."""

    __pydantic_config__ = _STRICT
    to: tuple[str, ...] | None = None  # tensorboard, mlflow, wandb; none: no tracker
    project: str | None = None  # MLflow's experiment and the project of Weights & Biases; none: danlu
    every: Count | None = None  # steps between two training losses that are sent; none: 50 losses an epoch


KINDS: dict[str, type[Any]] = {
    "data": DataRecipe,
    "net": NetRecipe,
    "loss": LossRecipe,
    "optim": OptimRecipe,
    "schedule": ScheduleRecipe,
    "train": TrainRecipe,
    "watch": WatchRecipe,
    "track": TrackRecipe,
}


@dataclass(frozen=True, kw_only=True, repr=False)
class Recipe(Readable):
    """All sections. Two recipes with one fingerprint train the same weights on the same machine.

    A section may be given as a mapping. Raises UserError for keys there are not, and values that do not fit.

    >>> Recipe(optim={"name": "adam", "lr": 0.001}).optim.lr
    0.001
    """

    __pydantic_config__ = _STRICT
    data: DataRecipe = DataRecipe()
    net: NetRecipe = NetRecipe()
    loss: LossRecipe = LossRecipe()
    optim: OptimRecipe = OptimRecipe()
    schedule: ScheduleRecipe = ScheduleRecipe()
    train: TrainRecipe = TrainRecipe()
    watch: WatchRecipe = WatchRecipe()
    track: TrackRecipe = TrackRecipe()
    # Keys such as "optim.lr" whose values danlu chose for want of a word of the user's: they say no more than that
    # word would have, so they yield where what they were chosen for is changed.
    chosen: frozenset[str] = field(default=frozenset(), compare=False)

    def __post_init__(self) -> None:
        """Sections may be given as mappings: they are checked, and become what they stand for."""
        for section, kind in KINDS.items():
            given = getattr(self, section)
            if not isinstance(given, kind):
                object.__setattr__(self, section, section_of(kind, section, given))

    def __repr__(self) -> str:
        """Only what is not as in `Recipe()`."""
        return f"Recipe({', '.join(self._unusual())})"

    def __str__(self) -> str:
        return "\n".join(self._unusual()) or "Recipe()"

    def _unusual(self) -> list[str]:
        """`section.key=value` of what differs from the defaults."""
        usual = Recipe().as_dict()
        return [
            f"{section}.{key}={value!r}"
            for section, keys in self.as_dict().items()
            for key, value in keys.items()
            if usual.get(section, {}).get(key) != value
        ]

    def without_trackers(self) -> "Recipe":
        """The same, reported to no tracker."""
        return self if self.track == TrackRecipe() else replace(self, track=TrackRecipe())

    def as_dict(self) -> dict[str, dict[str, Any]]:
        """Nested plain values as they stand in TOML: keys that are None left out, a net's options beside its name, and
        no section "track" where nothing is tracked.

        >>> Recipe().as_dict()["net"]
        {'name': 'auto'}
        """
        tree = {section: plain_keys(getattr(self, section)) for section in SECTIONS}
        if not tree["track"]:  # as all runs and studies have it that began before there was this section
            del tree["track"]
        return tree

    def fingerprint(self) -> str:
        """16 hex digits of what determines the result; where the data lie and how often is saved does not count.

        >>> Recipe().fingerprint() == Recipe(data=DataRecipe(root="elsewhere")).fingerprint()
        True
        """
        of_net = {"name": self.net.label} if self.net.in_file else {}  # its content counts by sha256
        sections = {
            **{section: plain_keys(getattr(self, section)) for section in SECTIONS if section != "track"},
            "data": plain_keys(self.data, root=None, workers=0, stream=None),
            "net": plain_keys(self.net, **of_net),
            "train": plain_keys(self.train.defining_weights, checkpoint_steps=None, checkpoint_seconds=30.0, keep=2),
        }
        text = canonical_json({**sections, "watch": None})
        return hashlib.sha256(text.encode()).hexdigest()[:16]


SECTIONS = tuple(section.name for section in fields(Recipe) if section.name != "chosen")

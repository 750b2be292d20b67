"""What is measured of layers and activations, and of the net as a whole."""

from dataclasses import dataclass, field

from danlu.watch.series import Series


@dataclass
class Layer:
    """A module with parameters of its own. Layers stand in the order in which the first step called them."""

    name: str
    kind: str
    inputs: int = 0  # fan-in of its weight; 0 where it has no matrix
    width: int = 0  # numbers that it gives for each sample or place
    channels: int = 0  # that without the size of a convolution's kernel
    grouped: bool = False  # a convolution in groups
    outputs: int = 0  # rows of its weight
    bare: bool = False  # parameters of a module written by hand: no call of its own
    by_hand: bool = False  # its class is none of torch's
    parameters: int = 0
    trainable: bool = True
    fresh: bool = False  # its weight looks as torch's default initialisation draws it
    forget: float = float("nan")  # share of its state that an LSTM keeps a step by its biases alone, at first
    mean: Series = field(default_factory=Series)  # of its output
    std: Series = field(default_factory=Series)
    gradient: Series = field(default_factory=Series)  # L2 norm over its parameters
    gradient_zero: Series = field(default_factory=Series)  # share of its gradient's entries that are exactly 0
    weight: Series = field(default_factory=Series)  # L2 norm
    inward: Series = field(default_factory=Series)  # cosine of gradient and weight: of a pull towards 0 it is 1
    update: Series = field(default_factory=Series)  # norm of one step's change over the norm of the weight
    apart: Series = field(default_factory=Series)  # spread of the weight's rows about their mean, as a share of them
    nonfinite_since: int | None = None  # its output
    reached: bool = False  # a gradient has come to it
    called: bool = False


@dataclass
class Activation:
    """The results of one activation function, read from the autograd graph: a module or a plain call alike."""

    name: str  # of the layer before it
    kind: str  # relu, sigmoid, tanh …
    last: bool  # nothing but the loss comes after it
    saturated: Series = field(default_factory=Series)  # share within 3 % of a bound
    zero: Series = field(default_factory=Series)  # share exactly 0
    dead: Series = field(default_factory=Series)  # share of units that were 0 for all samples of the last batches
    units: int = 0


@dataclass
class Net:
    """What does not change: the net as it was when the block was entered."""

    layers: int = 0
    trainable: int = 0  # tensors
    unoptimised: tuple[str, ...] = ()  # trainable parameters in no optimiser
    unoptimised_first: bool = False  # they all come before the first optimised one
    unreached: tuple[str, ...] = ()  # optimised parameters that no gradient has ever reached
    unregistered: int = 0  # parameters that a gradient reaches and that neither net nor any optimiser knows
    made_anew: bool = False  # these are others in each step
    loose: int = 0  # parameters of the loss itself, such as weights of its terms, that no optimizer holds
    frozen_at_zero: tuple[str, ...] = ()  # matrices that are frozen and hold nothing but zeros
    unlisted: int = 0  # parameters that a gradient reaches and that lie in a plain list or dict of a module
    dropout: dict[str, float] = field(default_factory=dict[str, float])
    plain_dropout: float = 0.0  # highest rate of a call of torch.nn.functional.dropout
    norms: tuple[str, ...] = ()  # batch normalisations
    frozen_norms: bool = False
    compiled: bool = False
    linear_pairs: tuple[tuple[str, str], ...] = ()  # layers with nothing non-linear between them
    bottlenecks: tuple[str, ...] = ()  # narrow layers through which everything goes
    nonlinear: bool | None = None  # any non-linearity at all; None before the graph was read
    wrong_softmax: tuple[int, tuple[int, ...]] | None = None  # its dimension and shape, of weights summed over another
    over_samples: bool = False  # the weights of a softmax within it sum to 1 over the samples
    attends: bool = False  # it has attention
    stuck: tuple[str, ...] = ()  # embeddings of which all samples of the first batch ask for the same row
    self_attends: bool = False  # of the places of a sequence to each other
    depth: int = 0  # linear and convolutional layers on the graph
    recurrent: bool = False
    silent_scheduler: bool = False  # one was made for an optimiser and never called

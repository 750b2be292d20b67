"""All claims, one line each, by what can be told of them without testing any."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from danlu.base.errors import fail, nearest
from danlu.base.naming import spelled
from danlu.claims import notes

Kind = Literal["identity", "effect", "demonstration"]


@dataclass(frozen=True)
class ClaimEntry:
    """A claim by its id: its kind, the data it is tested on by default, about how many minutes that takes on two
    cores, and the `claim` itself, which is imported when it is first asked for."""

    id: str
    kind: Kind
    data: str
    minutes: float
    claim: Callable[[], Any]


CLAIMS: dict[str, ClaimEntry] = {
    one.id: one
    for one in (
        ClaimEntry("linear-layers-collapse", "identity", "", 0.1, lambda: notes.LINEAR_LAYERS_COLLAPSE),
        ClaimEntry("momentum-helps", "effect", "digits", 1.0, lambda: notes.MOMENTUM_HELPS),
        ClaimEntry("exhaustive-equals-descent", "identity", "", 0.1, lambda: notes.EXHAUSTIVE_EQUALS_DESCENT),
        ClaimEntry("smoothing-shows-the-trend", "identity", "", 0.1, lambda: notes.SMOOTHING_SHOWS_THE_TREND),
        ClaimEntry("softmax-nll-is-cross-entropy", "identity", "", 0.1, lambda: notes.SOFTMAX_NLL_IS_CROSS_ENTROPY),
        ClaimEntry(
            "cross-entropy-is-entropy-plus-kl", "identity", "", 0.1, lambda: notes.CROSS_ENTROPY_IS_ENTROPY_PLUS_KL
        ),
        ClaimEntry("perplexity-is-exp-of-loss", "identity", "", 0.1, lambda: notes.PERPLEXITY_IS_EXP_OF_LOSS),
        ClaimEntry("one-by-one-saves-compute", "identity", "", 0.1, lambda: notes.ONE_BY_ONE_SAVES_COMPUTE),
        ClaimEntry("rnn-parameters-constant", "identity", "", 0.1, lambda: notes.RNN_PARAMETERS_CONSTANT),
        ClaimEntry("noise-leaves-saddles", "demonstration", "", 0.1, lambda: notes.NOISE_LEAVES_SADDLES),
        ClaimEntry("minibatch-balances", "demonstration", "digits", 0.5, lambda: notes.MINIBATCH_BALANCES),
        ClaimEntry("kfold-picks-well", "demonstration", "digits", 0.5, lambda: notes.KFOLD_PICKS_WELL),
        ClaimEntry("optimizers-differ", "effect", "digits", 1.0, lambda: notes.OPTIMIZERS_DIFFER),
        ClaimEntry("mean-gradients-scale-free", "effect", "digits", 0.5, lambda: notes.MEAN_GRADIENTS_SCALE_FREE),
        ClaimEntry("batch-size-128", "effect", "digits", 1.0, lambda: notes.BATCH_SIZE_128),
        ClaimEntry("batchnorm-speeds-convergence", "effect", "digits", 2.0, lambda: notes.BATCHNORM_SPEEDS_CONVERGENCE),
        ClaimEntry("residuals-train-deeper", "effect", "digits", 2.0, lambda: notes.RESIDUALS_TRAIN_DEEPER),
        ClaimEntry(
            "dense-connections-save-parameters",
            "effect",
            "digits",
            3.0,
            lambda: notes.DENSE_CONNECTIONS_SAVE_PARAMETERS,
        ),
        ClaimEntry("convolution-beats-dense", "effect", "digits", 2.0, lambda: notes.CONVOLUTION_BEATS_DENSE),
        ClaimEntry("divide-by-255-once", "effect", "digits", 0.5, lambda: notes.DIVIDE_BY_255_ONCE),
        ClaimEntry("standardised-inputs-help", "effect", "breast-cancer", 0.5, lambda: notes.STANDARDISED_INPUTS_HELP),
        ClaimEntry("workers-prefetch", "demonstration", "", 1.0, lambda: notes.WORKERS_PREFETCH),
        ClaimEntry("forget-bias-one", "effect", "recall, adding, time-machine", 3.0, lambda: notes.FORGET_BIAS_ONE),
        ClaimEntry("clipping-steadies-rnns", "effect", "recall, adding, time-machine", 3.0, lambda: notes.CLIPPING_STEADIES_RNNS),
        ClaimEntry("dropout-placement-in-rnns", "effect", "recall, adding, time-machine", 3.0, lambda: notes.DROPOUT_PLACEMENT_IN_RNNS),
        ClaimEntry("too-large-rate-diverges", "demonstration", "digits", 0.5, lambda: notes.TOO_LARGE_RATE_DIVERGES),
        ClaimEntry("sigmoid-saturates", "effect", "digits", 0.5, lambda: notes.SIGMOID_SATURATES),
        ClaimEntry("deep-gradients-vanish", "demonstration", "digits", 0.1, lambda: notes.DEEP_GRADIENTS_VANISH),
        ClaimEntry("wide-init-explodes", "demonstration", "digits", 0.2, lambda: notes.WIDE_INIT_EXPLODES),
        ClaimEntry("xavier-keeps-variance", "demonstration", "digits", 0.2, lambda: notes.XAVIER_KEEPS_VARIANCE),
        ClaimEntry("train-longer-overfits", "effect", "digits", 0.8, lambda: notes.TRAIN_LONGER_OVERFITS),
        ClaimEntry(
            "best-checkpoint-beats-last", "demonstration", "digits", 0.5, lambda: notes.BEST_CHECKPOINT_BEATS_LAST
        ),
        ClaimEntry("dropout-helps-small-data", "effect", "digits", 1.7, lambda: notes.DROPOUT_HELPS_SMALL_DATA),
        ClaimEntry("shuffling-helps", "effect", "digits", 0.4, lambda: notes.SHUFFLING_HELPS),
    )
}


def entry_of(claim: str) -> ClaimEntry:
    """The claim called `claim`, in whatever spelling. UserError where there is none.

    >>> entry_of("Momentum_Helps").id
    'momentum-helps'
    """
    found = spelled(claim, CLAIMS)
    if found is None:
        fail("claims.unknown", name=claim, names=", ".join(CLAIMS), hint=nearest(str(claim).lower(), CLAIMS))
    return CLAIMS[found]

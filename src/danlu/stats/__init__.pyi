from danlu.stats.information import (
    BITS as BITS,
)
from danlu.stats.information import (
    NATS as NATS,
)
from danlu.stats.information import (
    cross_entropy as cross_entropy,
)
from danlu.stats.information import (
    entropy as entropy,
)
from danlu.stats.information import (
    gaussian_entropy as gaussian_entropy,
)
from danlu.stats.information import (
    gaussian_kl as gaussian_kl,
)
from danlu.stats.information import (
    kl as kl,
)
from danlu.stats.information import (
    perplexity as perplexity,
)
from danlu.stats.mixtures import (
    Estimate as Estimate,
)
from danlu.stats.mixtures import (
    Mixture as Mixture,
)
from danlu.stats.mixtures import (
    mixture_cross_entropy as mixture_cross_entropy,
)
from danlu.stats.mixtures import (
    mixture_entropy as mixture_entropy,
)
from danlu.stats.mixtures import (
    mixture_kl as mixture_kl,
)
from danlu.stats.paired import (
    Effect as Effect,
)
from danlu.stats.paired import (
    check_margin as check_margin,
)
from danlu.stats.paired import (
    holm as holm,
)
from danlu.stats.paired import (
    paired_effect as paired_effect,
)
from danlu.stats.power import pairs_needed as pairs_needed
from danlu.stats.power import power as power

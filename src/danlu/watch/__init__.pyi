from danlu.watch.attach import Watch as Watch
from danlu.watch.attach import watch as watch
from danlu.watch.earlier import Earlier as Earlier
from danlu.watch.measured import Evaluation as Evaluation
from danlu.watch.measured import Measured as Measured
from danlu.watch.patches import LossCall as LossCall
from danlu.watch.remedies import remedies_of as remedies_of
from danlu.watch.thresholds import check_rules as check_rules

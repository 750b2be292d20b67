from danlu import nets as nets
from danlu import stats as stats
from danlu.base.errors import (
    DanluError as DanluError,
)
from danlu.base.errors import (
    DataWarning as DataWarning,
)
from danlu.base.errors import (
    StorageError as StorageError,
)
from danlu.base.errors import (
    UserError as UserError,
)
from danlu.base.events import (
    EpochDone as EpochDone,
)
from danlu.base.events import (
    Listener as Listener,
)
from danlu.base.events import (
    StepDone as StepDone,
)
from danlu.base.events import (
    Stop as Stop,
)
from danlu.base.events import (
    StopTraining as StopTraining,
)
from danlu.base.events import (
    TrainingStarted as TrainingStarted,
)
from danlu.base.memory import OutOfMemoryError as OutOfMemoryError
from danlu.base.recipe import Recipe as Recipe
from danlu.base.words import use_language as use_language
from danlu.claims.exercise.check import Attempt as Attempt
from danlu.claims.exercise.check import check_exercise as check_exercise
from danlu.claims.exercise.deal import exercise as exercise
from danlu.cli.verbs.play import play as play
from danlu.data import Dataset as Dataset
from danlu.data import load as load
from danlu.estimators import Classifier as Classifier
from danlu.estimators import EstimatorError as EstimatorError
from danlu.estimators import Regressor as Regressor
from danlu.lab.check.check import check as check
from danlu.lab.check.lr_find import lr_find as lr_find
from danlu.lab.check.outcome import Check as Check
from danlu.lab.check.rate_test import RateTest as RateTest
from danlu.lab.cure.cure import cure as cure
from danlu.lab.cure.proof import Proof as Proof
from danlu.lab.draw import draw as draw
from danlu.lab.draw import draw_expression as draw_expression
from danlu.lab.landscape.landscape import Landscape as Landscape
from danlu.lab.landscape.landscape import landscape as landscape
from danlu.lab.report import report as report
from danlu.lab.resume import resume as resume
from danlu.nets import describe as describe
from danlu.run.fit import fit as fit
from danlu.run.importing import import_runs as import_runs
from danlu.run.interrupt import Interrupted as Interrupted
from danlu.run.packing import package as package
from danlu.run.run import Run as Run
from danlu.serve import try_out as try_out
from danlu.serve import view as view
from danlu.study.compare import compare as compare
from danlu.study.search.result import Search as Search
from danlu.study.search.search import search as search
from danlu.study.study import Study as Study
from danlu.watch import Measured as Measured
from danlu.watch import Rule as Rule
from danlu.watch import Threshold as Threshold
from danlu.watch import Verdict as Verdict
from danlu.watch import Watch as Watch
from danlu.watch import watch as watch

__version__: str

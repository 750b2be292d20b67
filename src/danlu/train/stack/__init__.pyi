from danlu.train.stack.build import (
    find_way as find_way,
)
from danlu.train.stack.build import (
    recipe_stackable as recipe_stackable,
)
from danlu.train.stack.build import (
    same_step as same_step,
)
from danlu.train.stack.build import (
    same_structure as same_structure,
)
from danlu.train.stack.build import (
    stackable as stackable,
)
from danlu.train.stack.choices import Choices as Choices
from danlu.train.stack.choices import choices as choices
from danlu.train.stack.choices import choosing as choosing
from danlu.train.stack.choices import choosing_here as choosing_here
from danlu.train.stack.convolution import times_forms as times_forms
from danlu.train.stack.engine import StackedEngine as StackedEngine
from danlu.train.stack.engine import StepOnlooker as StepOnlooker
from danlu.train.stack.engine import writes_out as writes_out
from danlu.train.stack.first_steps import first_losses as first_losses
from danlu.train.stack.halving import Elsewhere as Elsewhere
from danlu.train.stack.halving import Halving as Halving
from danlu.train.stack.halving import Standing as Standing
from danlu.train.stack.members import FoldRows as FoldRows
from danlu.train.stack.members import StackMember as StackMember
from danlu.train.stack.members import Trained as Trained
from danlu.train.stack.running import RunningStack as RunningStack
from danlu.train.stack.step import StackedStep as StackedStep
from danlu.train.stack.timing import StackTiming as StackTiming
from danlu.train.stack.timing import faster_stacked as faster_stacked
from danlu.train.stack.train import cut_members as cut_members
from danlu.train.stack.train import train_members as train_members
from danlu.train.stack.train import train_stack as train_stack

from danlu.stack.build import (
    find_way as find_way,
)
from danlu.stack.build import (
    recipe_stackable as recipe_stackable,
)
from danlu.stack.build import (
    same_step as same_step,
)
from danlu.stack.build import (
    same_structure as same_structure,
)
from danlu.stack.build import (
    stackable as stackable,
)
from danlu.stack.choices import Choices as Choices
from danlu.stack.choices import choices as choices
from danlu.stack.choices import choosing as choosing
from danlu.stack.choices import choosing_here as choosing_here
from danlu.stack.convolution import times_forms as times_forms
from danlu.stack.engine import StackedEngine as StackedEngine
from danlu.stack.engine import StepOnlooker as StepOnlooker
from danlu.stack.engine import writes_out as writes_out
from danlu.stack.first_steps import first_losses as first_losses
from danlu.stack.halving import Elsewhere as Elsewhere
from danlu.stack.halving import Halving as Halving
from danlu.stack.halving import Standing as Standing
from danlu.stack.members import FoldRows as FoldRows
from danlu.stack.members import StackMember as StackMember
from danlu.stack.members import Trained as Trained
from danlu.stack.running import RunningStack as RunningStack
from danlu.stack.step import StackedStep as StackedStep
from danlu.stack.timing import StackTiming as StackTiming
from danlu.stack.timing import faster_stacked as faster_stacked
from danlu.stack.train import cut_members as cut_members
from danlu.stack.train import train_members as train_members
from danlu.stack.train import train_stack as train_stack

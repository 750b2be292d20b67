"""Many models trained at once: every parameter of K members with one structure is one tensor, leading axis K."""

from danlu.train.stack.build import find_way, recipe_stackable, same_step, same_structure, stackable
from danlu.train.stack.choices import Choices, choices, choosing
from danlu.train.stack.engine import Onlooker, StackedEngine, writes_out
from danlu.train.stack.first_steps import first_losses
from danlu.train.stack.halving import Halving
from danlu.train.stack.loop import train_stack
from danlu.train.stack.members import Fold, Member, Trained
from danlu.train.stack.step import StackedStep
from danlu.train.stack.timing import Timing, faster_stacked
from danlu.train.stack.train import train_members

__all__ = [
    "Choices",
    "Fold",
    "Halving",
    "Member",
    "Onlooker",
    "StackedEngine",
    "StackedStep",
    "Timing",
    "Trained",
    "choices",
    "choosing",
    "faster_stacked",
    "find_way",
    "first_losses",
    "recipe_stackable",
    "same_step",
    "same_structure",
    "stackable",
    "train_members",
    "train_stack",
    "writes_out",
]

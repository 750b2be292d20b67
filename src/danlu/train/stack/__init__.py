"""Many models trained at once: every parameter of K members with one structure in one tensor, leading axis K.

stackable(net) -> Fault | None             None: can be stacked; else why not
Member(recipe, fold, order_seed)           one model
Fold(inputs, targets, train, validation)   its data
train_members(nets, members, folds, …)     all of them, cut into stacks that fit cache and memory -> Trained
StackedStep, train_stack                   the step and the loop of one stack
faster_stacked(nets, members, folds)       a short timing: is the stack faster than one after another?
"""

from danlu.train.stack.members import Fold, Member, Trained

__all__ = ["Fold", "Member", "Trained"]

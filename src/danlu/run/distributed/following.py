"""The processes of a training besides the first: they compute their part of each step, and keep and say nothing."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from danlu.base.events import Listener, Stop
from danlu.base.records import Score
from danlu.base.seeds import exact_kernels, preserved_randomness
from danlu.run.agreement import agreed, scored_by_first, share_state, share_weights, together
from danlu.run.batches import training_batches
from danlu.run.engines import build_engine
from danlu.run.interrupt import Interrupt, Interrupted
from danlu.run.setup import Setup
from danlu.run.sharded_saving import AskedOfAny, SavingTogether, save_last, scored_in
from danlu.run.training import score_part
from danlu.store.run_environment import MODULE
from danlu.train.distributed.group import tell
from danlu.train.distributed.sharded import ShardedEngine
from danlu.train.engine import Batch
from danlu.train.loop import train
from danlu.train.progress import progress_of


def follow(setup: Setup) -> Path:
    """Take part in the training that the first process leads; the folder that it writes. Interrupted where that was."""
    group, device = setup.group, setup.device
    with together(group):
        pass  # the first one makes the folder, or fails
    told = tell(group, None)
    folder = str(told["folder"])
    if told["finished"]:
        return Path(folder)
    engine = build_engine(setup, MODULE)
    progress = progress_of(setup.recipe, setup.horizon)

    def batches(epoch: int, start: int) -> Iterable[Batch]:
        return training_batches(setup.recipe, setup.data, epoch, start, device, setup.dtype, group)

    def own_part() -> Score | Stop | None:
        with scored_in(engine) as net:
            return score_part(setup, net, "validation", progress.epoch, AskedOfAny(group, interrupt))

    with Interrupt(folder) as interrupt, preserved_randomness(), exact_kernels(device), engine:
        share_state(group, engine, progress)
        saver = SavingTogether(group, engine) if isinstance(engine, ShardedEngine) else None
        heard: Sequence[Listener] = [interrupt] if saver is None else [saver, interrupt]
        heard = agreed(group, engine, heard)
        train(engine, batches, scored_by_first(group, own_part, engine), progress, heard)
        if saver is not None:
            save_last(engine, saver)
        if tell(group, None)["interrupted"]:
            raise Interrupted(folder, saved=True)
    share_weights(group, setup.net)
    return Path(folder)

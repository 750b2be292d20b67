"""package: what a run of an older danlu lacks to answer alone is written once, from its data."""

from pathlib import Path
from typing import Any

from torch import nn

from danlu.base.errors import Fault, UserError, fail
from danlu.base.places import shown
from danlu.data import Dataset
from danlu.nets import describe
from danlu.run.building import dtype_of, sample_dtype
from danlu.run.own.program import lacks_program
from danlu.run.package_writer import add_program, begun_package, complete_package
from danlu.run.run import Run
from danlu.run.scored_net import answerer_of
from danlu.run.trained_data import load_trained
from danlu.store.journal import Journal
from danlu.store.package_file import read_package_file
from danlu.store.run_folder import RunFolder


def package(
    folder: str | Path, *, net: nn.Module | str | None = None, data: Any = None, root: str | Path | None = None
) -> Run:
    """Write what the finished run in `folder` needs to answer without its data, where an older danlu did not.

    The data are loaded once more: `data` are those that were given as objects, or their path now, `root` the folder to
    look for a catalogue's in; `net` is the net where it was given as an object. A run whose package is whole comes back
    as it is, and one that lacks only the program of its net gets that. Raises UserError where the run has not finished,
    or its data are gone or are not those it was trained on.

    >>> import tempfile, danlu
    >>> run = danlu.fit("softmax-regression", "iris", epochs=1, folder=tempfile.mkdtemp(), progress=False)
    >>> package(run.folder).folder == run.folder
    True
    """
    place = RunFolder.open(Path(folder))
    run = Run(place.path, net=net)
    run.refuse_imported()
    place = RunFolder(run.folder)
    if not run.finished:
        fail("lab.package-unfinished", folder=shown(place.path))
    with Journal(place.journal):  # nobody goes on with it meanwhile
        before = read_package_file(place.package)
        if before is not None and before.answers is not None:
            if lacks_program(run.recipe, before.answers) and (net is not None or run.recipe.net.in_file):
                dataset = None if before.answers.golden.samples else _loaded(place, run, data, root)
                add_program(place, run.recipe, answerer_of(run.net(), run.preprocessing), dataset)
            return Run(place.path, net=net)
        dataset = _loaded(place, run, data, root)
        module = net if isinstance(net, nn.Module) else run.built(dataset)
        if before is None:
            begun_package(dataset).write(place.package)
        taken = sample_dtype(module, dataset, dtype_of(run.recipe.train.precision))
        shape = describe(module, dataset.sample_shape, dtype=taken).output_shape
        complete_package(place, run.recipe, dataset, module, run.score, shape)
    return Run(place.path, net=net)


def _loaded(place: RunFolder, run: Run, data: Any, root: str | Path | None) -> Dataset:
    try:
        return load_trained(place, run.recipe, data, root)
    except UserError as error:
        raise UserError(Fault("lab.package-needs-data", {"folder": shown(place.path)}), *error.faults) from None

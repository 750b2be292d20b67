"""resume: what was interrupted goes on, be it a run, a study or a search."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from danlu.base.errors import fail
from danlu.base.events import Listener
from danlu.run.fit import resume as resume_run
from danlu.run.own.metric import MetricLike
from danlu.store.study_folder import StudyFolder
from danlu.study.compare import go_on
from danlu.study.search.search import go_on_searching


def resume(
    folder: str | Path,
    *,
    net: Any = None,
    data: object = None,
    root: str | Path | None = None,
    jobs: int | None = None,
    cluster: object = None,
    listeners: Sequence[Listener] | None = None,
    metrics: Mapping[str, MetricLike] | None = None,
    loss: object = None,
    optimizer: object = None,
    schedule: object = None,
    notify: str | None = None,
    progress: bool = True,
) -> Any:
    """Go on with what lies in `folder`, exactly where it stopped: the Run, Study or Search comes back, finished.

    What has ended is returned as it is. `net` and `data` are needed where they were given as objects that a recipe
    cannot bring back; where data have been moved, `data` is their path now, or for a run `root` the folder to look for
    a catalogue's in. For a study `net` is the function that builds it, or a dict of those that were levels by name,
    `jobs` the number of processes, and `cluster` where it is trained instead. `listeners`, `metrics`, `loss`,
    `optimizer` and `schedule` are those of `danlu.fit`, for a run; `notify` is for all three. Raises UserError where
    the folder holds none of the three, or needs one of these.

    >>> import tempfile, danlu
    >>> run = danlu.fit("softmax-regression", "iris", epochs=1, folder=tempfile.mkdtemp(), progress=False)
    >>> danlu.resume(run.folder).finished
    True
    """
    place = StudyFolder(Path(folder))
    if not place.is_there:
        if jobs is not None or cluster is not None:
            fail("lab.no-jobs-for-a-run", folder=place.path, option="cluster" if jobs is None else "jobs")
        code: dict[str, Any] = {"loss": loss, "optimizer": optimizer, "schedule": schedule}
        more: dict[str, Any] = {"listeners": listeners, "metrics": metrics, "notify": notify, "progress": progress}
        return resume_run(folder, net=net, data=data, root=root, **code, **more)
    if root is not None:
        fail("lab.no-root-for-a-study", folder=place.path)
    if listeners or metrics or any(one is not None for one in (loss, optimizer, schedule)):
        fail("lab.own-parts-for-a-study", folder=place.path)
    carry_on = go_on_searching if place.is_search else go_on
    return carry_on(folder, net=net, data=data, jobs=jobs, cluster=cluster, notify=notify, progress=progress)

"""cure: tries what a run's findings advise, and says what is proved to help."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from torch import nn

from danlu.base.counts import is_whole
from danlu.base.errors import UserError, fail
from danlu.base.memory import memory_guard
from danlu.base.places import studies_folder
from danlu.base.recipe import Recipe
from danlu.base.records import Finding
from danlu.data import Dataset
from danlu.lab.cure.proof import Proof
from danlu.lab.cure.treatment import Change, Remedy, levels_of, remedies_for
from danlu.run.distributed.sharing import unshared
from danlu.run.listeners.notify import notifier_of
from danlu.run.run import Run
from danlu.run.settings.draft import CUSTOM
from danlu.store.run_folder import RunFolder
from danlu.store.study_folder import StudyFolder
from danlu.study.builders import Builder, builder_of
from danlu.study.checks import check_folds, check_jobs, check_metric, check_size, check_study_margin
from danlu.study.compare import carried_out, design_of
from danlu.study.factors import keys_of
from danlu.study.plan import Plan, make_plan
from danlu.study.reached import connected
from danlu.study.reporting import Reporting
from danlu.study.seeds import seeds_of
from danlu.study.study import Given
from danlu.view.info.study import REMEDY
from danlu.view.study import StudyReporter

_SEEDS = 5
_OF_CLASSES = ("label-imbalance", "class-weights-inverted")


@memory_guard("study")
def cure(
    run: Run | str | Path,
    *,
    net: object = None,
    data: object = None,
    seeds: int | Sequence[int] = _SEEDS,
    folds: int = 1,
    metric: str | None = None,
    margin: float | None = None,
    rules: Sequence[str] | None = None,
    folder: str | Path | None = None,
    jobs: int | None = None,
    cluster: object = None,
    notify: str | None = None,
    progress: bool = True,
) -> Proof:
    """Apply the remedies of a run's findings to its recipe, train both paired over seeds, and say what helps.

    Remedies that a recipe can express are tried one by one and combined; original and changed recipe see the same
    split, first weights (where the net is the same) and order of samples, seed by seed. `seeds` is how many (the run's
    own and the next ones), or which. The validation part judges, or `folds` folds; the test part is scored once, by
    what is recommended. `rules` names the findings that count, without it all. `net`, a function that builds it, and
    `data` are needed where they were objects. The study in `folder`, else in `studies/cure-RUN`, goes on where it
    stands already. `jobs`, `cluster` and `notify` are those of `compare`. UserError for a mistake in any of these.

    >>> import tempfile
    >>> from danlu.run.fit import fit
    >>> place = Path(tempfile.mkdtemp())
    >>> run = fit("mlp", "digits", hidden=[32], lr=20.0, momentum=0.0, epochs=3, folder=place / "run", progress=False)
    >>> proof = cure(run, seeds=3, folder=place / "study", progress=False)
    >>> run.findings[0].rule, list(proof.recommended)
    ('lr-too-high', ['optim.lr'])
    """
    check_jobs(jobs, cluster)
    check_folds(folds)
    wanted, reporting = seeds_of(seeds), Reporting(notifier=notifier_of(notify))
    check_size({}, len(wanted), folds)
    run = _opened(run)
    recipe, findings = unshared(run.recipe), _asked(run, rules)
    maker = _maker(recipe, net)
    remedies = remedies_for(recipe, findings, round(run.steps / (run.epochs or 1)))
    untried = Proof(run.folder, findings, None, watched=recipe.watch.on)
    if not remedies:
        return untried
    given = _given(run, data)
    numbers = [recipe.train.seed + place for place in wanted] if is_whole(seeds) else wanted
    plan = _planned(recipe, levels_of(remedies), numbers, folds, given, maker)
    metric = metric or _metric_of(findings, remedies[0].rules, plan.planned[0].setup.data)
    check_metric(metric, plan)
    check_study_margin(margin, metric, plan)
    if len(plan.planned) < 2:
        return untried
    kept = _kept(run, findings, _tried(remedies, plan))
    design = design_of(plan, recipe, metric=metric, margin=margin, baselines=[], share_order=False, cure=kept)
    with connected(cluster, StudyReporter(progress).note) as reached:  # before there is a folder
        place, all_seeds = _place(run, folder, design)
        if all_seeds != numbers:
            plan = _planned(recipe, plan.factors[REMEDY], all_seeds, folds, given, maker)
        study = carried_out(place, plan, Given(given, maker), progress, jobs, reached, reporting=reporting)
        return Proof.of_study(study)


def _asked(run: Run, rules: Sequence[str] | None) -> list[Finding]:
    """The findings of a run, or those of some rules; UserError for a rule that found nothing in it."""
    if rules is None:
        return run.findings
    found = {finding.rule: finding for finding in run.findings}
    for rule in rules:
        if rule not in found:
            fail("cure.no-such-finding", rule=rule, run=run.folder, names=", ".join(found) or "–")
    return [finding for rule, finding in found.items() if rule in rules]


def _kept(run: Run, findings: Sequence[Finding], remedies: Sequence[Remedy]) -> dict[str, Any]:
    """What the study's folder says of the cure."""
    told = [finding.as_dict() for finding in findings]
    return {"run": str(run.folder), "findings": told, "remedies": [remedy.as_dict() for remedy in remedies]}


def _opened(run: Run | str | Path) -> Run:
    if isinstance(run, Run):
        run.refuse_imported()
        return run
    if not isinstance(cast(object, run), str | Path):
        fail("cure.not-a-run", found=type(run).__name__)
    if StudyFolder(Path(run)).is_there:
        fail("cure.study-not-run", path=run)
    opened = Run(run)
    opened.refuse_imported()
    return opened


def _maker(recipe: Recipe, net: object) -> Builder | None:
    if recipe.net.name != CUSTOM:
        if net is not None:
            fail("cure.net-known", name=recipe.net.name)
        return None
    name = str(recipe.net.options.get("class", CUSTOM))
    if net is None or isinstance(net, nn.Module) or not callable(net):
        fail("cure.needs-net", name=name)
    return builder_of(net, name)


def _given(run: Run, data: object) -> Any:
    """The data as an object where no recipe brings them back."""
    if data is not None:
        return data
    if run.recipe.data.name != CUSTOM:
        return None
    try:
        return run.samples
    except UserError as error:
        if error.faults[0].id == "lab.data-not-in-recipe":
            fail("cure.needs-data")
        raise


def _metric_of(findings: Sequence[Finding], treated: Sequence[str], data: Dataset) -> str | None:
    """Where the first finding is a validation loss that rises, that loss; where the first that is treated is that
    classes are rare, what counts each of them alike; else what the task is usually judged by.
    """
    first = next(iter(findings), None)
    if any(rule in _OF_CLASSES for rule in treated):
        return "f1" if data.rare_class is None else "balanced_accuracy"
    return "loss" if first is not None and first.rule == "overfitting" and "best" in first.evidence else None


def _planned(
    recipe: Recipe, levels: Sequence[Change], seeds: Sequence[int], folds: int, given: Any, maker: Builder | None
) -> Plan:
    """The plan of all levels that can be trained; UserError where the recipe as it is cannot."""
    while True:
        factors = keys_of(recipe, {REMEDY: list(levels)})
        plan = make_plan(recipe, factors, list(seeds), folds, data=given, maker=maker)
        failed = [cast(Change, factor[REMEDY]) for factor, _ in plan.failed]
        for level, (_, fault) in zip(failed, plan.failed, strict=True):
            if not level:
                raise UserError(fault)
        # A combination is as impossible as its parts: what is left is planned again, without them.
        left = [level for level in levels if not any(bad.items() <= level.items() for bad in failed)]
        if not failed or len(left) < 2:
            return plan
        levels = left


def _tried(remedies: Sequence[Remedy], plan: Plan) -> list[Remedy]:
    levels: Sequence[Mapping[str, Any]] = plan.factors[REMEDY]
    kept = [Remedy(one.rules, tuple(change for change in one.changes if change in levels)) for one in remedies]
    return [remedy for remedy in kept if remedy.changes]


def _place(run: Run, folder: str | Path | None, design: dict[str, Any]) -> tuple[StudyFolder, list[int]]:
    """Where the study lies, and its seeds: those of the study that stands there are kept."""
    if folder is not None:
        place = Path(folder)
        if RunFolder(place).recipe.is_file():
            fail("cure.folder-is-run", path=place)
        return _made(place, design)
    base, count = studies_folder() / f"cure-{run.folder.name}", 1
    while True:
        place = base if count == 1 else base.with_name(f"{base.name}-{count}")
        if not place.exists() or _is_same(place, design):
            return _made(place, design)
        count += 1


def _made(place: Path, design: dict[str, Any]) -> tuple[StudyFolder, list[int]]:
    if not _is_same(place, design):
        return StudyFolder.make(place, design), design["seeds"]
    study = StudyFolder.open(place)
    return study, [*dict.fromkeys([*study.read_design()["seeds"], *design["seeds"]])]


def _is_same(place: Path, design: dict[str, Any]) -> bool:
    """Whether a study of this design stands there, its seeds aside."""
    study = StudyFolder(place)
    if not study.is_there:
        return False
    return _essence(study.read_design()) == _essence(design)


def _essence(design: dict[str, Any]) -> dict[str, Any]:
    """What makes a study this one: not its seeds, nor in which language its findings are told."""
    return {**design, "seeds": None, "cure": (design.get("cure") or {}).get("run")}

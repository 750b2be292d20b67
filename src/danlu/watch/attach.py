"""watch: the block around a training, danlu's own or anybody's, of which not a line is changed."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_post_hook

from danlu.base.errors import fail
from danlu.base.events import StopTraining
from danlu.base.finding_text import Findings, finding_lines
from danlu.base.readable import Readable
from danlu.base.records import CodeLine, Finding, Snippet
from danlu.base.telling import tell
from danlu.base.words import say
from danlu.watch.contract import Rule, Verdict
from danlu.watch.coverage import closing_line, has_seen_nothing, remarks_on
from danlu.watch.culprits import Culprits
from danlu.watch.earlier import Earlier
from danlu.watch.frames import raising_line
from danlu.watch.guard import Guard
from danlu.watch.judge import Judge
from danlu.watch.measured import Measured
from danlu.watch.observer import Observer
from danlu.watch.onlooker import DescribeLoss, Onlooker
from danlu.watch.patches import Patches, listen
from danlu.watch.probes.declared import read_loss
from danlu.watch.probes.loaders import read_loaders
from danlu.watch.rulebook import rulebook
from danlu.watch.schedule import Judging, Schedule, usual
from danlu.watch.thresholds import check_rules, current_thresholds

_MOST_SAID = 120  # characters of an error that a probe met

_ACTIVE: list["Watch"] = []

Models = nn.Module | Sequence[nn.Module] | Mapping[str, nn.Module]


class Watch(Readable):
    """Watches the training that runs inside its block; `findings` are there while it runs and after it.

    `model` is a module, or several of them; `optimizer` one or several, or nothing, for those that move the model's
    parameters are found when they step. `loader`, `val_loader` and `loss_fn` are only looked at. `silence` holds ids
    of rules that are not asked, `thresholds` numbers by rule and name; `rules` are asked beside danlu's own. Nothing
    of the training is changed: no random number is drawn, no weight differs by a bit; when the block is left every hook
    is gone. An exception inside watch is told once and ends nothing; StopTraining, raised by `on_finding`, ends the
    block after the step under way, and the program goes on behind it. In a distributed training only rank 0 watches.

    >>> net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3), nn.Softmax(dim=1))
    >>> sgd = torch.optim.SGD(net.parameters(), lr=0.1)
    >>> x, y = torch.eye(4).repeat(8, 1), torch.arange(32) % 3
    >>> with Watch(net, sgd, shown=False) as watch:
    ...     for _ in range(20):
    ...         sgd.zero_grad()
    ...         nn.functional.cross_entropy(net(x), y).backward()
    ...         sgd.step()
    >>> watch.findings[0].rule
    'softmax-twice'
    """

    def __init__(
        self,
        model: Models,
        optimizer: Any = None,
        *,
        loader: Iterable[Any] | None = None,
        val_loader: Iterable[Any] | None = None,
        loss_fn: Callable[..., Any] | None = None,
        silence: Collection[str] = (),
        thresholds: Mapping[str, Mapping[str, float]] | None = None,
        rules: Sequence[Rule] = (),
        on_finding: Callable[[Finding], object] | None = None,
        schedule: Schedule = usual,
        shown: bool = True,
        lines: bool = True,
        tries: bool = True,
        told: Callable[[Finding], None] | None = None,
        measured: Callable[[Measured], None] | None = None,
        earlier: Earlier | None = None,
    ) -> None:
        check_rules(silence, thresholds or {}, rules)
        numbers = current_thresholds(thresholds or {}, rules)
        self._roots = _roots(model)
        self._optimizers = _optimizers(optimizer)
        self._loaders = loader, val_loader
        self._loss_fn = loss_fn
        self._on_finding = on_finding
        self._handed: set[str] = set()  # rules whose finding on_finding was called with
        self._shown = shown
        self._lines = lines
        self._tries = tries
        self._told = told
        self._measured_told = measured
        self._guard = Guard(self._broken)
        self._judging = Judging()
        self._schedule = schedule
        self._active = False
        self._patches = Patches()
        self._handles: list[Any] = []
        self._observer: Observer | None = None
        self._remarks: list[str] = []
        self._closing = self._failed = ""
        self._unread = False  # the block has ended, and nobody has asked yet what could not be judged
        self._stop: StopTraining | None = None  # raised by on_finding
        self._culprits: Culprits | None = None
        self._earlier = earlier or Earlier()
        self._judge = Judge(
            (*rulebook(), *rules), silence, numbers, self._guard, self._tell, self._locate, self._earlier.findings
        )

    @property
    def findings(self) -> Findings:
        """What is found so far, the cause before its symptoms."""
        if self._unread:
            self._unread = False
            self._guard.within(self._look_back, self.measured)
        nothing = has_seen_nothing(self.measured)
        remarks = self._remarks or (remarks_on(self.measured, {}, {}) if nothing and self._observer is not None else [])
        remarks = [say("watch.nobody-watched")] if self._observer is None else remarks
        remarks = [*remarks, self._failed] if self._failed else remarks
        return Findings(self._judge.findings, remarks=remarks, judged=not nothing, closing=self._closing)

    @property
    def found(self) -> tuple[Finding, ...]:
        """The same findings, without a word on what could not be judged."""
        return tuple(self._judge.findings)

    @property
    def unseen(self) -> dict[str, str]:
        """The rules that could not judge so far, each with the reason: what they look at was not seen."""
        return self._judge.unseen(self.measured, self._blind)

    @property
    def _blind(self) -> dict[str, str]:
        return dict.fromkeys(self._guard.blind, "") | self.measured.unread

    @property
    def measured(self) -> Measured:
        """What the probes have measured."""
        return self._observer.measured if self._observer else Measured()

    def onlooker(self, describe: DescribeLoss) -> Onlooker | None:
        """What tells this watch of a training that moves the weights of its one model and optimiser by other means than
        theirs; None where nothing is watched. See Onlooker."""
        if not self._active or self._observer is None:
            return None
        return Onlooker(self._observer, next(iter(self._roots.values())), self._optimizers[0], describe)

    def __str__(self) -> str:
        """How far it has watched, and what it found."""
        state = say("watch.text-running" if self._active else "watch.text-ended", step=self.measured.step)
        return f"{state}\n{self.findings}"

    def __enter__(self) -> Self:
        if _is_helper_process():
            return self
        try:
            self._begin()
        except Exception as error:  # noqa: BLE001 - nothing of ours may end somebody's training
            self._end()
            self._observer = None
            self._broken(f"{type(self).__module__}.{type(self).__qualname__}", error)
        return self

    def _begin(self) -> None:
        self._guard.open()
        self._patches = Patches()
        observer = self._observer = Observer(self._roots, self._schedule, self._guard, self._patches)
        observer.probes.sites.loader = self._loaders[0]
        observer.probes.heard.interventions.on = self._tries
        self._culprits = Culprits(observer.measured, observer.probes.sites, self._roots, observer.sources)
        observer.stepped = self._stepped
        for one in self._optimizers:
            self._guard(observer.probes.optimisers.record, one, given=True)
        self._guard(self._earlier.restore, observer.measured)
        self._guard(read_loaders, observer.measured, *self._loaders)
        self._guard(read_loss, observer.measured, self._loss_fn)
        listen(observer, self._patches)
        if self._lines:
            self._guard(observer.probes.sites.listen, self._patches)
        observer.lane.ask_before()
        self._handles = [register_optimizer_step_post_hook(observer.after_step)]
        self._active = True
        _ACTIVE.append(self)

    def _end(self) -> None:
        """Put everything back."""
        self._active = False
        _ACTIVE[:] = [one for one in _ACTIVE if one is not self]
        for handle in self._handles:
            handle.remove()
        if self._observer is not None:
            self._observer.detach()
        self._patches.restore()

    def knows(
        self, made: Mapping[Any, CodeLine], loader: tuple[CodeLine | None, Callable[[], Any]] | None = None
    ) -> None:
        """Take over the lines in which optimizers were made and the newest loader was begun before the block, and that
        loader, whose batches are about to come."""
        if self._observer is None:
            return
        begun = loader[1]() if loader is not None else None
        if begun is not None:
            self._observer.loader_begun(begun)
        if self._lines:
            for optimizer, line in made.items():
                self._observer.probes.sites.made(optimizer, line)
            if begun is not None and loader is not None and loader[0] is not None:
                self._observer.probes.sites.begun(loader[0], type(begun).__name__)

    def abandon(self) -> None:
        """Put everything back without a word: in a process just forked, whose training is watched in its parent."""
        if self._active:
            self._end()
            self._guard.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        stopped = error is not None and error is self._stop
        if not self._active or self._observer is None:
            return stopped
        self._end()
        self._guard.halt = None
        if kind is not None and not stopped:
            self._observer.measured.crashed = kind.__name__
            self._observer.measured.crash = str(error)
            self._observer.measured.crashed_at = raising_line(trace)
        self._observer.finish()
        self._guard.within(self._judge, self._observer.measured)
        self._unread = True
        self._guard.close()
        if self._shown:
            tell("\n".join(words for words in self.findings.words() if words != self._failed))
        return stopped

    def _look_back(self, measured: Measured) -> None:
        """The block has ended: say what could not be judged."""
        blind = self._blind
        unjudged = self._judge.unjudged(measured, blind) if blind and not has_seen_nothing(measured) else {}
        self._remarks = remarks_on(measured, blind, unjudged)
        self._closing = closing_line(self._judge.asked, self.unseen)

    def _stepped(self) -> None:
        """After each step, from within the observer's own guarded call."""
        observer = self._observer
        if observer is None:
            return
        measured = observer.measured
        if self._measured_told is not None and observer.was_measured:
            self._guard.within(self._measured_told, measured)
        urgent = measured.nonfinite_at == measured.step or measured.step == 0
        if urgent or self._judging(measured.step, brief=observer.pace.is_brief):
            self._guard.within(observer.refresh)
            self._guard.within(self._judge, measured)

    def _tell(self, finding: Finding) -> None:
        if self._told is not None:
            self._told(finding)
        if self._shown:
            tell("\n".join(finding_lines(finding)))
        if self._on_finding is not None and finding.rule not in self._handed:
            self._handed.add(finding.rule)
            self._hand_over(self._on_finding, finding)

    def _hand_over(self, call: Callable[[Finding], object], finding: Finding) -> None:
        """Give a finding to the user's own function; whatever that raises is told, the first time, and no more."""
        try:
            call(finding)
        except StopTraining as stop:
            if self._active:  # behind the block there is nothing to end
                self._stop = self._guard.halt = stop
        except Exception as error:  # noqa: BLE001 - a remark on a training must not end it
            if not self._failed:
                self._failed = say("watch.on-finding-failed", rule=finding.rule, error=_told(error))
                if self._shown:
                    tell(self._failed)

    def _locate(self, rule: Rule, verdict: Verdict) -> tuple[CodeLine, Snippet | None] | None:
        return self._culprits(rule, verdict) if self._culprits is not None and self._lines else None

    def _broken(self, name: str, error: Exception) -> None:
        if self._shown:
            tell(say("watch.broken", name=name, error=_told(error)))


def is_watched() -> bool:
    """Whether some block is being watched now."""
    return bool(_ACTIVE)


def _told(error: Exception) -> str:
    """An error in one short line."""
    said = str(error).strip().partition("\n")[0]
    return (
        f"{type(error).__name__}: {said[:_MOST_SAID]} …"
        if len(said) > _MOST_SAID
        else f"{type(error).__name__}: {said}"
    )


def watch(
    model: Models,
    optimizer: Any = None,
    *,
    loader: Iterable[Any] | None = None,
    val_loader: Iterable[Any] | None = None,
    loss_fn: Callable[..., Any] | None = None,
    silence: Collection[str] = (),
    thresholds: Mapping[str, Mapping[str, float]] | None = None,
    rules: Sequence[Rule] = (),
    on_finding: Callable[[Finding], object] | None = None,
    shown: bool = True,
) -> Watch:
    """The block that watches a training, not a line of it changed: `with danlu.watch(model, optimizer) as watch:`.

    model       an nn.Module, or a list or dict of several
    optimizer   one, or a list; left out, whichever move the model's parameters are found when they step
    loader      the training samples, only looked at: is their order random, are samples double?
    val_loader  the validation samples, only looked at: are some of them trained on?
    loss_fn     the loss, where it is an object; never called: however it is used, its class weights count as weights
                and its ignore_index as no class, and findings on its settings name the line that made it
    silence     ids of rules that are not asked; `danlu rules` lists them
    thresholds  a rule's numbers by name: {"dead-relu": {"min_dead_share": 0.6}}
    rules       rules of your own, see danlu.Rule
    on_finding  called once with each finding as soon as it is made; danlu.StopTraining, raised in it, ends the block
                after the step that is under way; whatever else it raises is told once and ends nothing
    shown       whether findings are printed as they appear, and at the end how many rules could judge

    Findings stand in `watch.findings`, each with the `line` of your code where the fault lies, if it lies in one;
    `watch.unseen` says which rules could not judge, and why. UserError for a mistake in these; nothing inside the block
    ends the training.

    >>> net = nn.Linear(4, 2)
    >>> with watch(net, torch.optim.SGD(net.parameters(), lr=0.1), shown=False) as watching:
    ...     pass
    >>> len(watching.findings)
    0
    """
    return Watch(
        model, optimizer, loader=loader, val_loader=val_loader, loss_fn=loss_fn, silence=silence,
        thresholds=thresholds, rules=rules, on_finding=on_finding, shown=shown,
    )  # fmt: skip


def _roots(model: Any) -> dict[str, nn.Module]:
    if isinstance(model, nn.Module):
        model = {"": model}
    if isinstance(model, list | tuple) and not isinstance(model, nn.Module):
        model = {str(number): one for number, one in enumerate(model)}
    if not isinstance(model, Mapping) or not model or not all(isinstance(one, nn.Module) for one in model.values()):
        fail("watch.not-a-model", found=type(model).__name__)
    return {str(name): one for name, one in model.items()}


def _optimizers(optimizer: Any) -> list[Any]:
    if optimizer is None:
        return []
    given = list(optimizer) if isinstance(optimizer, list | tuple) else [optimizer]
    for one in given:
        if not hasattr(one, "param_groups"):
            fail("watch.not-an-optimizer", found=type(one).__name__)
    return given


def _is_helper_process() -> bool:
    """Whether this is a distributed training and another process reports."""
    distributed = torch.distributed
    return distributed.is_available() and distributed.is_initialized() and distributed.get_rank() != 0

"""At the end of a block it is told how many rules could judge; on the way a function of the user hears of findings."""

import importlib
import pkgutil
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import danlu
from danlu.base.records import Finding
from danlu.watch import Watch, probes
from danlu.watch.coverage import reason_of
from danlu.watch.measured import Measured
from danlu.watch.needs import lacks
from danlu.watch.rulebook import rulebook
from loops import batches, net, train

IDS = [rule.id for rule in rulebook()]
EVERY = len(IDS)


def validate(model: nn.Module) -> None:
    """A validation pass over samples that the training does not see."""
    generator = torch.Generator().manual_seed(9)
    model.eval()
    with torch.no_grad():
        x = torch.randn(64, 8, generator=generator)
        F.cross_entropy(model(x), x[:, :3].argmax(1))
    model.train()


def by_hand(model: nn.Module) -> None:
    """Steps that no optimiser makes."""
    for x, y in batches(130):
        model.zero_grad()
        F.cross_entropy(model(x), y).backward()
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.sub_(0.1 * parameter.grad)  # pyright: ignore[reportOptionalOperand]


def whole(model: nn.Module) -> None:
    """A training with validation."""
    for _ in range(2):
        train(model, 65)
        validate(model)


def forward(model: nn.Module) -> None:
    """No training at all."""
    for x, _ in batches(3):
        model(x)


# By what is done in the block: the rules that cannot judge, and why.
PLAIN = dict.fromkeys(("evaluation-misuse", "overfitting", "train-test-overlap"), "no validation seen")
SHORT = {"underfitting": "too few steps: 60", "plateau": "too few steps: 60"}
UNSEEN: dict[str, tuple[Callable[[nn.Module], None], dict[str, str]]] = {
    "a whole training": (whole, {}),
    "no validation": (lambda model: train(model, 130), PLAIN),
    "60 steps": (train, PLAIN | SHORT),
    "forward passes only": (forward, dict.fromkeys(IDS, "no training seen")),
    "nothing": (lambda model: None, dict.fromkeys(IDS, "no training seen")),
}


@pytest.mark.parametrize("kind", UNSEEN)
def test_which_rules_could_not_judge_and_why(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    act, unseen = UNSEEN[kind]
    model = net(nn.Dropout(0.0))
    with danlu.watch(model) as watch:
        act(model)
    assert watch.unseen == unseen
    told = capsys.readouterr().err.splitlines()[-1]
    reasons = "; ".join(dict.fromkeys(unseen.values()))
    closing = f"{EVERY} rules, {EVERY - len(unseen)} judged, {len(unseen)} could not ({reasons})"
    assert told == (closing if unseen else f"{EVERY} rules, all judged")
    assert str(watch.findings).splitlines()[-1] == told


def test_steps_by_hand_leave_the_rules_on_optimisers_unjudged() -> None:
    model = net()
    with danlu.watch(model, shown=False) as watch:
        by_hand(model)
    lacking = {rule for rule, reason in watch.unseen.items() if reason == "no optimizer step seen"}
    assert lacking == {rule.id for rule in rulebook() if {"optimizer", "layers"} & set(rule.needs)} - {
        finding.rule for finding in watch.findings
    }


def test_the_closing_line_in_both_languages(language: str) -> None:
    model = net()
    with danlu.watch(model, shown=False, silence=["plateau", "underfitting"]) as watch:
        train(model, 60)
    count = EVERY - 2
    assert watch.findings.closing == (
        f"{count} rules, {count - 3} judged, 3 could not (no validation seen)"
        if language == "en"
        else f"{count} 条规则，{count - 3} 条已判断，3 条无法判断（未看到验证）"
    )
    assert watch.findings.closing in watch.findings._repr_html_()  # pyright: ignore[reportPrivateUsage]


def test_a_loop_without_a_source_is_not_called_read() -> None:
    """Code that was handed to exec() has lines with numbers, and nobody knows them."""
    model = net()
    with danlu.watch(model, shown=False) as watch:
        exec("train(model)", {"model": model, "train": typed()})
    assert not watch.measured.code_read
    reading = {rule.id for rule in rulebook() if "code" in rule.needs}
    assert reading <= watch.unseen.keys()
    assert {watch.unseen[rule] for rule in reading} == {"the source of the training loop could not be read"}


def typed() -> Callable[[nn.Module], None]:
    """The loop as everybody writes it, out of a string."""
    space: dict[str, Callable[[nn.Module], None]] = {}
    source = """
def train(model):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for x, y in batches(60):
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
"""
    exec(source, {"torch": torch, "F": F, "batches": batches}, space)
    return space["train"]


def test_a_rule_that_found_something_has_judged() -> None:
    model = net(nn.Softmax(1))
    with danlu.watch(model, shown=False) as watch:
        train(model)
    found = {finding.rule for finding in watch.findings}
    assert found
    assert not found & watch.unseen.keys()


def test_a_rule_that_fails_has_not_judged() -> None:
    def fail(measured: danlu.Measured, thresholds: object) -> None:
        raise ZeroDivisionError

    model = net()
    with danlu.watch(model, rules=[danlu.Rule("mine", fail)], shown=False) as watch:
        train(model)
    assert watch.unseen["mine"] == "the rule itself failed"
    assert watch.findings.closing.startswith(f"{EVERY + 1} rules, ")


def test_what_cannot_be_read_is_a_reason() -> None:
    class Given(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = net()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.inner(x.to_dense())

    model = Given()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with danlu.watch(model, optimizer, shown=False) as watch:
        for x, y in batches(30):
            optimizer.zero_grad()
            F.cross_entropy(model(x.to_sparse()), y).backward()
            optimizer.step()
    assert watch.unseen["input-scale"] == "inputs: sparse tensors cannot be read"


def test_before_the_block_and_at_its_beginning_nothing_is_called_fine() -> None:
    watch = danlu.watch(net(), shown=False)
    assert str(watch.findings) == "not judged: nothing was watched here"
    with watch:
        assert "no problems" not in str(watch.findings)
        assert len(watch.unseen) == EVERY


def test_every_rule_says_what_it_needs() -> None:
    """All but two look at something that may not have been there; each need has words for its absence."""
    assert {rule.id for rule in rulebook() if not rule.needs} == {"nonfinite", "dropout-too-high"}
    seen = Measured(), {"min_steps": 1, "min_measurements": 1}
    by_mode = {"batchnorm-small-batch", "train-mode-in-evaluation", "eval-mode-in-training"}  # nothing changes by mode
    assert {rule.id for rule in rulebook() if rule.needs and not lacks(rule, *seen)} == by_mode


@pytest.fixture
def twice_wrong() -> nn.Module:
    return net(nn.Softmax(1))


def test_each_finding_is_handed_over_once_as_soon_as_it_is_made(twice_wrong: nn.Module) -> None:
    heard: list[tuple[Finding, int]] = []
    with danlu.watch(
        twice_wrong, on_finding=lambda found: heard.append((found, watch.measured.step)), shown=False
    ) as watch:
        optimizer = torch.optim.SGD(twice_wrong.parameters(), lr=0.1)
        for x, y in batches(60):
            F.cross_entropy(twice_wrong(x), y).backward()
            optimizer.step()
    rules = [found.rule for found, _ in heard]
    assert sorted(rules) == sorted(set(rules))
    assert {finding.rule for finding in watch.findings} <= set(rules)
    steps = dict(zip(rules, (step for _, step in heard), strict=True))
    assert steps["softmax-twice"] <= 5
    assert steps["gradients-accumulate"] < 60


@pytest.mark.parametrize("error", [ValueError("not mine"), torch.OutOfMemoryError("none left"), AssertionError()])
def test_what_it_raises_is_told_once_and_ends_nothing(
    error: Exception, capsys: pytest.CaptureFixture[str], twice_wrong: nn.Module
) -> None:
    calls: list[str] = []

    def refuse(finding: Finding) -> None:
        calls.append(finding.rule)
        raise error

    plain = net(nn.Softmax(1))
    train(plain)
    with Watch(twice_wrong, on_finding=refuse) as watch:
        train(twice_wrong)
    assert all(torch.equal(one, other) for one, other in zip(plain.parameters(), twice_wrong.parameters(), strict=True))
    told = capsys.readouterr().err
    assert "softmax-twice" in calls
    assert told.count("on_finding failed") == 1
    (remark,) = watch.findings.remarks
    assert calls[0] in remark
    assert type(error).__name__ in remark
    assert watch.measured.step == 60


def test_an_interrupt_goes_through(twice_wrong: nn.Module) -> None:
    def interrupt(finding: Finding) -> None:
        raise KeyboardInterrupt("enough")

    with pytest.raises(KeyboardInterrupt, match="enough"), danlu.watch(twice_wrong, on_finding=interrupt, shown=False):
        train(twice_wrong)


def test_every_fact_that_a_probe_writes_has_a_word() -> None:
    modules = [
        importlib.import_module(f"{probes.__name__}.{one.name}") for one in pkgutil.iter_modules(probes.__path__)
    ]
    kinds = {kind for module in modules for kind in vars(module).values() if isinstance(kind, type)}
    facts = {fact for kind in kinds for fact in getattr(kind, "writes", ())}
    assert {"inputs", "code", "drawing"} <= facts
    assert all(reason_of(fact, "") for fact in facts)

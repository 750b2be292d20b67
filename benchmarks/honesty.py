"""How often danlu's verdicts are wrong, in simulated studies: `make honesty`.

Every study is judged by the function that judges real ones. A/A: nothing differs, so every "better" or "worse" is
false. A/B: the second level differs by a known amount. The tables go into RESULTS.md with --write.
"""

import argparse
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy

from danlu.stats.looks import look_alpha
from simulated_studies import SCORES, Scores, drawn_divergence, judged, told

SEEDS, LEVELS, FOLDS = (2, 3, 5, 10, 20), (1, 3, 6), (1, 5)
SHARE = 0.2
MARK = "## Verdicts (`make honesty`)"
RESULTS = Path(__file__).with_name("RESULTS.md")


def allowed(studies: int, cells: int) -> float:
    """The rate that a true rate of 5 % stays below in all of `cells` cells with a probability of 95 %."""
    from scipy.stats import norm

    return 0.05 + float(norm.isf(0.05 / cells)) * (0.05 * 0.95 / studies) ** 0.5


def drawn(generator: Any, scores: Scores, shape: Any, shift: float, diverging: bool, after: float = SHARE) -> Any:
    shifts = numpy.zeros((shape[1], 1, 1))
    shifts[1] = shift
    shares = [SHARE, after, *[SHARE] * (shape[1] - 2)]
    diverged = drawn_divergence(generator, shape, shares) if diverging else numpy.zeros(shape, dtype=bool)
    return scores.draw(generator, shape, shifts), diverged


def level_of(folds: int, seeds: int) -> float:
    """That of a study planned with so many seeds, looked at once at its end."""
    return 1 - look_alpha([seeds], least=3 if folds == 1 else 2)


def same(generator: Any, studies: int, folds: int) -> Iterator[tuple[str, bool, list[list[float]], float]]:
    """A/A: rates of a false verdict by seeds and levels, and the least coverage of 0, for each kind of score."""
    for scores in SCORES:
        for diverging in (False, True):
            rates: list[list[float]] = []
            covered = 1.0
            for seeds in SEEDS:
                rates.append([])
                for levels in LEVELS:
                    shape = (studies, levels + 1, folds, seeds)
                    values, diverged = drawn(generator, scores, shape, 0.0, diverging)
                    family = judged(scores, values, diverged, level_of(folds, seeds))
                    rates[-1].append(float(told(family).any(-1).mean()))
                    covered = min(covered, coverage(family, numpy.zeros(levels)))
            yield scores.name, diverging, rates, covered


def coverage(family: Any, truth: Any) -> float:
    """The share of the finite intervals that hold the truth [comparisons]; 1 where there are hardly any."""
    known = numpy.isfinite(family.low)
    holds = (family.low <= truth) & (truth <= family.high)
    return float(holds[known].mean()) if known.sum() >= 500 else 1.0


def different(generator: Any, studies: int, folds: int) -> Iterator[tuple[str, bool, float, list[list[float]], Any]]:
    """A/B: how often the difference is found, by seeds and levels; the greatest rate of a false word (of another level,
    in the wrong direction, or "no difference" where there is one), and the least coverage of the true difference."""
    for scores in SCORES:
        sample, _ = drawn(generator, scores, (200_000, 2, 1, 1), scores.shift, False)
        truth = float((sample[:, 1] - sample[:, 0]).mean())
        for diverging in (False, True):
            found: list[list[float]] = []
            false, covered = 0.0, 1.0
            for seeds in SEEDS:
                found.append([])
                for levels in LEVELS:
                    shape = (studies, levels + 1, folds, seeds)
                    values, diverged = drawn(generator, scores, shape, scores.shift, diverging)
                    family = judged(scores, values, diverged, level_of(folds, seeds))
                    right = 1 if truth > 0 else 2
                    found[-1].append(float((family.verdicts[:, 0] == right).mean()))
                    said = told(family)
                    wrong = family.verdicts[:, 0] == 3 - right
                    wrong |= (family.verdicts[:, 0] == 3) & (abs(truth) > scores.margin)
                    wrong |= said[:, 1:].any(-1) | (family.divergences[:, 0] > 0)
                    false = max(false, float(wrong.mean()))
                    covered = min(covered, coverage(family, numpy.array([truth, *[0.0] * (levels - 1)])))
            yield scores.name, diverging, truth, found, (false, covered)


def divergence_found(generator: Any, studies: int) -> Iterator[tuple[float, list[float]]]:
    """How often it is proved that more diverge, where 20 % do before and this share after, in families of one."""
    for after in (0.4, 0.6, 0.8, 1 - 1e-9):
        rates: list[float] = []
        for seeds in SEEDS:
            shape = (studies, 2, 1, seeds)
            values, diverged = drawn(generator, SCORES[0], shape, 0.0, True, after)
            rates.append(float((judged(SCORES[0], values, diverged, level_of(1, seeds)).divergences == 1).mean()))
        yield after, rates


def watched(generator: Any, studies: int, first: int, folds: int, diverging: bool) -> Iterator[tuple[str, float]]:
    """A/A studies of `first` seeds, looked at after every further one up to 50: how many are ever told a difference."""
    for scores in SCORES:
        shape = (studies, 2, folds, 50)
        values, diverged = drawn(generator, scores, shape, 0.0, diverging)
        ever = numpy.zeros(studies, dtype=bool)
        for seeds in range(first, 51):
            level = 1 - look_alpha(range(first, seeds + 1), least=3 if folds == 1 else 2)
            ever |= told(judged(scores, values, diverged, level, seeds)).any(-1)
        yield scores.name, float(ever.mean())


def percent(rates: list[float]) -> str:
    return " · ".join(f"{100 * rate:.1f}" for rate in rates)


def text(studies: int, seed: int) -> tuple[str, bool]:
    """The section of RESULTS.md, and whether every figure is as asked."""
    generator = numpy.random.default_rng(seed)
    begin = time.monotonic()
    head = "| scores | diverging | " + " | ".join(f"{seeds} seeds" for seeds in SEEDS)
    lines: list[str] = []
    worst, least, false_words, ever_most = 0.0, 1.0, 0.0, 0.0
    for folds in FOLDS:
        split = "one split" if folds == 1 else f"{folds} folds"
        lines += [f"A/A, {split}: false verdicts in % of studies with 1 · 3 · 6 levels beside the first.", ""]
        lines += [f"{head} | coverage ≥ |", "|---" * (len(SEEDS) + 3) + "|"]
        for name, diverging, rates, covered in same(generator, studies, folds):
            worst, least = max(worst, *map(max, rates)), min(least, covered)
            row = [name, "20%" if diverging else "none", *map(percent, rates), f"{100 * covered:.1f}"]
            lines.append("| " + " | ".join(row) + " |")
        lines.append("")
    for folds in FOLDS:
        split = "one split" if folds == 1 else f"{folds} folds"
        lines += [f"A/B, {split}: the difference found, in % of studies with 1 · 3 · 6 levels beside the first.", ""]
        lines += [f"{head} | true difference | false words ≤ | coverage ≥ |", "|---" * (len(SEEDS) + 5) + "|"]
        for name, diverging, truth, found, (false, covered) in different(generator, studies, folds):
            false_words, least = max(false_words, false), min(least, covered)
            row = [name, "20%" if diverging else "none", *map(percent, found)]
            row += [f"{truth:+.3f}", f"{100 * false:.1f}", f"{100 * covered:.1f}"]
            lines.append("| " + " | ".join(row) + " |")
        lines.append("")
    lines += ["Divergence that depends on the level (20 % before), found in % of studies:", ""]
    lines += ["| after | " + " | ".join(f"{seeds} seeds" for seeds in SEEDS) + " |", "|---" * (len(SEEDS) + 1) + "|"]
    for after, rates in divergence_found(generator, studies):
        lines.append(f"| {100 * after:.0f}% | " + " | ".join(f"{100 * rate:.1f}" for rate in rates) + " |")
    kinds = [(1, 1, False), (1, 1, True), (5, 1, False), (10, 1, True), (2, 5, False)]
    lines += [
        "",
        "A/A, looked at after every seed up to 50, told a difference at any of these looks, in % of studies:",
        "",
    ]
    names = [f"from {first}, {folds} fold{'s' * (folds > 1)}{', diverging' * broken}" for first, folds, broken in kinds]
    lines += ["| scores | " + " | ".join(names) + " |", "|---" * (len(kinds) + 1) + "|"]
    columns = [dict(watched(generator, studies, *kind)) for kind in kinds]
    for scores in SCORES:
        ever_most = max(ever_most, *(column[scores.name] for column in columns))
        lines.append(
            f"| {scores.name} | " + " | ".join(f"{100 * column[scores.name]:.1f}" for column in columns) + " |"
        )
    cells = 2 * len(FOLDS) * len(SCORES) * 2 * len(SEEDS) * len(LEVELS)
    bound = allowed(studies, cells)
    fine = max(worst, false_words, ever_most) <= bound and least >= 0.93
    minutes, today = (time.monotonic() - begin) / 60, f"{datetime.now(UTC):%Y-%m-%d}"
    summary = (
        f"{studies:,} studies a cell, {cells:,} cells, judged as planned studies are when they end; {today}, "
        f"{minutes:.1f} minutes of one core. Largest rate of false verdicts in A/A **{100 * worst:.1f} %**, of false "
        f"words in A/B **{100 * false_words:.1f} %**, ever told while looked at after every seed "
        f"**{100 * ever_most:.1f} %** (asked: 5 %; with the error of this sample over all cells {100 * bound:.1f} %). "
        f"Least coverage **{100 * least:.1f} %** (asked: 93 %)."
    )
    return "\n".join([MARK, "", summary, "", *lines, ""]), fine


def write(section: str) -> None:
    """Put the section into RESULTS.md, in place of the one that stands there."""
    old = RESULTS.read_text(encoding="utf-8")
    before, mark, rest = old.partition(MARK)
    _, next_mark, after = rest.partition("\n## ") if mark else ("", "", "")
    RESULTS.write_text(before.rstrip() + "\n\n" + section + (next_mark + after if next_mark else ""), encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", action="store_true", help="keep the tables in RESULTS.md")
    arguments = parser.parse_args()
    section, fine = text(arguments.studies, arguments.seed)
    print(section)
    if arguments.write:
        write(section)
    return 0 if fine else 1


if __name__ == "__main__":
    raise SystemExit(main())

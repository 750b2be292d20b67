"""What pictures cost: each kind as SVG and PNG, the report of a run, and what recording for them adds to a training.

    python benchmarks/bench_view.py [--repeats 5]

A small run and a small study are carried out first. Each kind is drawn from its folder in a process of its own, after
`import danlu`: "first" counts all that is loaded for it (matplotlib, graphviz), "then" is the median of the repeats.
Seconds are those of the processor, on one thread: other work on the machine does not count.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

KINDS = {
    "run": ("curves", "flow", "net", "confusion", "calibration", "worst"),
    "numbers": ("residuals",),
    "study": ("forest", "sweep", "slopes", "folds"),
}
NETS = ("resnet18", "resnet50", "googlenet", "densenet121")
DRAW = """
import json, sys, time
import danlu
what, kind, file, repeats = sys.argv[1], sys.argv[2] or None, sys.argv[3], int(sys.argv[4])
seconds = []
for _ in range(repeats + 1):
    begun = time.process_time()
    if what == "expression":
        danlu.draw_expression("(w*x + b - y)**2", {"w": 1, "x": 2, "b": 0, "y": 3}).save(file)
    else:
        danlu.draw(what, kind=kind, file=file)
    seconds.append(time.process_time() - begun)
print(json.dumps(seconds))
"""


def drawn(what: str, kind: str, file: Path, repeats: int) -> tuple[float, float]:
    """Seconds of the first picture in a process, and the median of the later ones."""
    command = [sys.executable, "-c", DRAW, what, kind, str(file), str(repeats)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    first, *later = json.loads(answer.stdout)
    return first, statistics.median(later)


def carry_out(folder: Path) -> None:
    """The run, the run that predicts numbers, and the study that are drawn."""
    import danlu  # so that measuring alone does not load it

    danlu.fit("lenet5", "digits", epochs=20, folder=folder / "run", progress=False)
    danlu.fit("mlp", "diabetes", epochs=20, folder=folder / "numbers", progress=False)
    vary = {"optim.lr": [0.01, 0.1, 1.0], "net.activation": ["relu", "sigmoid"]}
    place = folder / "study"
    danlu.compare("mlp", "digits", vary=vary, seeds=3, folds=3, folder=place, progress=False, epochs=3)


def report_seconds(folder: Path, repeats: int) -> tuple[float, float]:
    """Seconds to write a run's report anew, the journal read included, and its megabytes."""
    from danlu.run.pictures import write_run_report
    from danlu.store.run_folder import RunFolder

    place, seconds = RunFolder(folder / "run"), list[float]()
    for _ in range(repeats):
        begun = time.process_time()
        assert write_run_report(place) is None
        seconds.append(time.process_time() - begun)
    return statistics.median(seconds), place.report.stat().st_size / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        carry_out(folder)
        asked = [(str(folder / place), kind) for place, kinds in KINDS.items() for kind in kinds]
        asked += [(net, "") for net in NETS] + [("expression", "")]
        print(f"{'':14}{'SVG first':>12}{'SVG then':>12}{'PNG first':>12}{'PNG then':>12}   seconds")
        for what, kind in asked:
            svg, png = (drawn(what, kind, folder / f"a{ending}", repeats) for ending in (".svg", ".png"))
            print(f"{kind or what:14}{svg[0]:12.2f}{svg[1]:12.2f}{png[0]:12.2f}{png[1]:12.2f}", flush=True)
        seconds, size = report_seconds(folder, repeats)
        print(f"report.html: {1000 * seconds:.0f} ms, {size:.2f} MB")


if __name__ == "__main__":
    main()

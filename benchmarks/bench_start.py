"""What danlu costs before and after it trains: each command in a fresh process, beside `python -c "import torch"`.

On a machine that does other work seconds say little, so every command is run in turn with the import of torch, and the
median of the ratios is told beside those of the seconds. Then the memory of a training.

python benchmarks/bench_start.py [--repeats 5] [--data FOLDER]
"""

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

RUN = Path(__file__).parents[1] / "tests" / "store" / "folders" / "0.2" / "run"
RATES = "optim.lr=0.001,0.003,0.01,0.03,0.1,0.3,1,3"
STUDY = ("compare", "digits", "--net", "mlp", "net.hidden=[64]", "--vary", RATES, "--seeds", "3", "--folds", "5")
COMMANDS: dict[str, tuple[str, ...]] = {
    "--help": ("--help",),
    "show": ("show", str(RUN)),
    "data": ("data",),
    "nets": ("nets",),
    "rules": ("rules",),
    "fit train.epochs=1": ("fit", "train.epochs=1", "--folder", "run"),
    "compare, 120 trainings": (*STUDY, "train.epochs=10", "train.batch_size=32", "--folder", "study"),
}
# What `ASKED` leaves in a folder, asked; of the file nothing imports torch.
QUESTIONS: dict[str, tuple[str, ...]] = {
    "predict RUN titanic.csv": ("predict", "run", "titanic.csv"),
    "predict model.onnx titanic.csv": ("predict", "model.onnx", "titanic.csv"),
    "check model.onnx": ("check", "model.onnx"),
}
ASKED = """
import danlu
danlu.fit("mlp", "titanic.csv", target="Survived", epochs=1, folder="run", progress=False).export("model.onnx")
"""
TRAIN = """
import resource, tempfile, danlu
danlu.fit("lenet5", "mnist", epochs=1, folder=tempfile.mkdtemp(), progress=False, **{"data.root": %r})
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock and of the processor that one process took."""

    wall: float
    cpu: float


def cost(*words: str, there: Path | None = None) -> Cost:
    """What `python WORDS…` takes, in an empty folder, or in a copy of one that is there."""
    folder = tempfile.mkdtemp()
    if there:
        shutil.copytree(there, folder, dirs_exist_ok=True)
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, *words], check=True, cwd=folder, capture_output=True)
    wall, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    shutil.rmtree(folder)
    return Cost(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def told(name: str, pairs: list[tuple[Cost, Cost]]) -> str:
    """One line of the table: seconds, and times the import of torch, on the clock and of the processor."""
    middle = statistics.median
    return (
        f"| `{name}` | {middle(own.wall for _, own in pairs):.2f} s | {middle(own.cpu for _, own in pairs):.2f} s "
        f"| {middle(own.wall / torch.wall for torch, own in pairs):.2f} "
        f"| {middle(own.cpu / torch.cpu for torch, own in pairs):.2f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", default="", help="commands with this word in their name")
    parser.add_argument("--data", default=os.environ.get("DANLU_DATA"), help="folder that holds mnist/ and titanic.csv")
    arguments = parser.parse_args()
    print("| command | wall | processor | wall ÷ import torch | processor ÷ import torch |\n|---|---|---|---|---|")
    programs = {"import torch": ("-c", "import torch"), "import danlu": ("-c", "import danlu")}
    programs |= {name: ("-m", "danlu", *words) for name, words in COMMANDS.items()}
    table = Path(arguments.data or ".") / "titanic.csv"
    programs |= {name: ("-m", "danlu", *words) for name, words in QUESTIONS.items() if table.is_file()}
    with tempfile.TemporaryDirectory() as place:
        if table.is_file():
            shutil.copy(table, place)
            subprocess.run([sys.executable, "-c", ASKED], check=True, cwd=place, capture_output=True)
        for name, words in programs.items():
            if arguments.only in name:
                there = Path(place) if name in QUESTIONS else None
                pairs = [(cost("-c", "import torch"), cost(*words, there=there)) for _ in range(arguments.repeats + 1)]
                print(told(name, pairs[1:]), flush=True)
    if arguments.only:
        return
    if arguments.data:
        command = [sys.executable, "-c", TRAIN % arguments.data]
        peak = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        print(f"LeNet-5 on MNIST: peak resident memory {peak / 1e6:.2f} GB, torch included")
    else:
        print("memory of a training on MNIST: left out; name the folder that holds mnist/ with --data or $DANLU_DATA")


if __name__ == "__main__":
    main()

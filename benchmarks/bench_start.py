"""What danlu costs before it trains: the time `import danlu` takes beyond `import torch`; and the memory of a training.

python benchmarks/bench_start.py [--data FOLDER]
"""

import argparse
import os
import statistics
import subprocess
import sys
import time

REPEATS = 9

TRAIN = """
import resource, tempfile, danlu
danlu.fit("lenet5", "mnist", epochs=1, folder=tempfile.mkdtemp(), progress=False, **{"data.root": %r})
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def seconds(code: str) -> float:
    """Seconds a fresh Python takes over `code`."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=os.environ.get("DANLU_DATA"), help="folder that holds mnist/")
    arguments = parser.parse_args()
    pairs = [(seconds("import torch"), seconds("import danlu")) for _ in range(REPEATS + 1)][1:]
    torch, more = statistics.median(pair[0] for pair in pairs), statistics.median(pair[1] - pair[0] for pair in pairs)
    print(f"import torch {torch:.2f} s; import danlu {more:.2f} s more (median of {REPEATS} pairs)")
    if arguments.data:
        command = [sys.executable, "-c", TRAIN % arguments.data]
        peak = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        print(f"LeNet-5 on MNIST: peak resident memory {peak / 1e6:.2f} GB, torch included")
    else:
        print("memory of a training on MNIST: left out; name the folder that holds mnist/ with --data or $DANLU_DATA")


if __name__ == "__main__":
    main()

"""What somebody does who has installed danlu: train, look, draw, in a folder of their own, without the checkout.

python try_wheel.py CHECKOUT ENVIRONMENT    ends with 0 where all of it works
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

CHECKOUT, ENVIRONMENT = (Path(word).resolve() for word in sys.argv[1:3])
SECONDS = 300


def installed_package() -> Path:
    """The folder of the installed danlu, which is to be in the environment and nowhere else."""
    program = "import danlu; print(danlu.__file__)"
    place = Path(told(sys.executable, "-I", "-c", program).strip()).parent
    assert place.is_relative_to(ENVIRONMENT), place
    return place


def told(*words: str) -> str:
    """What a command prints; it is to end with 0."""
    done = subprocess.run(words, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, f"{' '.join(words)} ended with {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def everything_is_there(package: Path) -> None:
    """Each file of the source is in the wheel, and nothing else: no module that has been deleted since."""
    source = CHECKOUT / "src" / "danlu"
    names = [
        {file.relative_to(top).as_posix() for file in top.rglob("*") if file.is_file() and file.suffix != ".pyc"}
        for top in (source, package)
    ]
    assert names[0] == names[1], sorted(names[0] ^ names[1])


def page_opens(danlu: str) -> None:
    """`danlu view` prints its address, and the page is there."""
    with subprocess.Popen([danlu, "view", "--no-browser", "--port", "0"], stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            lines = iter(server.stdout.readline, "")
            address = next(found[0] for line in lines if (found := re.search(r"http://\S+", line)))
            with urllib.request.urlopen(address, timeout=SECONDS) as answer:  # of this machine: what view printed
                assert answer.read().lower().startswith(b"<!doctype html")
        finally:
            server.terminate()


def main() -> None:
    danlu = str(Path(sys.executable).parent / "danlu")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        everything_is_there(installed_package())
        run = json.loads(told(danlu, "fit", "train.epochs=1", "--json"))
        assert run["score"]["test"]["accuracy"] > 0.5, run["score"]
        assert "accuracy" in told(danlu, "show")
        for words in (("lenet5",), (run["run"], "--file", "curves.png")):
            told(danlu, "draw", *words)
        assert Path("lenet5.svg").read_text(encoding="utf-8").lstrip().startswith("<")
        assert Path("curves.png").read_bytes().startswith(b"\x89PNG")
        page_opens(danlu)
        assert "digits" in told(danlu, "data", "--lang", "zh")
    print("The wheel works: fit, show, draw, view, data.")


main()

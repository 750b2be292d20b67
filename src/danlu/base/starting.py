"""Ctrl-C and SIGTERM while the command line is still being imported, which takes seconds: a sentence, no traceback.

Imported first of all, it takes the signals over only where Python was started as `danlu` or `python -m danlu`; what is
imported after it, torch above all, would turn an interrupt into a page of traceback. The command line then takes its
own way with them.
"""

import itertools
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from danlu.base.strict_json import to_json
from danlu.base.words import LANGUAGES, say, use_language

INTERRUPTED = 130


def started_as_command(script: str, arguments: Sequence[str]) -> bool:
    """Whether `script` (sys.argv[0], while it is imported) and Python's `arguments` are those of the command line.

    >>> started_as_command("/usr/bin/danlu", ["python", "/usr/bin/danlu", "fit"])
    True
    >>> started_as_command("-m", ["python", "-m", "pytest", "danlu"])
    False
    """
    as_module = script == "-m" and ("-m", "danlu") in itertools.pairwise(arguments)
    return as_module or Path(script).stem == "danlu"


def _leave(*_: object) -> None:
    """End at once: what is half imported can be neither used nor tidied up."""
    words = sys.orig_argv
    chosen = next((language for language in LANGUAGES if f"--lang={language}" in words), None)
    chosen = chosen or next((words[place + 1] for place, word in enumerate(words[:-1]) if word == "--lang"), None)
    use_language(chosen if chosen in LANGUAGES else None)
    sentence = say("cli.interrupted-before")
    if "--json" in words:
        os.write(1, to_json({"error": [sentence]}).encode() + b"\n")
    os.write(2, f"✖ {sentence}\n".encode())
    os._exit(INTERRUPTED)


if started_as_command(sys.argv[0], sys.orig_argv) and threading.current_thread() is threading.main_thread():
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _leave)

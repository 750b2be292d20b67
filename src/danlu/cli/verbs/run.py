"""`danlu run`: somebody's script, unchanged, with every training in it watched."""

import argparse
import os
from pathlib import Path
from typing import Any

from danlu.base.files import absolute
from danlu.base.places import runs_folder
from danlu.base.strict_json import to_json
from danlu.base.telling import tell
from danlu.base.words import say
from danlu.cli.outcome import Outcome
from danlu.cli.streams import as_python_opened, put_out
from danlu.cli.words import check_one
from danlu.run import script
from danlu.run.run_record import RunRecord


def do_run(arguments: argparse.Namespace) -> Outcome:
    """Run the script; its exit code is that of the command. UserError where there is no such script."""
    check_one("run", ["", *arguments.words])
    program = script.find_program(arguments.script)
    parent = absolute(runs_folder())  # the script may change its working folder
    folder = absolute(Path(arguments.folder)) if arguments.folder is not None else None
    process, watched = os.getpid(), []

    def watch() -> None:
        watched.append(script.Trainings(program, parent, folder))

    def ended(error: BaseException | None) -> None:
        if os.getpid() != process:  # a fork of the script's own, which is not watched
            return
        for trainings in watched:
            trainings.finish(error)
        for words in script.words_on(watched[0]) if watched else [say("lab.run-no-step")]:
            tell(words)

    script.when_imported("torch", watch)
    as_python_opened()
    code = script.carry_out(program, ended)
    if arguments.json:
        put_out(lambda: print(to_json({"runs": _runs(watched), "exit": code})))
    return Outcome(None, lambda console: None, code=code, silent=True)


def _runs(watched: list[Any]) -> list[dict[str, Any]]:
    return [RunRecord(run).as_dict() for trainings in watched for run in trainings.runs]

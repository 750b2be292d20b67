"""`danlu watch-log`: the findings of a run one after the other, also while it trains."""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

from danlu.base.finding_text import finding_lines
from danlu.base.records import Finding
from danlu.base.retold import retold
from danlu.base.strict_json import to_json
from danlu.cli.outcome import Outcome
from danlu.cli.streams import put_out
from danlu.cli.words import last_run, one_run
from danlu.store.finding_log import FindingLog
from danlu.store.run_folder import RunFolder

_PAUSE_SECONDS = 0.2


def do_watch_log(arguments: argparse.Namespace) -> Outcome:
    """Print each finding as it was made; with --follow wait for more until the run ends, or Ctrl-C."""
    folder = Path(one_run(arguments, "watch-log")) if arguments.words else last_run()
    log = FindingLog(RunFolder.open(folder).journal)
    try:
        lost = ""
        for finding in _findings(log, follow=arguments.follow):
            lost = lost or put_out(lambda told=finding: print(_line(told, as_json=arguments.json)))
    except KeyboardInterrupt:  # the way to end it
        pass
    return Outcome(None, lambda console: None, silent=True)


def _findings(log: FindingLog, *, follow: bool) -> Iterator[Finding]:
    while True:
        over = not follow or log.is_over  # asked before reading: what is written until then is read
        yield from log.new()
        if over:
            return
        time.sleep(_PAUSE_SECONDS)


def _line(finding: Finding, *, as_json: bool) -> str:
    told = retold(finding)
    return to_json(told.as_dict()) if as_json else "\n".join(finding_lines(told))

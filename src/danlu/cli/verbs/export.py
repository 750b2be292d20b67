"""`danlu export`."""

import argparse
import time
from pathlib import Path

from danlu.base.errors import Fault, fail
from danlu.cli.answering_run import opened
from danlu.cli.outcome import Outcome, print_text
from danlu.ship.export import require_parts


def do_export(arguments: argparse.Namespace) -> Outcome:
    """Write a run as one file that answers without danlu, proved on its test part."""
    words: list[str] = arguments.words
    if len(words) != 2:
        fail("cli.export-what")
    target = Path(words[1]).expanduser()
    if target.suffix.lower() == ".onnx":
        require_parts(writing=True)
    started = time.monotonic()
    run = opened(arguments, "export")
    proof = run.export(target, raw=bool(arguments.raw))
    size = sum(file.stat().st_size for file in ([target] if target.is_file() else target.iterdir()))
    record = {"run": str(run.folder), "file": str(target), "bytes": size, "raw": bool(arguments.raw)}
    record |= {"proof": proof.as_dict(), "seconds": round(time.monotonic() - started, 3)}
    told = [
        Fault("export.written", {"path": target, "size": f"{size / 2**20:.2f}"}),
        Fault(f"export.proved-{proof.of}", {"samples": proof.samples, "delta": f"{proof.delta:.2g}"}),
    ]
    resize = proof.resize
    if resize is not None and not resize["inside"]:
        told.append(Fault("export.resize-outside", {key: resize[key] for key in ("height", "width", "mode")}))
    return Outcome(record, lambda console: print_text(console, "\n".join(map(str, told))))

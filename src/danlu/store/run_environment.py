"""What a run folder keeps of its surroundings, read back."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from danlu.store.records import MalformedRecordError, ParentRun, read_fields

MODULE, STACKED = "module", "stacked"
"""The engines that can carry out a training; runs of 0.1 name none and had the first."""


def read_environment(path: Path) -> dict[str, Any] | None:
    """Machine, versions and data as they were when the run began; None where the file is missing or damaged."""
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        data = facts["data"]
        sound = isinstance(facts["hardware"], dict) and isinstance(facts["weights_given"], bool)
        sound = sound and isinstance(data["fingerprint"], str) and facts.get("engine", MODULE) in (MODULE, STACKED)
        return facts if sound and all(isinstance(size, int) for size in data["sizes"].values()) else None
    except (OSError, ValueError, AttributeError, KeyError, TypeError, RecursionError):
        return None


def parent_of(facts: Mapping[str, Any] | None) -> ParentRun | None:
    """The run that one with these `facts` began from, as they note it; None where there was none."""
    try:
        return read_fields(ParentRun, facts["parent"]) if facts else None
    except (KeyError, MalformedRecordError):
        return None

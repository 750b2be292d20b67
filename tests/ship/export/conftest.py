"""What several tests of exports look at, exported once."""

from pathlib import Path

import pytest

from danlu.ship.export import export
from export_cases import CASES


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same small net as "model.onnx", "model.pt2" and the folder "model"."""
    place = tmp_path_factory.mktemp("made")
    for name in ("model.onnx", "model.pt2", "model"):
        export(CASES["table"]().exporting(), place / name)
    return place

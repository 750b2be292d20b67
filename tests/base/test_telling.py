"""Standard error that refuses ends nothing."""

import io
import sys
from typing import Any

import pytest

from danlu.base.telling import SteadyError, tell


class Refusing(io.StringIO):
    def write(self, text: str, /) -> int:
        raise OSError(28, "No space left on device")

    def flush(self) -> None:
        raise BrokenPipeError(32, "Broken pipe")


def closed() -> io.StringIO:
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize("stream", [Refusing(), closed(), None], ids=["refusing", "closed", "none"])
def test_a_stream_that_refuses_is_borne(stream: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    tell("an epoch is done")
    assert SteadyError().write("abc") == 3
    assert not SteadyError().isatty()
    with pytest.raises(OSError, match="fileno"):
        SteadyError().fileno()


def test_what_can_be_told_is(capsys: pytest.CaptureFixture[str]) -> None:
    tell("一轮完成")
    assert capsys.readouterr().err == "一轮完成\n"

"""Code of the user's own that danlu runs because it was named: how it is named, and which of its lines failed."""

import re
import traceback
from pathlib import Path

_NAMED = re.compile(r"(.+\.py)(?::(.*))?", re.DOTALL)
_RUN = set[str]()  # the files whose code this process has run


def file_and_maker(name: object) -> tuple[str, str] | None:
    """The file and what is named in it ("" for nothing), where `name` is that of a net in a file of the user's own.

    >>> file_and_maker("my_nets.py:Net"), file_and_maker("my_nets.py"), file_and_maker("lenet5")
    (('my_nets.py', 'Net'), ('my_nets.py', ''), None)
    """
    match = _NAMED.fullmatch(name) if isinstance(name, str) else None
    return (match.group(1), match.group(2) or "") if match else None


def short_name(name: str) -> str:
    """`name` as it is shown: of a net in a file without the folder.

    >>> short_name("/home/me/my_nets.py:Net"), short_name("lenet5")
    ('my_nets.py:Net', 'lenet5')
    """
    own = file_and_maker(name)
    return f"{Path(own[0]).name}:{own[1]}" if own else name


def note_run(path: Path) -> None:
    """Note that the code in the file `path` is run, so that its errors are told as the user's."""
    _RUN.add(str(path))


def failing_line(error: BaseException) -> tuple[str, int] | None:
    """File and number of the last line of the user's own files that `error` came through; None where it passed none.

    >>> failing_line(ValueError()) is None
    True
    """
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in _RUN]
    return (frames[-1].filename, frames[-1].lineno or 0) if frames else None

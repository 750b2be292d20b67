"""Where the book of claims is to go, as it was typed."""

from pathlib import Path

from danlu.base.errors import fail
from danlu.base.input_files import path_kind


def book_path(word: str) -> Path:
    """Where the book goes. UserError for a file that is no HTML, or a folder that is not there."""
    path = Path(word)
    if path.suffix.lower() not in (".html", ".htm"):
        fail("claims.book-not-html", path=path)
    if path_kind(path.parent) != "folder":
        fail("claims.book-no-folder", path=path.parent)
    return path

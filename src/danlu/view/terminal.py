"""The console that everything is printed through."""

from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from danlu.base.printable import printable


class PlainConsole(Console):
    """A console of rich's that shows text as text: an escape sequence in a name is written out, not obeyed.

    >>> import io
    >>> console = PlainConsole(file=io.StringIO())
    >>> console.print("x\\x1b[31my", markup=False)
    >>> console.file.getvalue()
    'x\\\\x1b[31my\\n'
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(highlight=False, **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """As rich does it, every piece of text made printable; the console's own control codes stay."""
        for text, style, control in super().render(renderable, options):
            yield Segment(text if control else printable(text), style, control)

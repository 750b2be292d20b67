"""A playground in the browser, as a server on this machine, until it is stopped."""

from pathlib import Path
from typing import ClassVar

from danlu.serve.listening import HOST, LocalPage
from danlu.serve.play_app import Playing, make_play_app


class PlayPage(LocalPage):
    """A playground: whoever has its address can try settings."""

    opened: ClassVar[str] = "serve.play-opened"
    exposed: ClassVar[str] = "serve.play-exposed"


def open_playground(playground: Playing, *, host: str = HOST, port: int | None = None) -> PlayPage:
    """The page of a playground, listening but not serving yet: on 127.0.0.1 alone unless `host` says otherwise, on
    `port`, else on the first free one from 8765 on."""
    return PlayPage.open(
        Path(playground.called), host, port, lambda bound, token: make_play_app(playground, host, bound, token)
    )

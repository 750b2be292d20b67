"""Who may read: the first thing that every request meets, and the last that every answer passes.

A page of some other site that the reader has open can send requests to this server too. It is kept out four times over:
its Host is not ours (DNS rebinding), its Origin is not ours, it does not know the word in the address that was printed,
and it gets no cookie along, because that is SameSite=Strict.
"""

import hmac
import ipaddress
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any
from urllib.parse import parse_qs

from danlu.base.secret import secret

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

START = "/start"
_PATHS = re.compile(r"/|/start|/static/[a-z]+\.(?:js|css)|/api/[a-z]+(?:/[0-9a-f]{16}(?:/[a-z]+\.svg)?)?")
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_NO_COOKIE = "danlu: open the address that `{command}` printed. / 请打开 `{command}` 打印出来的地址。\n"
_USED = (
    "danlu: this link has been opened before, and works once. Go on in that browser, or run `{command}` again. / "
    "这个链接已经打开过，只能使用一次。请在原来的浏览器中继续，或者重新运行 `{command}`。\n"
)
_SENT = ("application/json", "application/octet-stream")  # neither can be sent from another site without asking first
# The cookie is SameSite=Strict, so a browser that came by a link from elsewhere would not send it with a redirect; it
# does with the next request of this page itself.
_WELCOME = (
    '<!DOCTYPE html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=/">'
    '<link rel="icon" href="data:,"><title>danlu</title>\n'
)


class AccessMiddleware:
    """Lets through what comes from the reader's own browser: reading only, to names of this machine, with the cookie.

    `port` is the port served; `host` the address listened on: beside it only `localhost` and bare IP addresses are
    names of this machine, because no other site can take those. `command` is what was typed, and `taken` says to which
    paths something may be sent, and how many bytes: from a page of ours, which names its Origin. Where `word` is given,
    that page has to say it in the header X-Danlu-Word too, which no form and no other site can send.
    """

    def __init__(
        self,
        app: App,
        host: str,
        port: int,
        token: str,
        *,
        command: str = "danlu view",
        taken: Mapping[str, int] | None = None,
        word: str = "",
    ) -> None:
        self._word = word
        self._app = app
        self._command = command
        self._taken = taken or {}
        self._host = host.lower()
        self._port = port
        self._token = token
        self._entered = False
        self._session = secret()
        self._cookie = f"danlu-{port}"  # cookies do not tell ports apart

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        headers: list[tuple[str, str]] = [
            (name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]
        ]
        status = self._refusal(scope, headers)
        if status:
            await _answer(send, status, "")
        elif scope["path"] == START:
            await self._start(scope, headers, send)
        elif not self._is_known(headers):
            await _answer(send, 403, self._say(_NO_COOKIE) if scope["path"] == "/" else "")
        else:
            await self._app(scope, receive, _with_headers(send))

    def _refusal(self, scope: Scope, headers: list[tuple[str, str]]) -> int:
        """The status of the answer to what nobody of ours would send; 0 where there is nothing to object to."""
        if {"content-length", "transfer-encoding"} <= {name for name, _ in headers}:
            return 400  # two lengths: what one reader takes for a body, the next takes for a request
        hosts = [value for name, value in headers if name == "host"]
        if len(hosts) != 1 or not self._is_ours(hosts[0]):
            return 421
        origins = [value for name, value in headers if name == "origin"]
        if any(origin != f"http://{hosts[0]}" for origin in origins) or len(origins) > 1:
            return 403
        sites = {value for name, value in headers if name == "sec-fetch-site"}
        if scope["path"] != START and not sites <= {"same-origin", "none"}:
            return 403
        if scope["method"] == "POST" and scope["path"] in self._taken:
            status = _unfit(headers, self._taken[scope["path"]]) if origins and self._is_said(headers) else 403
            if status:
                return status
        elif scope["method"] not in ("GET", "HEAD"):
            return 405
        raw = bytes(scope.get("raw_path") or scope["path"].encode()).decode("latin-1").partition("?")[0]
        return 0 if _PATHS.fullmatch(raw) and scope["path"] == raw else 404

    def _say(self, sentence: str) -> str:
        return sentence.format(command=self._command)

    def _is_ours(self, host: str) -> bool:
        name, _, port = host.rpartition(":")
        if not re.fullmatch(r"[0-9a-z.:\[\]-]+", name) or port != str(self._port):
            return False
        try:
            address = ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
        except ValueError:
            return name in ("localhost", self._host)
        loopback_only = self._host in ("127.0.0.1", "localhost", "::1")
        return (address.is_loopback or not loopback_only) and not address.is_unspecified

    def _is_known(self, headers: list[tuple[str, str]]) -> bool:
        cookies = [part.strip() for name, value in headers if name == "cookie" for part in value.split(";")]
        wanted = f"{self._cookie}={self._session}".encode()
        return any(hmac.compare_digest(cookie.encode("latin-1", "replace"), wanted) for cookie in cookies)

    def _is_said(self, headers: list[tuple[str, str]]) -> bool:
        said = [value for name, value in headers if name == "x-danlu-word"]
        return not self._word or (
            len(said) == 1 and hmac.compare_digest(said[0].encode("latin-1", "replace"), self._word.encode())
        )

    async def _start(self, scope: Scope, headers: list[tuple[str, str]], send: Send) -> None:
        """Give the cookie for the word in the address: once, to whoever comes first. Its owner may come by it again."""
        try:
            given = parse_qs(scope["query_string"].decode("ascii"), max_num_fields=4).get("token", [""])
        except (UnicodeDecodeError, ValueError):
            given = [""]
        if len(given) != 1 or not hmac.compare_digest(given[0].encode(), self._token.encode()):
            await _answer(send, 403, self._say(_NO_COOKIE))
            return
        if self._entered and not self._is_known(headers):
            await _answer(send, 403, self._say(_USED))
            return
        self._entered = self._entered or scope["method"] == "GET"
        cookie = f"{self._cookie}={self._session}; HttpOnly; SameSite=Strict; Path=/"
        await _answer(send, 200, _WELCOME, [(b"set-cookie", cookie.encode())], kind="text/html")


def _unfit(headers: list[tuple[str, str]], most: int) -> int:
    """The status of the answer to a body that is of no kind, or longer than `most` bytes; 0 where it may be read."""
    lengths = [value for name, value in headers if name == "content-length"]
    if len(lengths) != 1 or not re.fullmatch("[0-9]{1,12}", lengths[0]):
        return 411
    kinds = [value.partition(";")[0].strip() for name, value in headers if name == "content-type"]
    if len(kinds) != 1 or kinds[0] not in _SENT:
        return 415
    return 413 if int(lengths[0]) > most else 0


async def _answer(
    send: Send, status: int, text: str, extra: list[tuple[bytes, bytes]] | None = None, kind: str = "text/plain"
) -> None:
    body = text.encode()
    headers = [(b"content-type", f"{kind}; charset=utf-8".encode()), (b"content-length", str(len(body)).encode())]
    await _with_headers(send)({"type": "http.response.start", "status": status, "headers": headers + (extra or [])})
    await send({"type": "http.response.body", "body": body})


def _with_headers(send: Send) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            ours = [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()]
            names = {name for name, _ in ours}
            message["headers"] = [pair for pair in message["headers"] if pair[0].lower() not in names] + ours
        await send(message)

    return guarded

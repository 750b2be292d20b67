"""Who is let in: requests that no page of ours sends get not one byte of a run."""

import errno
import hashlib
import os
import socket
from pathlib import Path

import pytest

from danlu.base.errors import UserError
from danlu.serve import listening as listening_module
from danlu.serve.run import open_dashboard
from dashboard_site import CANARY, Reply, Site, served

HOSTS = [
    "evil.example",
    "evil.example:{port}",
    "localhost.evil.example:{port}",
    "127.0.0.1.evil.example:{port}",
    "127.0.0.1@evil.example:{port}",
    "evil.example@127.0.0.1:{port}",
    "127.0.0.1",
    "127.0.0.1:1",
    "127.0.0.1:{port}0",
    "127.0.0.1:{port}/",
    "127.0.0.1:{port}, evil.example",
    "192.168.0.7:{port}",
    "0.0.0.0:{port}",
    "[::]:{port}",
    "127.0.0.1.:{port}",
    "2130706433:{port}",
    "0x7f.1:{port}",
    "LOCALHOST.:{port}",
    ":{port}",
    "",
]
ORIGINS = [
    "null",
    "http://evil.example",
    "https://127.0.0.1:{port}",
    "http://127.0.0.1",
    "http://127.0.0.1:1",
    "http://127.0.0.1:{port}0",
    "http://127.0.0.1:{port}.evil.example",
    "http://127.0.0.1:{port}@evil.example",
    "http://evil.example:{port}",
    "http://localhost:{port}",
    "http://[::1]:{port}",
    "file://",
    "chrome-extension://abcdefgh",
    "",
    "http://127.0.0.1:{port} http://evil.example",
]


def routes(site: Site) -> list[str]:
    """Every route there is, with what really lies there."""
    rows = {row["kind"]: row["id"] for row in site.rows()}
    return [
        "/",
        f"/start?token={site.token}",
        "/static/chart.js",
        "/static/look.css",
        "/api/list",
        f"/api/run/{rows['run']}",
        f"/api/run/{rows['run']}/net.svg",
        f"/api/moment/{rows['run']}?at=0",
        f"/api/study/{rows['study']}",
        f"/api/compare?runs={rows['run']}",
        "/api/complete?where=name%20%3D%20&at=7",
    ]


def assert_nothing_told(reply: Reply, status: int) -> None:
    assert reply.status == status
    assert reply.body == b""
    assert CANARY.encode() not in reply.raw
    assert "set-cookie" not in reply.headers


def test_who_has_the_cookie_reads_every_route(site: Site) -> None:
    for route in routes(site):
        assert site.get(route).status == 200, route
    # What the refusals below hold back is really there.
    for route in routes(site)[4:]:
        assert CANARY.encode() in site.get(route).body, route


@pytest.mark.parametrize("host", HOSTS)
def test_a_request_under_another_name_is_refused_on_every_route(site: Site, host: str) -> None:
    for route in routes(site):
        assert_nothing_told(site.get(route, hosts=[host.format(port=site.port)]), 421)


def test_a_request_with_two_names_or_none_is_refused(site: Site) -> None:
    for route in routes(site):
        for hosts in ([site.host, "evil.example"], ["evil.example", site.host], []):
            reply = site.get(route, hosts=hosts)
            assert reply.status in (400, 421)  # the parser of HTTP itself may object first
            assert CANARY.encode() not in reply.raw


@pytest.mark.parametrize("origin", ORIGINS)
def test_a_request_from_another_page_is_refused_on_every_route(site: Site, origin: str) -> None:
    for route in routes(site):
        assert_nothing_told(site.get(route, headers=[("Origin", origin.format(port=site.port))]), 403)


def test_two_origins_are_refused(site: Site) -> None:
    own = f"http://{site.host}"
    for route in routes(site):
        assert_nothing_told(site.get(route, headers=[("Origin", own), ("Origin", "http://evil.example")]), 403)
        assert site.get(route, headers=[("Origin", own)]).status == 200


@pytest.mark.parametrize("where", ["cross-site", "same-site"])
def test_what_a_browser_says_comes_from_another_site_is_refused(site: Site, where: str) -> None:
    for route in routes(site):
        if not route.startswith("/start"):  # a reader may come by a link
            assert_nothing_told(site.get(route, headers=[("Sec-Fetch-Site", where)]), 403)


def test_without_the_cookie_there_is_nothing_but_a_hint_where_to_get_it(site: Site) -> None:
    name, _, value = site.cookie.partition("=")
    wrong = [
        "",
        "danlu",
        f"{name}=",
        f"{name}={value[:-1]}",
        f"{name}={value}x",
        f"x{name}={value}",
        f"{name}={site.token}",
    ]
    for route in routes(site):
        if route.startswith("/start"):
            continue
        for cookie in wrong:
            reply = site.get(route, cookie=cookie or "other=1")
            if route == "/":
                assert reply.status == 403
                assert b"danlu view" in reply.body
                assert CANARY.encode() not in reply.raw
            else:
                assert_nothing_told(reply, 403)


@pytest.mark.parametrize(
    "query",
    ["", "?token=", "?token=x", "?token={token}x", "?token={short}", "?token={token}&token={token}", "?Token={token}"],
)
def test_a_wrong_word_in_the_address_opens_nothing(site: Site, query: str) -> None:
    reply = site.get("/start" + query.format(token=site.token, short=site.token[:-1]), cookie="other=1")
    assert reply.status == 403
    assert "set-cookie" not in reply.headers
    assert CANARY.encode() not in reply.raw


def test_the_token_counts_nowhere_but_at_the_start(site: Site) -> None:
    for route in routes(site)[4:]:
        joint = "&" if "?" in route else "?"
        assert_nothing_told(site.get(f"{route}{joint}token={site.token}", cookie="other=1"), 403)


def test_the_token_works_once_and_then_the_cookie_does(index: Path) -> None:
    with served(index) as site:
        start = f"/start?token={site.token}"
        assert site.get("/start?token=wrong").status == 403, "which spends nothing"
        assert site.get(start, method="HEAD").status == 200
        site.enter()
        assert site.get("/").status == 200
        assert site.get(start).status == 200, "its owner comes by it again"
        for stranger in ("other=1", f"danlu-{site.port}=x"):
            reply = site.get(start, cookie=stranger)
            assert (reply.status, "set-cookie" in reply.headers) == (403, False)
            assert "只能使用一次".encode() in reply.body


@pytest.mark.parametrize("length", ["0", "5"])
def test_a_request_with_two_lengths_is_refused(site: Site, length: str) -> None:
    for route in routes(site):
        reply = site.get(route, headers=[("Content-Length", length), ("Transfer-Encoding", "chunked")])
        assert reply.status == 400
        assert CANARY.encode() not in reply.raw


@pytest.mark.every(2)
@pytest.mark.parametrize("begun", ["", "GET / HT", "GET / HTTP/1.1\r\nHost: x\r\n", "GET / HTTP/1.1\r\n"])
def test_a_request_that_does_not_come_whole_is_dropped(
    index: Path, monkeypatch: pytest.MonkeyPatch, begun: str
) -> None:
    monkeypatch.setattr(listening_module, "_PATIENCE", 0.5)
    with served(index) as site, socket.create_connection(("127.0.0.1", site.port), timeout=30) as wire:
        wire.sendall(begun.encode())
        assert wire.recv(100) == b"", "the other side has hung up"
        site.enter()
        assert site.get("/").status == 200


def test_a_request_that_drips_is_dropped_all_the_same(index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening_module, "_PATIENCE", 0.5)
    with served(index) as site, socket.create_connection(("127.0.0.1", site.port), timeout=30) as wire:
        wire.settimeout(0.05)
        assert any(_hung_up(wire) for _ in range(600)), "a byte now and then keeps nothing open"
        assert site.get("/", cookie="other=1").status == 403


def _hung_up(wire: socket.socket) -> bool:
    """Send one more byte; whether the other side is gone."""
    try:
        wire.sendall(b"G")
        return wire.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


def test_the_token_is_exchanged_for_a_strict_cookie(index: Path) -> None:
    with served(index) as site:
        _exchanged(site)


def _exchanged(site: Site) -> None:
    reply = site.get(f"/start?token={site.token}", cookie="other=1")
    name, *attributes = [part.strip() for part in reply.headers["set-cookie"].split(";")]
    assert set(attributes) == {"HttpOnly", "SameSite=Strict", "Path=/"}
    assert site.token not in name
    assert site.token.encode() not in reply.body
    assert b"url=/" in reply.body  # the address with the word in it is left at once
    assert reply.headers["referrer-policy"] == "no-referrer"
    assert reply.headers["cache-control"] == "no-store"


def test_two_dashboards_have_two_words_and_two_cookies(site: Site, index: Path) -> None:
    with served(index) as other:
        other.enter()
        assert other.token != site.token
        assert other.cookie != site.cookie
        assert_nothing_told(other.get("/api/list", cookie=site.cookie), 403)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"])
def test_there_is_nothing_but_reading(site: Site, method: str) -> None:
    for route in routes(site):
        assert_nothing_told(site.send(route, method=method), 405)


def _fingerprint(folder: Path) -> dict[str, tuple[int, str]]:
    return {
        str(path): (path.stat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "")
        for path in sorted(folder.rglob("*"))
    }


def test_reading_changes_nothing(site: Site, index: Path) -> None:
    before = _fingerprint(index)
    for route in routes(site):
        assert site.get(route).status == 200
        assert site.send(route, method="HEAD").status == 200
    assert _fingerprint(index) == before


def test_every_answer_carries_the_strict_policy(site: Site) -> None:
    refused = [site.get("/api/list", hosts=["evil.example"]), site.get("/api/list", cookie="x=1"), site.get("/none")]
    for reply in [*(site.get(route) for route in routes(site)), *refused]:
        parts = [part.split() for part in reply.headers["content-security-policy"].split(";")]
        policy = {part[0]: " ".join(part[1:]) for part in parts}
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == "'none'"
        assert "unsafe" not in str(policy)
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["cross-origin-resource-policy"] == "same-origin"
        assert reply.headers["x-frame-options"] == "DENY"
        assert "access-control-allow-origin" not in reply.headers
        assert "server" not in reply.headers


def _own_address() -> str:
    """An address of this machine that others reach it by; "" where it has none. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return ""
        return str(probe.getsockname()[0])


def test_it_listens_on_this_machine_alone(site: Site) -> None:
    assert site.dashboard.listening.getsockname()[0] == "127.0.0.1"
    own = _own_address()
    if own and not own.startswith("127."):
        with pytest.raises(OSError, match="refused"):
            socket.create_connection((own, site.port), timeout=5)


def test_told_to_listen_elsewhere_it_says_so_and_guards_all_the_same(index: Path) -> None:
    with served(index, host="0.0.0.0") as site:
        assert "listens on 0.0.0.0, not on this machine alone" in site.dashboard.told
        site.enter()
        assert site.get("/api/list").status == 200
        assert site.get("/api/list", hosts=[f"192.168.0.7:{site.port}"]).status == 200  # its own address elsewhere
        assert_nothing_told(site.get("/api/list", hosts=[f"evil.example:{site.port}"]), 421)
        assert_nothing_told(site.get("/api/list", hosts=[f"0.0.0.0:{site.port}"]), 421)
        assert_nothing_told(site.get("/api/list", cookie="other=1"), 403)


def test_a_port_in_use_is_told(index: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(
            UserError, match=rf"Port {port} of 127\.0\.0\.1 cannot be had \({os.strerror(errno.EADDRINUSE)}\)"
        ):
            open_dashboard(index, port=port)

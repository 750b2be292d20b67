"""The address of a cluster, as it is typed: what of it may be shown, and what must never be."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from danlu.base.errors import fail

LOCAL_RAY = "ray"
_PORTS: Mapping[str, int] = {"dask": 8786, "tls": 8786, "ray": 10001}
_HOST = re.compile(r"\[[0-9a-fA-F:.]+\]|[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?")
_ADDRESS = re.compile(r"(?P<scheme>[a-z]+)://(?:(?P<login>.*)@)?(?P<place>[^/?#@]*)(?P<rest>[/?#].*)?", re.DOTALL)
# In whatever a library says: what stands before the @ of an address, and what follows its host.
_ANY_LOGIN = re.compile(r"(\w+://)\S*@", re.DOTALL)
_ANY_REST = re.compile(r"(\w+://[^\s/?#'\"]*)[/?#][^\s'\"]*")


@dataclass(frozen=True)
class ClusterAddress:
    """Where a scheduler listens; Ray without a host is one that is started here.

    >>> str(ClusterAddress("dask", "10.0.0.7", 8786))
    'dask://10.0.0.7:8786'
    """

    scheme: str
    host: str = ""
    port: int = 0

    @classmethod
    def read(cls, text: str) -> "ClusterAddress":
        """The address that was typed. UserError for one that is none, or that holds a password or a token: no
        scheduler takes one in its address, and none is repeated in the error.

        >>> ClusterAddress.read("dask://127.0.0.1")
        ClusterAddress(scheme='dask', host='127.0.0.1', port=8786)
        """
        if text.strip() == LOCAL_RAY:
            return cls(LOCAL_RAY)
        match = _ADDRESS.fullmatch(text.strip())
        if match is None or match["scheme"] not in _PORTS:
            fail("cluster.no-address", schemes=", ".join(f"{scheme}://" for scheme in _PORTS))
        host, colon, port = match["place"].rpartition(":") if _has_port(match["place"]) else (match["place"], "", "")
        if match["login"] is not None or (match["rest"] or "/") != "/":
            fail("cluster.secret-in-address", scheme=match["scheme"])
        if not _HOST.fullmatch(host):
            fail("cluster.no-host", scheme=match["scheme"])
        if colon and not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 2**16):
            fail("cluster.no-port", scheme=match["scheme"], host=host)
        return cls(match["scheme"], host, int(port) if colon else _PORTS[match["scheme"]])

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}" if self.host else self.scheme


def _has_port(place: str) -> bool:
    return ":" in place.rpartition("]")[2]


def without_secrets(text: str) -> str:
    """What a library said, with no more of an address in it than scheme, host and port.

    >>> without_secrets("cannot reach tls://ann:s3cret@host:8786/a?token=abc now")
    'cannot reach tls://host:8786 now'
    """
    return _ANY_REST.sub(r"\1", _ANY_LOGIN.sub(r"\1", text))

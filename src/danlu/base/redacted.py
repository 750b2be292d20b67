"""Words of others without the secrets that an address may hold."""

import re

_ADDRESS = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*://)([^\s'\"<>]*)")


def redacted(words: str) -> str:
    """The same without user, password, path and query of every address in it: scheme, host and port stay.

    >>> redacted("no answer from https://me:secret@host.org:8443/hooks/T0/xyz?key=1 in time")
    'no answer from https://host.org:8443/… in time'
    >>> redacted("sqlite:///runs/mlflow.db is locked")
    'sqlite:///… is locked'
    """
    return _ADDRESS.sub(lambda found: found.group(1) + _host(found.group(2)), words)


def _host(rest: str) -> str:
    place = rest.rpartition("@")[2]  # a password may hold a "/" that nobody escaped
    host = re.split(r"[/?#]", place, maxsplit=1)[0]
    return host if host == place else f"{host}/…"

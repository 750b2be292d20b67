"""The word that lets a browser or a worker in; apart from `seeds`, so that what serves pages does not load torch."""

import secrets


def secret() -> str:
    """A word that nobody can guess: 43 letters, digits, "-" and "_", from the system's own source of randomness.

    >>> len(secret()), secret() != secret()
    (43, True)
    """
    return secrets.token_urlsafe(32)

"""Keys of search providers: in the system's keyring, or in the environment where there is none. Never in a file of ours."""

import os

from unabridged.errors import UsageError, WebFailed
from unabridged.web import packages
from unabridged.web.providers import KEYED

SERVICE = "unabridged"


def key_of(provider: str) -> str:
    """The key; "" for a provider that needs none or has none yet."""
    if provider not in KEYED:
        return ""
    given = os.environ.get(variable(provider), "")
    if given:
        return given
    import keyring
    from keyring.errors import KeyringError

    try:
        return keyring.get_password(SERVICE, provider) or ""
    except KeyringError:  # no keyring runs here, or it is locked: the search then says that there is no key
        return ""


def keep_key(provider: str, key: str) -> None:
    """Put it into the system's keyring; an empty one is taken out of it. Raises UsageError; WebFailed without a keyring."""
    if provider not in KEYED:
        raise UsageError(f"{provider} needs no key.", hint=f"Keys are for {' and '.join(KEYED)}.")
    packages.check(("keyring",))
    import keyring
    from keyring.errors import KeyringError, PasswordDeleteError

    try:
        if key:
            keyring.set_password(SERVICE, provider, key)
        else:
            keyring.delete_password(SERVICE, provider)
    except PasswordDeleteError:
        return
    except KeyringError as error:
        raise WebFailed(
            "This machine has no keyring that is open.", hint=f"Set the environment variable {variable(provider)} instead."
        ) from error


def variable(provider: str) -> str:
    return f"UNABRIDGED_{provider.upper()}_KEY"

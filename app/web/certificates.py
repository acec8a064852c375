"""Whom a TLS connection trusts, and what is wrong with a certificate that was refused. Runs in the web child only.

Trusted are the authorities of this system, which may have those of a company among them, and Mozilla's (certifi), since
some systems bring none. SSL_CERT_FILE names others instead of the system's, as for every program that uses OpenSSL.
"""

import ssl

import certifi
from unabridged.errors import WebFailed


def trusted() -> ssl.SSLContext:
    """Names and dates of certificates are checked; nothing older than TLS 1.2 is spoken."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def untrusted(host: str, error: BaseException) -> WebFailed | None:
    """The refusal, where a certificate is among what led to this error."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return WebFailed(
                f"{host} does not prove that it is {host} ({cause.verify_message.rstrip('.')}).",
                hint="Do not trust what it sends; if it is yours, SSL_CERT_FILE can name its authority.",
            )
        cause = cause.__cause__ or cause.__context__
    return None

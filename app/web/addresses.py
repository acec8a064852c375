"""Which addresses of the network a page may be fetched from: public ones. Knows names and numbers, no HTTP.

A name is looked up once; every address it has must be public, and the connection goes to one that was checked. So a name that
answers with another address the next time (DNS rebinding) gains nothing.
"""

import ipaddress
import socket
from collections.abc import Callable, Collection, Sequence

from unabridged.errors import WebFailed

Resolver = Callable[[str, int], Sequence[str]]

PORTS = frozenset((80, 443))
_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: an IPv4 address in the last 32 bits

_INSIDE = tuple(  # what some versions of Python take for global: special by the registries of IANA, or a cloud's own
    map(
        ipaddress.ip_network,
        (
            *("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32"),  # protocol assignments, 6to4 relays, the host of Azure
            *("fec0::/10", "64:ff9b:1::/48", "3fff::/20", "5f00::/16"),  # site-local, local NAT64, documentation, SRv6
        ),
    )
)


def is_public(address: str) -> bool:
    """Whether it is on the public internet: not this machine, its networks, a carrier's, or a group of machines."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    if any(ip in network for network in _INSIDE if network.version == ip.version):
        return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified or ip.is_loopback or ip.is_link_local)


def looked_up(host: str, port: int) -> list[str]:
    """Addresses of a name, in the system's order of preference. Raises WebFailed."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise WebFailed(
            f"There is no address for {host}.", hint="Check the connection, and the spelling of the name."
        ) from error
    return list(dict.fromkeys(str(place[4][0]) for place in found))


def checked(host: str, port: int, *, resolver: Resolver = looked_up, private: Collection[str] = ()) -> list[str]:
    """Addresses that may be connected to for this host; `private` are excepted by the user. Raises WebFailed for all others.

    One address that is not public refuses the host: honest names have none beside public ones.
    """
    addresses = list(resolver(host, port))
    for address in addresses:
        if address in private:
            continue
        if not is_public(address):
            raise WebFailed(
                f"{host} is not on the public internet ({address}).",
                hint="Pages of this machine and of private networks are never fetched.",
            )
        if port not in PORTS:
            raise WebFailed(f"{host} is asked for on port {port}.", hint="Pages are fetched on ports 80 and 443 only.")
    if not addresses:
        raise WebFailed(f"There is no address for {host}.", hint="Check the connection, and the spelling of the name.")
    return addresses

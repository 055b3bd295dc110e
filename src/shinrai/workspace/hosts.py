"""Where systems may be asked: the ``allowed_hosts`` of ``shinrai.yaml``.

A system file is data that somebody may propose; the address in it is followed only where the workspace lists it. Two
things are compared: the host as it is written, before anything is looked up, and each address that its name resolves
to, before anything connects to it. So neither a file nor a name server can direct a call to a machine that the list
does not mean: not to this machine, not into the private network, and never to the link-local addresses at which
clouds hand out credentials.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from typing import Final, TypeAlias

from shinrai.records import Endpoint

__all__ = ["AllowedHosts"]

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_THIS_MACHINE: Final = "localhost"


class AllowedHosts:
    """The hosts at which systems may be asked.

    - A name in a system's address has to be listed, with its port where the entry has one.
    - What a name resolves to has to be a public address, or one that is listed as an address or within a network. The
      name ``localhost`` needs no second entry.
    - An address in place of a name has to be listed as an address or within a network, public or not.
    - Link-local, multicast and unspecified addresses are never reached, in whatever form they are written.

    Parameters
    ----------
    entries : collection of str
        As `shinrai.records.Settings` has read them.
    """

    def __init__(self, entries: Collection[str]) -> None:
        self.entries = tuple(entries)
        self._names: set[tuple[str, int | None]] = set()
        self._networks: list[tuple[_Network, int | None]] = []
        for entry in self.entries:
            host, port = _split(entry)
            try:
                self._networks.append((ipaddress.ip_network(host), port))
            except ValueError:
                self._names.add((host, port))

    def allows(self, component: Endpoint) -> bool:
        """Tell whether a system's address is among them, before any name is looked up."""
        address = _address(component.host)
        if address is not None:
            return self._lists(address, component.port)
        return bool(self._names & {(component.host, None), (component.host, component.port)})

    def reaches(self, name: str, address: str, port: int) -> bool:
        """Tell whether an address may be connected to that a listed name was resolved to.

        Parameters
        ----------
        name : str
            The host as it is written; already allowed.
        address : str
            IPv4 or IPv6, in numbers.
        port : int
            Of the connection.
        """
        found = _address(address)
        if found is None or _is_never_reached(found):
            return False
        if name == _THIS_MACHINE and found.is_loopback:
            return True
        return found.is_global or self._lists(found, port)

    def _lists(self, address: Address, port: int) -> bool:
        return not _is_never_reached(address) and any(
            address in network and allowed_port in {None, port}
            for network, allowed_port in self._networks
            if network.version == address.version
        )


def _split(entry: str) -> tuple[str, int | None]:
    """Part an entry into host and port."""
    if entry.startswith("["):
        host, _bracket, rest = entry[1:].partition("]")
        return host, int(rest[1:]) if rest else None
    host, colon, port = entry.rpartition(":")
    if colon and ":" not in host:
        return host, int(port)
    return entry, None


def _address(text: str) -> Address | None:
    """Read an address; IPv4 in the clothes of IPv6 is IPv4."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address.sixtofour or address
    return address


def _is_never_reached(address: Address) -> bool:
    return address.is_link_local or address.is_multicast or address.is_unspecified

"""Run the command line where nothing but the loopback interface can be reached; an attempt is written down.

Called as ``python no_network.py LOG ARGUMENTS...``. As ``sitecustomize`` it also serves every Python started below it
(the report's kernel). Several commands are parted by ``--then``. With ``--namespace``, in a network namespace of its
own, it brings the loopback interface up first: then the system itself refuses, for C libraries too.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import Any

LOG = "ETIQUETTE_TEST_NETWORK_LOG"


def is_local(address: Any) -> bool:
    """Tell an address of this machine: a path (Unix), loopback, or the name of it."""
    host = address[0] if isinstance(address, tuple) else ""
    return (
        isinstance(address, str | bytes)
        or host in ("", "localhost", "0.0.0.0", "::1", "::")
        or (isinstance(host, str) and host.startswith("127."))
    )


def block() -> None:
    """Refuse every look-up and connection that leaves this machine, and write it down."""

    def refuse(what: str, address: Any) -> None:
        with Path(os.environ[LOG]).open("a", encoding="utf-8") as log:
            log.write(f"{what} {address!r}\n")
        raise OSError(f"network blocked: {what} {address!r}")

    def guarded(name: str, place: int) -> None:
        plain = getattr(socket.socket, name)

        def method(self: socket.socket, *arguments: Any) -> Any:
            if not is_local(arguments[place]):
                refuse(name, arguments[place])
            return plain(self, *arguments)

        setattr(socket.socket, name, method)

    for name, place in (("connect", 0), ("connect_ex", 0), ("sendto", -1)):
        guarded(name, place)
    look_up = socket.getaddrinfo

    def getaddrinfo(host: Any, *arguments: Any, **options: Any) -> Any:
        if host is not None and not is_local((host,)):
            refuse("getaddrinfo", host)
        return look_up(host, *arguments, **options)

    socket.getaddrinfo = getaddrinfo  # type: ignore[assignment]


def raise_loopback() -> None:
    """Bring the loopback interface up: in a new network namespace it is down."""
    import fcntl
    import struct

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh", b"lo", 0x1 | 0x8 | 0x40))


if __name__ == "__main__":
    log, *arguments = sys.argv[1:]
    os.environ[LOG] = log
    if arguments[0] == "--namespace":
        raise_loopback()
        arguments = arguments[1:]
    block()
    from etiquette_analysis.cli import main

    while arguments:
        command, _, rest = "\0".join(arguments).partition("\0--then\0")
        if code := main(command.split("\0")):
            sys.exit(code)
        arguments = rest.split("\0") if rest else []
elif __name__ == "sitecustomize":
    block()

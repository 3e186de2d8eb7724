"""What a Ray of our own listens on: nothing that others reach, and nothing that runs code without its token."""

import ipaddress
import os
import stat
from pathlib import Path

import pytest

from gateway.on_ray.names import EMBEDDER, GATEWAY, MODEL
from tests.on_ray.application import ON_RAY, REPLICAS, below, needs_ray

pytestmark = [*ON_RAY, pytest.mark.usefixtures("on_ray")]

CONNECTED, LISTENS = "01", "0A"
HANDLE = "/ray.serve.ASGIService/HandleRequest"
"""Unpickles what it gets: the call that must not be everybody's."""
SESSION = "--session-dir="


def address_of(field):
    """Reads an address of /proc/net/tcp: words of four bytes as the machine has them in memory, and a port."""
    address, port = field.split(":")
    words = [bytes.fromhex(address[start : start + 8])[::-1] for start in range(0, len(address), 8)]
    read = ipaddress.ip_address(b"".join(words))
    return getattr(read, "ipv4_mapped", None) or read, int(port, 16)


def sockets(state):
    """By the number of each socket in a state: where it listens, or whom it is connected to."""
    tables = [Path(f"/proc/net/{name}").read_text().splitlines()[1:] for name in ("tcp", "tcp6")]
    lines = [line.split() for table in tables for line in table]
    column = 1 if state == LISTENS else 2
    return {f"socket:[{line[9]}]": address_of(line[column]) for line in lines if line[3] == state}


def sockets_of(pids, state=LISTENS):
    """What each process listens on, or is connected to."""
    known, found = sockets(state), {}
    for pid in pids:
        try:
            held = {str(one.readlink()) for one in Path(f"/proc/{pid}/fd").iterdir()}
        except FileNotFoundError:  # it ended, or closed one meanwhile
            continue
        found[pid] = {known[one] for one in held if one in known}
    return found


def test_every_port_of_every_process_is_on_this_machine_alone(on_ray):
    found = sockets_of(below(os.getpid()))
    replicas = [pid for name in (GATEWAY, EMBEDDER, MODEL) for pid in on_ray.processes(name)]
    assert len(replicas) == REPLICAS + 2
    assert all(found[pid] for pid in replicas), "each replica has ports of Ray's"
    assert [where for ports in found.values() for where in ports if not where[0].is_loopback] == []


def test_nothing_is_connected_to_another_machine(on_ray):
    with on_ray.client() as client:
        reply = client.post("/v1/chat", json={"assistant": "helpdesk", "message": "I forgot my password"})
    assert reply.status_code == 200
    found = sockets_of(below(os.getpid()), CONNECTED)
    assert any(found.values()), "the processes talk to each other"
    assert [where for others in found.values() for where in others if not where[0].is_loopback] == []


def test_nobody_else_gets_at_its_sockets_and_log_files():
    called = [Path(f"/proc/{pid}/cmdline").read_text(errors="replace").split("\0") for pid in below(os.getpid())]
    folders = {Path(one.removeprefix(SESSION)) for words in called for one in words if one.startswith(SESSION)}
    assert folders
    for folder in folders:
        assert any(stat.S_IMODE(above.stat().st_mode) == 0o700 for above in folder.parents)


@pytest.mark.parametrize("token", [None, "wrong", "0" * 64])
def test_a_replica_takes_nothing_without_the_token(on_ray, token):
    grpc = needs_ray("grpc")
    metadata = [("authorization", f"Bearer {token}")] if token else []
    codes = set()
    for _, port in sockets_of(on_ray.processes(MODEL)[:1]).popitem()[1]:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel, pytest.raises(grpc.RpcError) as refused:
            channel.unary_unary(HANDLE)(b"", metadata=metadata, timeout=30)
        codes.add(refused.value.code())
    assert codes <= {grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.UNIMPLEMENTED}
    assert grpc.StatusCode.UNAUTHENTICATED in codes

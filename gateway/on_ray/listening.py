"""Keeps a replica's own port on this machine, where its Ray is this machine's own."""

from ray.serve._private import replica

from gateway.ray_settings import RaySettings

HERE = "127.0.0.1:0"


def listen_here(settings: RaySettings) -> None:
    """Has the replica of this process listen on 127.0.0.1, when its Ray is one that nobody else joins.

    Ray has it listen on every interface, after the deployment was made, and has no setting for that. Where another
    version of it has no such place either, the replica does not start.
    """
    if settings.address:
        return
    listen = replica.add_port_to_grpc_server
    replica.add_port_to_grpc_server = lambda server, _: listen(server, HERE)

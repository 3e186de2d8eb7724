"""Bad ways to a PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import make_url

from tests.slow_proxy import SlowProxy, slow_port


@contextmanager
def way_to(url: str) -> Iterator[tuple[SlowProxy, str]]:
    """Gives a proxy before a server on a unix socket, and the database's address through it."""
    real = make_url(url)
    with slow_port(f"{real.query['host']}/.s.PGSQL.5432") as (proxy, port):
        through = real.set(host="127.0.0.1", port=port, query={"sslmode": "disable", "gssencmode": "disable"})
        yield proxy, through.render_as_string(hide_password=False)

"""Connections to PostgreSQL that do not wait for ever: a server that stands still, or a way to it that swallows all."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, event


def bound_waits(engine: Engine, seconds: float) -> None:
    """Lets no wait of the engine's connections take longer; one that does ends its connection.

    The server's own limits (`statement_timeout` and the like) hold as long as it runs and is heard, and the system's
    (`keepalives`, `tcp_user_timeout`) until something between the two takes the packets.
    """
    made: list[type[Any]] = []

    @event.listens_for(engine, "do_connect")
    def connect(dialect: Any, _record: object, arguments: list[Any], options: dict[str, Any]) -> Any:
        if not made:
            made.append(_bounded(dialect.loaded_dbapi, seconds))
        return made[0].connect(*arguments, **options)


def _bounded(driver: Any, seconds: float) -> type[Any]:
    late: Any = driver.errors._WaitTimeout  # noqa: SLF001 - what `wait` is documented to raise has no other name

    class Bounded(driver.Connection):  # type: ignore[misc]  # psycopg is an extra: Any where it is missing
        """A connection whose every wait has an end."""

        def wait(self, gen: Any, *given: Any, timeout: float | None = None, **more: Any) -> Any:
            """Waits for what the server says, at most so long as the caller of the engine said."""
            wait: Callable[..., Any] = super().wait
            if timeout is not None:
                return wait(gen, *given, timeout=timeout, **more)
            try:
                return wait(gen, *given, timeout=seconds, **more)
            except late as error:
                self.pgconn.finish()  # nobody knows what it would answer to
                raise driver.OperationalError(f"the server did not answer within {seconds:g} s") from error

    return Bounded

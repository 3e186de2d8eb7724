"""Settings of how much may be asked for, and of what gives way first."""

from typing import Annotated

from msgspec import Meta

from gateway.sections import Section


class LimitSettings(Section, frozen=True):
    """How much one request and one credential may ask for."""

    deadline_s: Annotated[float, Meta(gt=0, le=600)] = 30.0
    """Seconds from a request's arrival to its answer, all stages together. A caller may shorten it."""

    concurrent: Annotated[int, Meta(ge=0, le=100000)] = 0
    """Questions in work at once, those that wait for the model not counted; 0 means one for each core. More
    of them only make each other slower, unless rails or a database keep them waiting: then raise it."""

    waiting: Annotated[int, Meta(ge=0, le=100000)] = 32
    """Questions that may wait for one of these places, as long as there is no pressure (`queue_target_s`) and for
    `queue_s` at most; one more gets 503 with Retry-After before its body is read."""

    admin_concurrent: Annotated[int, Meta(ge=1, le=100000)] = 16
    """Requests of the admin pages and the admin REST in work at once: apart, so that neither holds up the other."""

    admin_waiting: Annotated[int, Meta(ge=0, le=100000)] = 64
    """Of them that may wait for a place."""

    queue_s: Annotated[float, Meta(gt=0, le=60)] = 2.0
    """Longest wait for a place; then 503."""

    queue_target_s: Annotated[float, Meta(gt=0, le=60)] = 0.02
    """Wait that is fine. While even the shortest is longer and the line does not get shorter, for 300 ms, the model is
    skipped, approved fallbacks are given and the line is short; when that does not help, or the wait is four times as
    long, nobody waits any more. Within 32 seconds of such a stage 100 ms are enough for the next one."""

    model_target_s: Annotated[float, Meta(gt=0, le=60)] = 1.0
    """Wait for the model that is fine. While even the shortest is longer, only a free place in its batch is taken, and
    everybody else gets the approved fallback."""

    model_wait_s: Annotated[float, Meta(gt=0, le=600)] = 5.0
    """Longest wait for the model; then the approved fallback."""

    store: Annotated[
        str,
        Meta(
            pattern=r"^(auto|memory|database|(redis|rediss|unix)://.+)\Z",
            description="auto, memory, database, or an address such as redis://valkey.internal:6379/0",
        ),
    ] = "auto"
    """Where rates are counted: `memory`, each gateway for itself; `database`, in the PostgreSQL that gateways share; or
    a Redis or Valkey, such as `redis://valkey.internal:6379/0` (`make setup` and the image have its client). `auto` is
    `database` with PostgreSQL and `memory` with SQLite. While it does not answer, each gateway lets in its share."""

    store_s: Annotated[float, Meta(gt=0, le=60)] = 0.25
    """Longest wait for that store; then the gateway counts this request itself. When whoever asks after that waits in
    vain too, or the store fails, its share of what is left is what a gateway goes by, for a second at least."""

    requests_per_minute: Annotated[int, Meta(ge=1)] = 600
    """Requests a minute for one API key. They may come at once; after that one is free each 60th of that rate."""

    rate_classes: dict[str, Annotated[int, Meta(ge=1)]] = {}  # noqa: RUF012 -- msgspec copies an empty default
    """Other rates that keys may be given by name, in requests a minute: `rate_classes = { scan = 6000 }`. A key whose
    rate is no longer here has the one above. Widget clients have rates of their own, by session, address and origin."""

    assistant_requests_per_minute: Annotated[int, Meta(ge=0)] = 0
    """Questions a minute to one assistant, from everybody together; 0 means no such limit."""

    address_requests_per_minute: Annotated[int, Meta(ge=1)] = 6000
    """Requests a minute from one address (of IPv6 one network) before anything is looked up: calls of the widget, and
    of programs whose key was not seen within the last second."""

    visitor_requests_per_minute: Annotated[int, Meta(ge=1)] = 60
    """Requests a minute from the try-it form, all visitors together."""

    assistant_tokens_per_day: dict[str, Annotated[int, Meta(ge=1)]] = {}  # noqa: RUF012 -- as above
    """Tokens of the model that an assistant may use in a day (UTC), by its name: `{ helpdesk = 200000 }`. Keys have
    budgets of their own (`canongate key create --tokens-per-day`)."""

    body_bytes: Annotated[int, Meta(ge=1024, le=10485760)] = 65536
    """Largest request body; `/v1/checks` takes 512 kB, as much as its characters may need."""

    import_mib: Annotated[int, Meta(ge=1, le=65536)] = 2048
    """Largest file of rows that an import over REST takes, in MiB; it lies in the data folder meanwhile."""

    receive_s: Annotated[float, Meta(gt=0, le=600)] = 10.0
    """Seconds in which a request must have arrived, headers and body; a large one may take longer while it comes
    with at least 16 KiB a second."""

    send_s: Annotated[float, Meta(gt=0, le=600)] = 15.0
    """Seconds in which a client must have taken something of what waits for it; else its connection ends. A stream that
    has nothing to say waits for nobody. When the gateway shuts down, 2 seconds at most."""

    header_bytes: Annotated[int, Meta(ge=4096, le=1048576)] = 65536
    """Largest request line and headers together."""

    match_s: Annotated[float, Meta(gt=0, le=60)] = 3.0
    """Seconds that embedding and matching of one message may take."""

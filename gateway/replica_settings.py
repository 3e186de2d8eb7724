"""Settings of several gateways on one database."""

from typing import Annotated

from msgspec import Meta

from gateway.sections import Section


class ReplicaSettings(Section, frozen=True):
    """How long a gateway answers without being sure that what it serves is what is published."""

    unconfirmed_s: Annotated[float, Meta(ge=2, le=86400)] = 30.0
    """Seconds that it goes on while the database does not say which revision is published. Then it answers 503 until
    the database says so again. It does not let anybody in longer: an API key or a widget's session counts for a second
    after the database confirmed it, so that one that was revoked ends in every gateway. A second after the database is
    gone, callers get 503 `store_unavailable` with Retry-After, whatever is set here. This bound is for a gateway that
    gets no word of revisions though it can look keys up, and for the try-it form, which needs no key."""

    superseded_s: Annotated[float, Meta(ge=0, le=86400)] = 0.0
    """Seconds that it goes on with a revision while the next one is made ready. Then it answers 503 until that serves.
    0 goes on for as long as it takes: some seconds as a rule, and until somebody mends it when it cannot be made. With
    2 no gateway gives an answer that was taken back more than two seconds ago."""

    gateways: Annotated[int, Meta(ge=1, le=1000)] = 2
    """How many gateways share rates, at most. While `limits.store` does not answer, each lets in that part of them."""

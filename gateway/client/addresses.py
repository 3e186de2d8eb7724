"""Where a client sends its calls, as whom, and to which assistant."""

DEFAULT_TIMEOUT_S = 30.0


def address_of(address: str) -> str:
    """Returns the gateway's address, without the `/v1` that OpenAI's clients need."""
    if not address.startswith(("http://", "https://")):
        raise ValueError(f"{address!r} is no address of a gateway: begin it with https:// or http://")
    return address.rstrip("/").removesuffix("/v1")


def headers_of(key: str) -> dict[str, str]:
    """Returns what goes with every call."""
    if not (key.isascii() and key.isprintable() and key):
        raise ValueError("the key is empty, or holds a character that no key has, such as a line break")
    return {"authorization": f"Bearer {key}", "user-agent": "canongate-python/0.1.0"}


def assistant_for(named: str | None, usual: str | None) -> str:
    """Returns whom to ask. Raises `ValueError` when neither the call nor the client names anybody."""
    found = named or usual
    if found is None:
        raise ValueError("no assistant: name one in the call or for the client; `models()` lists them")
    return found

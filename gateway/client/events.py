"""The events of an answer on its way: read from bytes however they arrive, given as typed values."""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from gateway.client.errors import CanongateError, Disconnected, class_of
from gateway.client.replies import Answer, Envelope, Outcome


class Stage(msgspec.Struct, frozen=True):
    """The gateway began with a step: `checking`, `matching`, `generating` or `verifying`."""

    stage: str


class Sentence(msgspec.Struct, frozen=True):
    """The next words of the answer, checked with everything before them: show them behind those."""

    text: str


class Blocked(msgspec.Struct, frozen=True):
    """The answer did not pass: what was shown of it gives way to the text of `Done`."""

    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Done:
    """The answer as it counts; always the last event."""

    answer: Answer


Event = Stage | Sentence | Blocked | Done


class EventReader:
    """Reads the events of one stream; bytes may be cut anywhere, also within a character."""

    def __init__(self, request_id: str | None) -> None:
        self._request_id = request_id
        self._rest = b""
        self._name = ""
        self._data: list[bytes] = []
        self._is_done = False

    def feed(self, received: bytes) -> Iterator[Event]:
        """Gives the events that are complete with these bytes. Raises the error that the stream tells of."""
        *lines, self._rest = (self._rest + received).split(b"\n")
        for line in lines:
            if found := self._line(line.removesuffix(b"\r")):
                self._is_done |= isinstance(found, Done)
                yield found

    def end(self) -> None:
        """Is told that nothing more comes. Raises `Disconnected` when the answer had not come."""
        if not self._is_done:
            words = "The stream broke before the answer was complete."
            raise Disconnected(words, code="stream_broken", request_id=self._request_id, may_retry=True)

    def _line(self, line: bytes) -> Event | None:
        if not line:
            name, data = self._name, b"\n".join(self._data)
            self._name, self._data = "", []
            return self._event(name, data) if data else None
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"event":
            self._name = value.decode(errors="replace")
        elif field == b"data":
            self._data.append(value)
        return None

    def _event(self, name: str, data: bytes) -> Event | None:
        """Returns the event; one that this client does not know is skipped."""
        try:
            match name:
                case "stage":
                    return msgspec.json.decode(data, type=Stage)
                case "sentence":
                    return msgspec.json.decode(data, type=Sentence)
                case "blocked":
                    return msgspec.json.decode(data, type=Blocked)
                case "done":
                    return Done(msgspec.json.decode(data, type=Answer))
                case "error":
                    raise self._error(msgspec.json.decode(data, type=Envelope))
                case _:
                    return None
        except msgspec.DecodeError as error:
            words = "The stream is none of this gateway's."
            raise Disconnected(words, code="unreadable_reply", request_id=self._request_id) from error

    def _error(self, told: Envelope) -> CanongateError:
        error = told.error
        kind = class_of(error.type, None)
        return kind(error.message, code=error.code or "unknown", param=error.param, request_id=self._request_id)

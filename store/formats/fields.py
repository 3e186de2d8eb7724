"""Takes fields out of records with their types checked, keeps the rest aside, and puts both together again."""

from collections.abc import Mapping

from store.formats.rows import BadRow, Json, Kept, Record

_KINDS: Mapping[type, str] = {
    type(None): "null",
    bool: "a truth value",
    int: "a number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "an object",
}


class Fields:
    """The fields of one record; what nobody takes is kept aside."""

    def __init__(self, value: Json, format_name: str, *, where: str = "") -> None:
        if not isinstance(value, dict):
            raise BadRow(f"{where or 'the row'}: {kind_of(value)} where an object belongs")
        self.record: Record = value
        self._format = format_name
        self._where = f"{where}." if where else ""
        self._taken: set[str] = set()

    def text(self, name: str, *, is_needed: bool = False) -> str:
        """Takes a text; a missing one, or null, is empty unless it is needed. Raises `BadRow`."""
        value = self.record.get(name)
        if value is None:
            if is_needed:
                raise BadRow(f"{self._where}{name}: {'null' if name in self.record else 'it is missing'}")
            return ""
        if not isinstance(value, str):
            raise BadRow(f"{self._where}{name}: {kind_of(value)} where text belongs")
        self._taken.add(name)
        return value

    def listed(self, name: str) -> list[Json]:
        """Takes a list that must be there. Raises `BadRow`."""
        value = self.record.get(name)
        if not isinstance(value, list):
            told = kind_of(value) if name in self.record else "nothing"
            raise BadRow(f"{self._where}{name}: {told} where a list belongs")
        self._taken.add(name)
        return value

    def take(self, name: str) -> Json:
        """Takes a value of any type, None where there is none."""
        self._taken.add(name)
        return self.record.get(name)

    def leave(self, name: str) -> None:
        """Keeps a field aside after all: its spelling says more than the common form."""
        self._taken.discard(name)

    def kept(self) -> Kept:
        """Returns what is kept aside, with the order of all names."""
        rest = {name: value for name, value in self.record.items() if name not in self._taken}
        return Kept(self._format, tuple(self.record), rest)


def together(kept: Kept, format_name: str, told: Record, *, always: tuple[str, ...] = ()) -> Record:
    """Returns a record: as it came where it came in this format, else what the common form tells.

    Names in `always` are written even where the record that came did not have them.
    """
    if kept.format != format_name:
        return told
    record = {name: kept.values[name] if name in kept.values else told[name] for name in kept.names}
    return record | {name: told[name] for name in always if name in told and name not in record}


def kind_of(value: Json) -> str:
    """Returns what a value is, in words."""
    return _KINDS[type(value)]

"""Applications for tests: made once, and lent to one test after another, each with components of its own.

To register some 300 routes takes a quarter of a second, which is more than what most tests do with them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from litestar import Litestar

from gateway.app import create_app
from gateway.components import Components


@dataclass(slots=True)
class _Place:
    """Whose components an application works with at the moment, and what it was made from."""

    components: Components | None
    is_making: bool = True
    read: dict[tuple[str, ...], Any] = field(default_factory=dict)

    def found(self, names: tuple[str, ...]) -> Any:
        found: Any = self.components
        for name in names:
            found = getattr(found, name)
        return found

    def fits(self, components: Components) -> bool:
        """Whether the application would be the same, had it been made from these."""
        other = _Place(components)
        return all(_kind(other.found(names)) == kind for names, kind in self.read.items())


class _Later:
    """Stands for a part of the components: what the application keeps of it is looked up again at each use."""

    __slots__ = ("_names", "_place")

    def __init__(self, place: _Place, names: tuple[str, ...]) -> None:
        self._place = place
        self._names = names

    def __getattr__(self, name: str) -> Any:
        names = (*self._names, name)
        found = self._place.found(names)
        if not self._place.is_making:
            return found
        self._place.read[names] = kind = _kind(found)
        return _Later(self._place, names) if isinstance(kind, type) else found


class Lending:
    """The applications of a process that nobody uses at the moment."""

    def __init__(self, make: Callable[..., Litestar] = create_app) -> None:
        self._make = make
        self._free: list[tuple[Litestar, _Place]] = []
        self._lent: dict[int, tuple[Litestar, _Place, int]] = {}

    def lend(self, components: Components) -> Litestar:
        """Gives an application with these components, as `create_app` makes it, to be given back."""
        at = next((at for at, (_, place) in enumerate(self._free) if place.fits(components)), None)
        app, place = self._made(components) if at is None else self._free.pop(at)
        place.components = components
        self._lent[id(app)] = (app, place, len(app.routes))
        return app

    def give_back(self, app: Litestar) -> None:
        """Takes the components out of it. One to which a test added routes is not lent again."""
        _, place, routes = self._lent.pop(id(app))
        place.components = None
        if len(app.routes) == routes:
            self._free.append((app, place))

    def _made(self, components: Components) -> tuple[Litestar, _Place]:
        place = _Place(components)
        app = self._make(cast("Components", _Later(place, ())), current=lambda: place.found(()))
        place.is_making = False
        return app, place


def _kind(found: Any) -> Any:
    """What has to be the same for another to take its place: a plain value, or the type of a part."""
    return found if found is None or isinstance(found, bool | int | float | str) else type(found)


LENDING = Lending()

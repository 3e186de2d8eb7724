"""Everything that the admin surface answers to, gathered from its files."""

from litestar.handlers import HTTPRouteHandler

from gateway.http.admin.whoami import WHOAMI_OPERATIONS, whoami
from gateway.http.described import Described

ADMIN_HANDLERS: tuple[HTTPRouteHandler, ...] = (whoami,)

ADMIN_OPERATIONS: tuple[Described, ...] = (*WHOAMI_OPERATIONS,)

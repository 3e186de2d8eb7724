"""Everything that the admin surface answers to, gathered from its files."""

from litestar.handlers import HTTPRouteHandler

from gateway.http.admin.questions import QUESTION_HANDLERS, QUESTION_OPERATIONS
from gateway.http.admin.suggestions import SUGGESTION_HANDLERS, SUGGESTION_OPERATIONS
from gateway.http.admin.whoami import WHOAMI_OPERATIONS, whoami
from gateway.http.described import Described

ADMIN_HANDLERS: tuple[HTTPRouteHandler, ...] = (whoami, *QUESTION_HANDLERS, *SUGGESTION_HANDLERS)

ADMIN_OPERATIONS: tuple[Described, ...] = (*WHOAMI_OPERATIONS, *QUESTION_OPERATIONS, *SUGGESTION_OPERATIONS)

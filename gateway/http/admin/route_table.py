"""Who may call which admin operation: the one table; what is not in it is closed, and does not even start."""

from collections.abc import Mapping
from typing import Final

from store.people import Role

ANYBODY: Final = frozenset(Role)
"""Whoever has signed in, with any role."""
READERS: Final = frozenset({Role.VIEWER, Role.EDITOR, Role.APPROVER, Role.AUDITOR, Role.ADMIN})
EDITORS: Final = frozenset({Role.EDITOR, Role.ADMIN})
APPROVERS: Final = frozenset({Role.APPROVER, Role.ADMIN})
AUDITORS: Final = frozenset({Role.AUDITOR, Role.ADMIN})
ADMINS: Final = frozenset({Role.ADMIN})

ROUTES: Final[Mapping[str, frozenset[Role]]] = {
    "GET /v1/admin/question-actions": READERS,
    "POST /v1/admin/question-actions": EDITORS,
    "POST /v1/admin/question-actions/{action:str}/undo": EDITORS,
    "GET /v1/admin/question-clusters": READERS,
    "GET /v1/admin/question-clusters/{cluster:str}": READERS,
    "GET /v1/admin/question-clusters/{cluster:str}/prospects": READERS,
    "GET /v1/admin/question-figures": READERS,
    "GET /v1/admin/questions": READERS,
    "GET /v1/admin/questions/{question:str}": READERS,
    "GET /v1/admin/questions/{question:str}/prospects": READERS,
    "POST /v1/admin/suggestion-jobs": EDITORS,
    "GET /v1/admin/suggestion-jobs/{job:str}": READERS,
    "DELETE /v1/admin/suggestion-jobs/{job:str}": EDITORS,
    "GET /v1/admin/suggestions": READERS,
    "GET /v1/admin/suggestions/{suggestion:str}": READERS,
    "POST /v1/admin/suggestions/{suggestion:str}/accept": EDITORS,
    "POST /v1/admin/suggestions/{suggestion:str}/decline": EDITORS,
    "GET /v1/admin/whoami": ANYBODY,
    "GET /v1/admin/audit": AUDITORS,
    "GET /v1/admin/audit/verification": AUDITORS,
    "GET /v1/admin/decisions": READERS,
    "GET /v1/admin/decisions/export": AUDITORS,
    "GET /v1/admin/decisions/{decision_id:str}": READERS,
    "POST /v1/admin/decisions/{decision_id:str}/reveal": AUDITORS,
    "POST /v1/admin/purges": ADMINS,
}
"""Method and path template, to the roles any one of which opens it. A service may demand more, such as an area."""

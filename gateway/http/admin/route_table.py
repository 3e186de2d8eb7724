"""Who may call which admin operation: the one table; what is not in it is closed, and does not even start."""

from collections.abc import Mapping
from typing import Final

from store.people import Role

ANYBODY: Final = frozenset(Role)
"""Whoever has signed in, with any role."""
READERS: Final = frozenset({Role.VIEWER, Role.EDITOR, Role.APPROVER, Role.AUDITOR, Role.ADMIN})
EDITORS: Final = frozenset({Role.EDITOR, Role.ADMIN})
APPROVERS: Final = frozenset({Role.APPROVER})
"""Who approves and publishes what others edited; an admin needs this role as well."""
MAKERS: Final = frozenset({Role.EDITOR, Role.APPROVER, Role.ADMIN})
"""Who has a part in changes, on either side."""
KEEPERS: Final = frozenset({Role.ADMIN, Role.AUDITOR})
"""Who may look at people and keys."""
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
    "GET /v1/admin/session": ANYBODY,
    "DELETE /v1/admin/session": ANYBODY,
    "GET /v1/admin/sessions": ANYBODY,
    "DELETE /v1/admin/sessions/{session_id:str}": ANYBODY,
    "GET /v1/admin/profile": ANYBODY,
    "PATCH /v1/admin/profile": ANYBODY,
    "POST /v1/admin/profile/password": ANYBODY,
    "POST /v1/admin/profile/totp": ANYBODY,
    "POST /v1/admin/profile/totp/confirm": ANYBODY,
    "POST /v1/admin/profile/totp/disable": ANYBODY,
    "GET /v1/admin/users": KEEPERS,
    "POST /v1/admin/users": ADMINS,
    "GET /v1/admin/users/{user_id:str}": KEEPERS,
    "PUT /v1/admin/users/{user_id:str}/grants": ADMINS,
    "POST /v1/admin/users/{user_id:str}/disable": ADMINS,
    "POST /v1/admin/users/{user_id:str}/enable": ADMINS,
    "POST /v1/admin/users/{user_id:str}/reset-password": ADMINS,
    "POST /v1/admin/users/{user_id:str}/reset-totp": ADMINS,
    "GET /v1/admin/keys": KEEPERS,
    "POST /v1/admin/keys": ADMINS,
    "GET /v1/admin/keys/{key_id:str}": KEEPERS,
    "POST /v1/admin/keys/{key_id:str}/rotate": ADMINS,
    "POST /v1/admin/keys/{key_id:str}/revoke": ADMINS,
    "GET /v1/admin/widget-clients": KEEPERS,
    "POST /v1/admin/widget-clients": ADMINS,
    "GET /v1/admin/widget-clients/{client_id:str}": KEEPERS,
    "PATCH /v1/admin/widget-clients/{client_id:str}": ADMINS,
    "POST /v1/admin/widget-clients/{client_id:str}/rotate-secret": ADMINS,
    "POST /v1/admin/widget-clients/{client_id:str}/disable": ADMINS,
    "POST /v1/admin/widget-clients/{client_id:str}/enable": ADMINS,
    "POST /v1/admin/imports": EDITORS,
    "GET /v1/admin/imports/{import_id:str}": READERS,
    "GET /v1/admin/imports/{import_id:str}/drafts": READERS,
    "GET /v1/admin/imports/{import_id:str}/questions": READERS,
    "GET /v1/admin/imports/{import_id:str}/rejected": READERS,
    "GET /v1/admin/exports/{format_name:str}": READERS,
    "GET /v1/admin/feedback": READERS,
    "GET /v1/admin/feedback/rates": READERS,
    "GET /v1/admin/feedback/pairing": READERS,
    "GET /v1/admin/feedback/exports/{format_name:str}": AUDITORS,
    "GET /v1/admin/changes": READERS,
    "POST /v1/admin/changes": EDITORS,
    "GET /v1/admin/changes/{change_id:str}": READERS,
    "PATCH /v1/admin/changes/{change_id:str}": EDITORS,
    "GET /v1/admin/changes/{change_id:str}/edits": READERS,
    "GET /v1/admin/changes/{change_id:str}/edits/{kind:str}/{name:str}": READERS,
    "PUT /v1/admin/changes/{change_id:str}/edits/{kind:str}/{name:str}": EDITORS,
    "DELETE /v1/admin/changes/{change_id:str}/edits/{kind:str}/{name:str}": EDITORS,
    "POST /v1/admin/changes/{change_id:str}/comments": MAKERS,
    "POST /v1/admin/changes/{change_id:str}/submit": MAKERS,
    "POST /v1/admin/changes/{change_id:str}/approve": APPROVERS,
    "POST /v1/admin/changes/{change_id:str}/request-changes": APPROVERS,
    "POST /v1/admin/changes/{change_id:str}/reject": APPROVERS,
    "POST /v1/admin/changes/{change_id:str}/withdraw": MAKERS,
    "POST /v1/admin/changes/{change_id:str}/publish": APPROVERS,
    "POST /v1/admin/changes/{change_id:str}/emergency-publish": ADMINS,
    "POST /v1/admin/changes/{change_id:str}/schedule": APPROVERS,
    "POST /v1/admin/changes/{change_id:str}/unschedule": MAKERS,
    "POST /v1/admin/changes/{change_id:str}/rebase": EDITORS,
    "POST /v1/admin/changes/{change_id:str}/revert": MAKERS,
    "POST /v1/admin/changes/{change_id:str}/take-back": APPROVERS,
    "POST /v1/admin/changes/{change_id:str}/gate-runs": MAKERS,
    "GET /v1/admin/changes/{change_id:str}/gate-runs": READERS,
    "GET /v1/admin/changes/{change_id:str}/gate-runs/{run_id:str}": READERS,
    "GET /v1/admin/prompts": READERS,
    "POST /v1/admin/prompts": EDITORS,
    "GET /v1/admin/prompts/{prompt_key:str}": READERS,
    "PUT /v1/admin/prompts/{prompt_key:str}": EDITORS,
    "DELETE /v1/admin/prompts/{prompt_key:str}": EDITORS,
    "GET /v1/admin/prompts/{prompt_key:str}/versions": READERS,
    "GET /v1/admin/prompts/{prompt_key:str}/versions/{number:str}": READERS,
    "GET /v1/admin/assistants": READERS,
    "POST /v1/admin/assistants": EDITORS,
    "GET /v1/admin/assistants/{assistant_name:str}": READERS,
    "PUT /v1/admin/assistants/{assistant_name:str}": EDITORS,
    "DELETE /v1/admin/assistants/{assistant_name:str}": EDITORS,
    "GET /v1/admin/assistants/{assistant_name:str}/versions": READERS,
    "GET /v1/admin/assistants/{assistant_name:str}/versions/{number:str}": READERS,
    "GET /v1/admin/policies": READERS,
    "POST /v1/admin/policies": EDITORS,
    "GET /v1/admin/policies/{policy_name:str}": READERS,
    "PUT /v1/admin/policies/{policy_name:str}": EDITORS,
    "DELETE /v1/admin/policies/{policy_name:str}": EDITORS,
    "GET /v1/admin/policies/{policy_name:str}/versions": READERS,
    "GET /v1/admin/policies/{policy_name:str}/versions/{number:str}": READERS,
    "GET /v1/admin/suites": READERS,
    "POST /v1/admin/suites": EDITORS,
    "GET /v1/admin/suites/{suite_name:str}": READERS,
    "PUT /v1/admin/suites/{suite_name:str}": EDITORS,
    "DELETE /v1/admin/suites/{suite_name:str}": EDITORS,
    "GET /v1/admin/suites/{suite_name:str}/versions": READERS,
    "GET /v1/admin/suites/{suite_name:str}/versions/{number:str}": READERS,
    "GET /v1/admin/beginning": KEEPERS,
    "POST /v1/admin/beginning": ADMINS,
    "GET /v1/admin/revisions": READERS,
    "GET /v1/admin/revisions/{revision:str}": READERS,
}
"""Method and path template, to the roles any one of which opens it. A service may demand more, such as an area."""

OPEN_ROUTES: Final = frozenset(
    {
        "POST /v1/admin/session",
        "POST /v1/admin/setup",
        "GET /v1/admin/oidc",
        "GET /v1/admin/oidc/start",
        "GET /v1/admin/oidc/callback",
    }
)
"""Operations that ask for no credential: with them people get one. None of them is in `ROUTES`."""

PERSONAL_ROUTES: Final = frozenset(
    {
        "GET /v1/admin/session",
        "DELETE /v1/admin/session",
        "GET /v1/admin/sessions",
        "DELETE /v1/admin/sessions/{session_id:str}",
        "GET /v1/admin/profile",
        "PATCH /v1/admin/profile",
        "POST /v1/admin/profile/password",
        "POST /v1/admin/profile/totp",
        "POST /v1/admin/profile/totp/confirm",
        "POST /v1/admin/profile/totp/disable",
    }
)
"""Of `ROUTES`, those for somebody who signed in with a session: an API key has no account of its own."""

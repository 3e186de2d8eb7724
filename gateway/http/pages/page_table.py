"""Who may open which page: the one table; a page that is not in it does not even start."""

from collections.abc import Mapping
from typing import Final

from store.people import Role

ANYBODY: Final = frozenset(Role)
"""Whoever has signed in, with any role."""
KEEPERS: Final = frozenset({Role.ADMIN, Role.AUDITOR})
ADMINS: Final = frozenset({Role.ADMIN})
EDITORS: Final = frozenset({Role.EDITOR, Role.ADMIN})
"""Who drafts changes."""
MAKERS: Final = frozenset({Role.EDITOR, Role.APPROVER, Role.ADMIN})
"""Who has a part in changes, on either side."""
SEERS_OF_IMPORTS: Final = EDITORS | KEEPERS
"""Who sends files, and who sees everybody's."""

PAGES: Final[Mapping[str, frozenset[Role]]] = {
    "GET /admin": ANYBODY,
    "POST /admin/begin": ADMINS,
    "POST /admin/begin/bundle": ADMINS,
    "GET /admin/waiting": ANYBODY,
    "POST /admin/here": EDITORS,
    "GET /admin/playground": ANYBODY,
    "POST /admin/playground": ANYBODY,
    "GET /admin/assistants": ANYBODY,
    "GET /admin/assistants/new": EDITORS,
    "POST /admin/assistants/new": EDITORS,
    "GET /admin/assistants/{assistant_name:str}": ANYBODY,
    "GET /admin/assistants/{assistant_name:str}/edit": EDITORS,
    "POST /admin/assistants/{assistant_name:str}/edit": EDITORS,
    "GET /admin/assistants/{assistant_name:str}/versions": ANYBODY,
    "POST /admin/assistants/{assistant_name:str}/versions/{number:str}/restore": EDITORS,
    "GET /admin/assistants/{assistant_name:str}/remove": EDITORS,
    "POST /admin/assistants/{assistant_name:str}/remove": EDITORS,
    "GET /admin/rails": ANYBODY,
    "GET /admin/rails/{policy_name:str}": ANYBODY,
    "POST /admin/rails/{policy_name:str}/try": MAKERS,
    "GET /admin/rails/{policy_name:str}/code": ANYBODY,
    "POST /admin/rails/{policy_name:str}/code": EDITORS,
    "POST /admin/rails/{policy_name:str}/code/check": EDITORS,
    "GET /admin/rails/{policy_name:str}/form": ANYBODY,
    "POST /admin/rails/{policy_name:str}/form": EDITORS,
    "POST /admin/rails/{policy_name:str}/form/check": EDITORS,
    "GET /admin/prompts": ANYBODY,
    "GET /admin/prompts/found": ANYBODY,
    "GET /admin/prompts/new": EDITORS,
    "POST /admin/prompts/new": EDITORS,
    "POST /admin/prompts/new/check": EDITORS,
    "GET /admin/prompts/export": ANYBODY,
    "GET /admin/prompts/selected": ANYBODY,
    "POST /admin/prompts/selected": EDITORS,
    "GET /admin/prompts/import": EDITORS,
    "POST /admin/prompts/import": EDITORS,
    "GET /admin/prompts/import/export": EDITORS,
    "GET /admin/prompts/imports/{import_id:str}": SEERS_OF_IMPORTS,
    "POST /admin/prompts/imports/{import_id:str}": EDITORS,
    "GET /admin/prompts/imports/{import_id:str}/export": SEERS_OF_IMPORTS,
    "GET /admin/prompts/{prompt_key:str}": ANYBODY,
    "GET /admin/prompts/{prompt_key:str}/edit": EDITORS,
    "POST /admin/prompts/{prompt_key:str}/edit": EDITORS,
    "POST /admin/prompts/{prompt_key:str}/check": EDITORS,
    "GET /admin/prompts/{prompt_key:str}/preview": ANYBODY,
    "POST /admin/prompts/{prompt_key:str}/preview": ANYBODY,
    "GET /admin/prompts/{prompt_key:str}/versions": ANYBODY,
    "POST /admin/prompts/{prompt_key:str}/versions/{number:str}/restore": EDITORS,
    "GET /admin/prompts/{prompt_key:str}/remove": EDITORS,
    "POST /admin/prompts/{prompt_key:str}/remove": EDITORS,
    "GET /admin/changes": ANYBODY,
    "GET /admin/changes/{change_id:str}": ANYBODY,
    "POST /admin/changes/{change_id:str}/comment": MAKERS,
    "POST /admin/changes/{change_id:str}/describe": EDITORS,
    "POST /admin/changes/{change_id:str}/take-out": EDITORS,
    "GET /admin/changes/{change_id:str}/steps/{step:str}": MAKERS,
    "POST /admin/changes/{change_id:str}/steps/{step:str}": MAKERS,
    "GET /admin/changes/{change_id:str}/gate": ANYBODY,
    "POST /admin/changes/{change_id:str}/gate": MAKERS,
    "GET /admin/changes/{change_id:str}/rebase": EDITORS,
    "POST /admin/changes/{change_id:str}/rebase": EDITORS,
    "GET /admin/requests": ANYBODY,
    "GET /admin/requests/{decision_id:str}": ANYBODY,
    "POST /admin/requests/{decision_id:str}/reveal": KEEPERS,
    "GET /admin/analytics": ANYBODY,
    "GET /admin/unmatched": ANYBODY,
    "GET /admin/unmatched/clusters/{cluster:str}": ANYBODY,
    "POST /admin/unmatched/clusters/{cluster:str}/act": EDITORS,
    "GET /admin/unmatched/actions": ANYBODY,
    "POST /admin/unmatched/actions/{action:str}/undo": EDITORS,
    "GET /admin/suites": ANYBODY,
    "GET /admin/suites/new": EDITORS,
    "POST /admin/suites/new": EDITORS,
    "GET /admin/suites/{suite_name:str}": ANYBODY,
    "GET /admin/suites/{suite_name:str}/case": EDITORS,
    "POST /admin/suites/{suite_name:str}/case": EDITORS,
    "POST /admin/suites/{suite_name:str}/run": EDITORS,
    "GET /admin/feedback": ANYBODY,
    "GET /admin/feedback/rates": ANYBODY,
    "GET /admin/feedback/export": KEEPERS,
    "GET /admin/keys": KEEPERS,
    "GET /admin/keys/new": ADMINS,
    "POST /admin/keys/new": ADMINS,
    "GET /admin/keys/{key_id:str}": KEEPERS,
    "POST /admin/keys/{key_id:str}/rotate": ADMINS,
    "POST /admin/keys/{key_id:str}/revoke": ADMINS,
    "GET /admin/widget": KEEPERS,
    "GET /admin/widget/new": ADMINS,
    "POST /admin/widget/new": ADMINS,
    "GET /admin/widget/{client_id:str}": KEEPERS,
    "GET /admin/widget/{client_id:str}/edit": ADMINS,
    "POST /admin/widget/{client_id:str}/edit": ADMINS,
    "POST /admin/widget/{client_id:str}/rotate": ADMINS,
    "POST /admin/widget/{client_id:str}/disable": ADMINS,
    "POST /admin/widget/{client_id:str}/enable": ADMINS,
    "GET /admin/people": KEEPERS,
    "GET /admin/people/new": ADMINS,
    "POST /admin/people/new": ADMINS,
    "GET /admin/people/{user_id:str}": KEEPERS,
    "POST /admin/people/{user_id:str}/grants": ADMINS,
    "POST /admin/people/{user_id:str}/disable": ADMINS,
    "POST /admin/people/{user_id:str}/enable": ADMINS,
    "POST /admin/people/{user_id:str}/sessions/end": ADMINS,
    "POST /admin/people/{user_id:str}/reset-password": ADMINS,
    "POST /admin/people/{user_id:str}/reset-totp": ADMINS,
    "GET /admin/audit": KEEPERS,
    "GET /admin/audit/check": KEEPERS,
    "GET /admin/audit/export": KEEPERS,
    "GET /admin/system": KEEPERS,
    "GET /admin/system/export": KEEPERS,
    "GET /admin/profile": ANYBODY,
    "POST /admin/profile/password": ANYBODY,
    "POST /admin/profile/sessions/end": ANYBODY,
    "GET /admin/profile/authenticator": ANYBODY,
    "POST /admin/profile/authenticator": ANYBODY,
    "POST /admin/profile/authenticator/confirm": ANYBODY,
    "POST /admin/profile/authenticator/disable": ANYBODY,
    "POST /admin/sign-out": ANYBODY,
}
"""Method and path template, to the roles any one of which opens it. A service may demand more, such as an area."""

OF_NO_AREA: Final = frozenset(
    name
    for name, roles in PAGES.items()
    if roles == ADMINS and name.partition(" ")[2].startswith(("/admin/keys/", "/admin/widget/"))
)
"""What is offered only to those whose role holds everywhere, because services refuse it to all others."""

NOT_SHOWN: Final = frozenset(name for name in PAGES if name.endswith(("/export", "/found", "/waiting")))
"""Of `PAGES`, those that show nothing: files to be taken along, and what a script asks for."""

OPEN_PAGES: Final = frozenset(
    {
        "GET /admin/sign-in",
        "POST /admin/sign-in",
        "GET /admin/setup",
        "POST /admin/setup",
        "POST /admin/look",
    }
)
"""Pages that ask for no session: with them people get one, or choose how pages look. None of them is in `PAGES`."""

WAITING_PAGES: Final = frozenset(
    {
        "GET /admin/profile/authenticator",
        "POST /admin/profile/authenticator",
        "POST /admin/profile/authenticator/confirm",
        "POST /admin/sign-out",
    }
)
"""Of `PAGES`, those for somebody who must enrol an authenticator before anything else."""

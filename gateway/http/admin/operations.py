"""Everything that the admin surface answers to, gathered from its files."""

from litestar.handlers import HTTPRouteHandler

from gateway.http.admin.assistants import ASSISTANT_HANDLERS, ASSISTANT_OPERATIONS
from gateway.http.admin.audit import AUDIT_OPERATIONS, list_audit_entries, verify_audit_trail
from gateway.http.admin.beginning import BEGINNING_HANDLERS, BEGINNING_OPERATIONS
from gateway.http.admin.change_steps import CHANGE_STEP_HANDLERS, CHANGE_STEP_OPERATIONS
from gateway.http.admin.changes import CHANGE_HANDLERS, CHANGE_OPERATIONS
from gateway.http.admin.decisions import (
    DECISION_OPERATIONS,
    export_decisions,
    get_decision,
    list_decisions,
    reveal_decision,
)
from gateway.http.admin.feedback import FEEDBACK_HANDLERS, FEEDBACK_OPERATIONS
from gateway.http.admin.gate_runs import GATE_RUN_HANDLERS, GATE_RUN_OPERATIONS
from gateway.http.admin.imports import IMPORT_HANDLERS, IMPORT_OPERATIONS
from gateway.http.admin.keys import KEY_OPERATIONS, create_key, get_key, list_keys, revoke_key, rotate_key
from gateway.http.admin.oidc import OIDC_OPERATIONS, finish_oidc, get_provider, start_oidc
from gateway.http.admin.policies import POLICY_HANDLERS, POLICY_OPERATIONS
from gateway.http.admin.profile import (
    PROFILE_OPERATIONS,
    change_password,
    change_profile,
    confirm_totp,
    disable_totp,
    enrol_totp,
    get_profile,
)
from gateway.http.admin.prompts import PROMPT_HANDLERS, PROMPT_OPERATIONS
from gateway.http.admin.purges import PURGE_OPERATIONS, purge_person
from gateway.http.admin.questions import QUESTION_HANDLERS, QUESTION_OPERATIONS
from gateway.http.admin.revisions import REVISION_HANDLERS, REVISION_OPERATIONS
from gateway.http.admin.sign_in import (
    SIGN_IN_OPERATIONS,
    end_session,
    get_session,
    list_sessions,
    set_password,
    sign_in,
    sign_out,
)
from gateway.http.admin.suggestions import SUGGESTION_HANDLERS, SUGGESTION_OPERATIONS
from gateway.http.admin.suites import SUITE_HANDLERS, SUITE_OPERATIONS
from gateway.http.admin.users import (
    USER_OPERATIONS,
    create_user,
    disable_user,
    enable_user,
    get_user,
    give_grants,
    list_users,
    reset_password,
    reset_totp,
)
from gateway.http.admin.whoami import WHOAMI_OPERATIONS, whoami
from gateway.http.admin.widget_clients import WIDGET_CLIENT_HANDLERS, WIDGET_CLIENT_OPERATIONS
from gateway.http.described import Described

ADMIN_HANDLERS: tuple[HTTPRouteHandler, ...] = (
    whoami,
    list_audit_entries,
    verify_audit_trail,
    list_decisions,
    export_decisions,
    get_decision,
    reveal_decision,
    purge_person,
    sign_in,
    get_session,
    sign_out,
    list_sessions,
    end_session,
    set_password,
    get_profile,
    change_profile,
    change_password,
    enrol_totp,
    confirm_totp,
    disable_totp,
    list_users,
    create_user,
    get_user,
    give_grants,
    disable_user,
    enable_user,
    reset_password,
    reset_totp,
    list_keys,
    create_key,
    get_key,
    rotate_key,
    revoke_key,
    get_provider,
    start_oidc,
    finish_oidc,
    *QUESTION_HANDLERS,
    *SUGGESTION_HANDLERS,
    *FEEDBACK_HANDLERS,
    *IMPORT_HANDLERS,
    *CHANGE_HANDLERS,
    *CHANGE_STEP_HANDLERS,
    *GATE_RUN_HANDLERS,
    *PROMPT_HANDLERS,
    *ASSISTANT_HANDLERS,
    *POLICY_HANDLERS,
    *SUITE_HANDLERS,
    *REVISION_HANDLERS,
    *BEGINNING_HANDLERS,
    *WIDGET_CLIENT_HANDLERS,
)

ADMIN_OPERATIONS: tuple[Described, ...] = (
    *WHOAMI_OPERATIONS,
    *AUDIT_OPERATIONS,
    *DECISION_OPERATIONS,
    *PURGE_OPERATIONS,
    *SIGN_IN_OPERATIONS,
    *PROFILE_OPERATIONS,
    *USER_OPERATIONS,
    *KEY_OPERATIONS,
    *OIDC_OPERATIONS,
    *QUESTION_OPERATIONS,
    *SUGGESTION_OPERATIONS,
    *FEEDBACK_OPERATIONS,
    *IMPORT_OPERATIONS,
    *CHANGE_OPERATIONS,
    *CHANGE_STEP_OPERATIONS,
    *GATE_RUN_OPERATIONS,
    *PROMPT_OPERATIONS,
    *ASSISTANT_OPERATIONS,
    *POLICY_OPERATIONS,
    *SUITE_OPERATIONS,
    *REVISION_OPERATIONS,
    *BEGINNING_OPERATIONS,
    *WIDGET_CLIENT_OPERATIONS,
)

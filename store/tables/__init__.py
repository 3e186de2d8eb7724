"""The tables of the database, as SQLAlchemy classes, one file per room of the store."""

from store.tables.access import (
    ApiKeyRow,
    IdentityRow,
    KeptReplyRow,
    KeyFingerprintRow,
    PresenceRow,
    RecoveryCodeRow,
    SessionRow,
    SetupTokenRow,
    SignInAttemptRow,
    UserRow,
)
from store.tables.audit import AuditRow
from store.tables.base import Base, UtcDateTime
from store.tables.changes import (
    ChangeAuthorRow,
    ChangeEditRow,
    ChangeEventRow,
    ChangeRow,
    GateRunRow,
    SuiteRow,
    SuiteRunRow,
)
from store.tables.content import (
    AssistantRow,
    AssistantStateRow,
    PhrasingRow,
    PolicyRow,
    PromptRow,
    PromptVersionRow,
    RevisionRow,
)
from store.tables.decisions import DecisionRow, DecisionTextRow
from store.tables.feedback import FeedbackRow, FeedbackTextRow, ImportRow
from store.tables.rates import RateMarkRow
from store.tables.review import (
    QuestionActionRow,
    QuestionClusterRow,
    QuestionCountRow,
    QuestionRow,
    QuestionSightingRow,
    SuggestionJobRow,
    SuggestionRow,
)
from store.tables.widgets import WidgetClientRow, WidgetSecretRow, WidgetSessionRow, WidgetTurnRow

__all__ = [
    "ApiKeyRow",
    "AssistantRow",
    "AssistantStateRow",
    "AuditRow",
    "Base",
    "ChangeAuthorRow",
    "ChangeEditRow",
    "ChangeEventRow",
    "ChangeRow",
    "DecisionRow",
    "DecisionTextRow",
    "FeedbackRow",
    "FeedbackTextRow",
    "GateRunRow",
    "IdentityRow",
    "ImportRow",
    "KeptReplyRow",
    "KeyFingerprintRow",
    "PhrasingRow",
    "PolicyRow",
    "PresenceRow",
    "PromptRow",
    "PromptVersionRow",
    "QuestionActionRow",
    "QuestionClusterRow",
    "QuestionCountRow",
    "QuestionRow",
    "QuestionSightingRow",
    "RateMarkRow",
    "RecoveryCodeRow",
    "RevisionRow",
    "SessionRow",
    "SetupTokenRow",
    "SignInAttemptRow",
    "SuggestionJobRow",
    "SuggestionRow",
    "SuiteRow",
    "SuiteRunRow",
    "UserRow",
    "UtcDateTime",
    "WidgetClientRow",
    "WidgetSecretRow",
    "WidgetSessionRow",
    "WidgetTurnRow",
]

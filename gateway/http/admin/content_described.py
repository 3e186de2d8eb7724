"""How the routes of a kind of document are described."""

from gateway.http.admin.change_calls import LIST_ERRORS, READ_ERRORS, STEP_ERRORS, WRITE_ERRORS
from gateway.http.admin.change_replies import ChangeReply
from gateway.http.admin.content_bodies import (
    DocumentReply,
    DocumentRequest,
    DocumentsReply,
    OneVersionReply,
    VersionsReply,
)
from gateway.http.admin.content_routes import ContentKind
from gateway.http.described import JSON, Described

_DRAFT = (
    "Nothing goes live: the edit is in the change that `?change=` names, or in one of the caller's, and the reply is "
    "that change. "
)
_IF_MATCH = (
    "If-Match is the document's ETag, as the change has it or, untouched there, as it is live; a 409 has every text "
    "in `found`. "
)


def content_operations(of: ContentKind) -> tuple[Described, ...]:
    """Describes the operations of a kind."""
    one = f"{of.address}/{{{of.parameter}}}"
    named = (of.parameter,)
    return (
        Described(
            of.address,
            "get",
            f"list_{of.path}",
            f"List live {of.path}",
            {JSON: DocumentsReply},
            LIST_ERRORS,
            query=of.queries,
            text="By name. `search` is a part of the name or title, or of a phrasing, in any case.",
        ),
        Described(
            one,
            "get",
            f"get_{of.one}",
            f"Show a live {of.one}, or its draft",
            {JSON: DocumentReply},
            (*READ_ERRORS, 400),
            parameters=named,
            query=("change",),
            text="Its ETag is the hash of the document. `change` shows it as that change would have it.",
        ),
        Described(
            f"{one}/versions",
            "get",
            f"list_{of.one}_versions",
            f"List what was live of a {of.one}",
            {JSON: VersionsReply},
            (*READ_ERRORS, 400),
            parameters=named,
            query=("after", "limit"),
        ),
        Described(
            f"{one}/versions/{{number}}",
            "get",
            f"get_{of.one}_version",
            f"Show what was live of a {of.one}",
            {JSON: OneVersionReply},
            READ_ERRORS,
            parameters=(of.parameter, "number"),
        ),
        Described(
            of.address,
            "post",
            f"create_{of.one}",
            f"Draft a new {of.one}",
            {JSON: ChangeReply},
            WRITE_ERRORS,
            DocumentRequest,
            status=201,
            query=("change",),
            text=_DRAFT,
        ),
        Described(
            one,
            "put",
            f"replace_{of.one}",
            f"Draft a {of.one} in place of the one that is there",
            {JSON: ChangeReply},
            STEP_ERRORS,
            DocumentRequest,
            ("if-match",),
            parameters=named,
            query=("change",),
            text=_DRAFT + _IF_MATCH,
        ),
        Described(
            one,
            "delete",
            f"remove_{of.one}",
            f"Draft the removal of a {of.one}",
            {JSON: ChangeReply},
            STEP_ERRORS,
            None,
            ("if-match",),
            parameters=named,
            query=("change",),
            text=_DRAFT + _IF_MATCH,
        ),
    )

"""Errors of the gateway; `gateway/http/problems.py` is the only table from class to status.

GatewayError
├── InvalidRequest   the caller can fix it: malformed, too long, unknown assistant or parameter
├── NotAllowed       no credential, a wrong one, or one without the needed scope
├── RateLimited      too many requests from this credential, or too many tokens in a day (`BudgetUsed`)
├── NotServing       a part the answer depends on is broken, busy or not loaded; nothing left the gateway
│                    (or nobody waits any more: `DeadlinePassed`)
└── SettingsInvalid  the settings, files or database cannot be served from (`ExtraMissing`: a library is not there)
"""


class GatewayError(Exception):
    """A failure with a stable code and a message that may be shown to the caller."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class InvalidRequest(GatewayError):
    """The request cannot be served as it is; `param` names the field to change."""

    def __init__(self, code: str, message: str, *, param: str | None = None) -> None:
        super().__init__(code, message)
        self.param = param


class NotAllowed(GatewayError):
    """The credential is missing, unknown, expired or lacks a scope."""


class RateLimited(GatewayError):
    """A rate of `limit` a minute is used up until `retry_after_s` seconds from now."""

    code_told = "rate_limit_exceeded"

    def __init__(self, message: str, *, retry_after_s: float, limit: int | None = None) -> None:
        super().__init__(self.code_told, message)
        self.retry_after_s = retry_after_s
        self.limit = limit


class BudgetUsed(RateLimited):
    """A budget of `limit` tokens a day is used up; no try before the next day helps."""

    code_told = "budget_exceeded"


class NotServing(GatewayError):
    """A check, the matcher or the store is unavailable, so the answer is no."""

    def __init__(self, code: str, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(code, message)
        self.retry_after_s = retry_after_s


class DeadlinePassed(NotServing):
    """The time that the caller gave was over before there was an answer: no part failed, and nothing was decided."""

    def __init__(self) -> None:
        super().__init__("deadline_passed", "The time that this request gave was over before there was an answer.")


class SettingsInvalid(GatewayError):
    """The gateway cannot start; the message says what to change."""

    def __init__(self, message: str) -> None:
        super().__init__("settings_invalid", message)


class ExtraMissing(SettingsInvalid):
    """A setting wants a library that not every installation has; it comes with ours, which is on no registry."""

    def __init__(self, what: str, extra: str) -> None:
        install = f".venv/bin/python -m pip install --constraint requirements.lock --editable '.[{extra}]'"
        super().__init__(f"{what}. In the program's folder: {install}")

"""A guard with regular expressions on message and answer, for `guardrails start --config`."""

from guardrails import AsyncGuard
from guardrails_ai.regex_match import RegexMatch

_ATTACKS = r"(?is)^(?!.*(ignore (all )?(previous|prior) (instructions|rules)|system prompt|developer mode)).*$"
_SECRETS = r"(?is)^(?!.*((password|secret|api[_-]?key)\s*[:=]\s*\S+|\b\d{3}-\d{2}-\d{4}\b)).*$"

desk = AsyncGuard(id="desk", name="desk")
desk.use(RegexMatch(regex=_ATTACKS, match_type="fullmatch", on_fail="exception"), on="messages")
desk.use(RegexMatch(regex=_SECRETS, match_type="fullmatch", on_fail="exception"), on="output")

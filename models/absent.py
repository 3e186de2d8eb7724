"""The model that is not there: matching, rails and approved texts work without one."""

from models.errors import ModelUnavailable
from models.ports import ApprovedPrompt, Cancellation, Completion, OnText, Sampling

ABSENT = "none"
"""The name that stands for no model in the settings."""


class AbsentModel:
    """A `LanguageModel` that never answers, so that every generated prompt gives its approved fallback."""

    name = ABSENT
    sha256 = ""

    def adapter(self, assistant: str) -> str:
        """Nothing is added to nothing."""
        del assistant
        return ""

    def complete(
        self,
        prompt: ApprovedPrompt,
        sampling: Sampling,
        *,
        deadline_s: float,
        cancellation: Cancellation,
        on_text: OnText | None = None,
    ) -> Completion:
        """Always raises `ModelUnavailable`."""
        raise ModelUnavailable("no language model is configured")

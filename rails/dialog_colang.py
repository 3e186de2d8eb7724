"""The Colang 1.0 text that a policy's dialog is compiled to, for NeMo to run."""

import json
from collections.abc import Iterator, Sequence

from rails.dialog_document import Dialog, Topic

NO_TOPIC = "other message"
"""The intent of a message that is none of the dialog's business."""
APPROVED_PROMPT = "approved prompt"
"""The intent of a message that means an approved prompt."""
HAND_BACK = "(handed back to the gateway)"
"""What NeMo says when it has nothing to say; shown to nobody."""
SEARCH_PROVIDER = "canongate"

# NeMo asks its index of user messages only when there is one; what it holds is ours to say.
_STUB = 'define user stub\n  "stub"\n'
_HAND_BACK = f"""
define flow hand back approved prompt
  user {APPROVED_PROMPT}
  bot hand back

define bot hand back
  "{HAND_BACK}"
"""
# Last, because among flows of one priority the first that fits goes on; without it NeMo would ask the model.
_ANYTHING_ELSE = """
define flow hand back anything else
  user ...
  bot hand back
"""
_COUNTS = {2: "one_of_two", 3: "one_of_three"}


def intent_of(topic: str) -> str:
    """Returns the canonical form of a topic's messages."""
    return f"topic {topic}"


def variables(language: str, choice: int) -> dict[str, str | int]:
    """Returns what the flows choose a reply by: one of the dialog's languages, and a number for the message."""
    return {"language": language, **{name: choice % n + 1 for n, name in _COUNTS.items()}}


def chosen_reply(topic: Topic, language: str, choice: int) -> str:
    """Returns the text that the generated flow of `topic` says in one of its languages."""
    texts = topic.replies[language]
    return texts[choice % len(texts)].strip()


def write_colang(dialog: Dialog) -> str:
    """Returns the whole source: the expert's flows, one flow for each topic, and the ways back to the gateway."""
    parts = (_STUB, dialog.colang, *(_topic(topic) for topic in dialog.topics), _HAND_BACK, _ANYTHING_ELSE)
    return "\n".join(parts)


def write_settings(*, input_flows: Sequence[str] = (), output_flows: Sequence[str] = ()) -> str:
    """Returns NeMo's configuration as JSON, which is YAML too: nothing in it comes from a policy but names of flows."""
    return json.dumps(
        {
            "colang_version": "1.0",
            "models": [],
            "passthrough": False,
            "core": {"embedding_search_provider": {"name": SEARCH_PROVIDER}},
            "rails": {
                "input": {"flows": list(input_flows)},
                "output": {"flows": list(output_flows)},
                "dialog": {
                    "user_messages": {"embeddings_only": True, "embeddings_only_fallback_intent": NO_TOPIC},
                },
            },
        }
    )


def _topic(topic: Topic) -> str:
    lines = [f"define flow topic {topic.name}", f"  user {intent_of(topic.name)}"]
    messages: list[str] = []
    for language, texts in topic.replies.items():
        lines.append(f'  if $language == "{language}"')
        lines.extend(f"    {line}" for line in _choice(f"reply {topic.name} {language.lower()}", len(texts)))
        for number, text in enumerate(texts, start=1):
            shown = text.strip().replace("\n", "\\n")
            messages.append(f'define bot reply {topic.name} {language.lower()} {number}\n  "{shown}"\n')
    return "\n".join([*lines, "", *messages])


def _choice(message: str, count: int) -> Iterator[str]:
    if count == 1:
        yield f"bot {message} 1"
        return
    for number in range(1, count + 1):
        yield f"{'if' if number == 1 else 'else if'} ${_COUNTS[count]} == {number}"
        yield f"  bot {message} {number}"

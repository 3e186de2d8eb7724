"""The example help desk in Colang 1.0, as NeMo Guardrails' documentation writes a dialog.

`python -m benchmarks.rivals.desk_colang` writes it beside its settings, where NeMo's server reads it.
"""

import json
from collections.abc import Iterator, Sequence

from benchmarks.desk_policy import HELPDESK
from benchmarks.rivals.servers import DIALOG
from store.content import SLOT_MARK, CanonicalPrompt, EnumSlot, Generate
from store.formats.bundle import read_bundle

NO_ANSWER = "I have no approved answer to that."
OTHER = "ask off topic"
_HEAD = """# The prompts of the example help desk as flows. Written by: python -m benchmarks.rivals.desk_colang

"""


def main() -> None:
    """Writes the flows of the example."""
    (DIALOG / "desk.co").write_text(dialog_of(read_bundle(HELPDESK).prompts))


def dialog_of(prompts: Sequence[CanonicalPrompt]) -> str:
    """Returns the flows of prompts."""
    return _HEAD + "\n".join(line for prompt in prompts for line in _flow(prompt)) + _rest()


def _flow(prompt: CanonicalPrompt) -> Iterator[str]:
    """Returns what people say, and what the bot does then.

    What the model words is an instruction beside an undefined message, for which NeMo asks the model; what is given
    as it stands is a defined one.
    """
    topic = prompt.key.replace(".", " ").replace("-", " ")
    yield f"define user ask {topic}"
    for text in dict.fromkeys(_filled(prompt, one) for one in prompt.phrasings):
        yield f"  {json.dumps(text, ensure_ascii=False)}"
    yield ""
    yield f"define flow {topic}"
    yield f"  user ask {topic}"
    if isinstance(prompt.reply, Generate):
        yield f"  # Say: {_line(_filled(prompt, prompt.reply.facts))}"
    yield f"  bot answer {topic}"
    yield ""
    if not isinstance(prompt.reply, Generate):
        yield f"define bot answer {topic}"
        yield f"  {json.dumps(_line(_filled(prompt, prompt.reply.answer)), ensure_ascii=False)}"
        yield ""


def _rest() -> str:
    return f"""
define user {OTHER}
  "(something that nobody says)"

define flow {OTHER}
  user {OTHER}
  bot say that there is no answer

define bot say that there is no answer
  {json.dumps(NO_ANSWER)}
"""


def _filled(prompt: CanonicalPrompt, text: str) -> str:
    """Returns a text with each slot filled by its first value, or by its name where it has none."""
    values = {slot.name: slot.values[0].value for slot in prompt.slots if isinstance(slot, EnumSlot)}
    return SLOT_MARK.sub(lambda found: values.get(found[1], found[1]), text).replace("{facts}", "")


def _line(text: str) -> str:
    return " ".join(text.split())


if __name__ == "__main__":
    main()

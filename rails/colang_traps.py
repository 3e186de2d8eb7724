"""Lines of Colang that are refused wherever they stand, and why."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trap:
    """A form of a line, and what an author is told about it."""

    pattern: re.Pattern[str]
    code: str
    message: str
    remedy: str


def _trap(pattern: str, code: str, message: str, remedy: str) -> Trap:
    return Trap(re.compile(pattern), code, message, remedy)


_CONFIGURATION = (
    "import_paths|models|actions_server_url|rails|core|tracing|instructions|prompts|knowledge_base|docs|colang_version"
    "|custom_data|passthrough|sample_conversation"
)
_SWITCHES = (
    "skip_output_rails|generation_options|output_rails_enabled|triggered_input_rail|triggered_output_rail|event"
    "|allowed|relevant_chunks|llm_params|bot_message|user_message|last_user_message|last_bot_message|config|state"
)
TRAPS = (
    _trap(
        r"\{\{|\{%|\{#",
        "template",
        "Braces like these make a text a small program, which runs each time and may never end.",
        "Write the text without them.",
    ),
    _trap(
        r"^(?:import|include)\b",
        "import",
        "Flows and Python code of other files would be loaded and run from here.",
        "Remove the line; write what is needed in this text.",
    ),
    _trap(
        rf"^(?:{_CONFIGURATION}) ?:",
        "configuration",
        "This is a line of NeMo's configuration file, which could run code, read files and send out keys.",
        "Remove it; a policy does not configure NeMo.",
    ),
    _trap(
        r"\$config\b",
        "configuration_object",
        "`$config` is the live configuration of the server: changing it turns rails off for everybody.",
        "Remove it; a flow may not touch the configuration.",
    ),
    _trap(
        rf"^(?:set )?\$(?:{_SWITCHES}|system)\b ?(?:[-+]?=(?!=)|\.|\[)",
        "context_switch",
        "This changes a value that NeMo runs by, such as whether the answer is checked at all.",
        "Remove it; choose another name for a value of your own.",
    ),
    _trap(
        r"^(?:flow|match|send|await|start|activate|deactivate|async|return_|global|log|print)\b(?! ?[-+]?=)|^@|^(?:user"
        r" said|bot say|bot inform)\s*(?:\"|\()|^(?:or when|when) (?:user said|bot said)\b|\bas \$",
        "version_2",
        "This is Colang 2, which is skipped in silence where Colang 1.0 is read.",
        "Write it in Colang 1.0: `define flow`, `user ...`, `bot ...`.",
    ),
    _trap(
        r"^(?:while|for|foreach)\b",
        "loop",
        "A loop may never end, and one that does not stops the server for everybody.",
        "Write the steps one after the other.",
    ),
    _trap(
        r"^(?:goto|go to|label|checkpoint|break|continue|pass)\b",
        "jump",
        "Jumps inside a flow can turn in a circle for ever.",
        "Use `if` and `else`.",
    ),
    _trap(
        r"^(?:event|create|infer|new)\b",
        "event",
        "Events are NeMo's own signals: one that is made up can answer a person past every check.",
        "Use `bot` with a message of your own.",
    ),
    _trap(
        r"^(?:else )?when\b",
        "second_turn",
        "The flow would wait here for the person's next message, but each message begins anew.",
        "Write a flow of its own for the next message.",
    ),
    _trap(
        r"^(?:user|bot) ?(?:\.\.\.|\*|something\b|any\b|$)|^(?:user|bot) .*\.\.\.",
        "made_up",
        "Three dots, `something` or nothing at all stand for whatever the language model makes up.",
        "Name a message that is defined with `define user` or `define bot`.",
    ),
    _trap(
        r"^(?:user|bot) .*\"",
        "inline_text",
        "A text inside a flow bypasses the list of messages, and NeMo reads it in another way than it looks.",
        "Give the text a name with `define bot` or `define user`, and use the name here.",
    ),
    _trap(
        r"^(?:bot|user|do|define \w+) .*\$",
        "variable_name",
        "A name with a `$` is only known while a conversation runs, so nobody can check what comes of it.",
        "Write the name itself.",
    ),
    _trap(
        r"^(?:priority|meta|expect|check|any|param|var|local|set)\b(?! ?[-+]?=)",
        "setting",
        "With this a flow could go before the flows that check messages.",
        "Remove it.",
    ),
    _trap(
        r"^define (?!user |bot |flow |subflow )",
        "modifier",
        "This kind of definition runs beside or before the flows that check messages, or is skipped.",
        "Use `define user`, `define bot`, `define flow` or `define subflow` alone.",
    ),
)
"""The first that fits is told."""

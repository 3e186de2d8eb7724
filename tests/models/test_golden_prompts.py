"""The prompt of each family, character for character, as its makers publish it; each template names its source.

Two strings a family: without instructions, and with "You are a bank assistant." as instructions. The beginning-of-
sequence token is not part of them, nor are the spaces that a SentencePiece vocabulary adds by itself.
"""

import pytest

from models.formats import format_names, prompt_format
from tests.models.prompts import approved

BANK = "You are a bank assistant."

HUMAN = (
    "A chat between a curious human and an artificial intelligence assistant. The assistant gives helpful, detailed, "
    "and polite answers to the human's questions."
)
USER = (
    "A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, detailed, "
    "and polite answers to the user's questions."
)
TASK = "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
GREETING = "I am StableVicuna, a large language model created by CarperAI. I am here to chat!"
BAIZE = (
    "The following is a conversation between a human and an AI assistant named Baize (named after a mythical creature "
    "in Chinese folklore). Baize is an open-source AI assistant developed by UCSD and Sun Yat-Sen University. {form} "
    "The AI assistant always provides responses in as much detail as possible, and in Markdown format. The AI "
    "assistant always declines to engage with topics, questions and instructions related to unethical, controversial, "
    "or sensitive issues. {example}"
)
BAIZE_EXAMPLE = "Complete the transcript in exactly that format.\n[|Human|]Hello!\n[|AI|]Hi!"
BAIZE_FORM = (
    "The human and the AI assistant take turns chatting. Human statements start with [|Human|] and AI assistant "
    "statements start with [|AI|]."
)
MOSAIC = (
    "- You are a helpful assistant chatbot trained by MosaicML.\n- You answer questions.\n- You are excited to be able "
    "to help the user, but will refuse to do anything that could be considered harmful to the user.\n- You are more "
    "than just an information source, you are also able to write poetry, short stories, and make jokes."
)
STABLELM = (
    "# StableLM Tuned (Alpha version)\n- StableLM is a helpful and harmless open-source AI language model developed by "
    "StabilityAI.\n- StableLM is excited to be able to help the user, but will refuse to do anything that could be "
    "considered harmful to the user.\n- StableLM is more than just an information source, StableLM is also able to "
    "write poetry, short stories, and make jokes.\n- StableLM will refuse to participate in anything that could harm a "
    "human.\n"
)


def chatml(system):
    return f"<|im_start|>system\n{system}<|im_end|>\n<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n"


def llama_3(system):
    user = "<|start_header_id|>user<|end_header_id|>\n\nHello<|eot_id|>"
    return system + user + "<|start_header_id|>assistant<|end_header_id|>\n\n"


def phi_4(system):
    return f"{system}<|im_start|>user<|im_sep|>Hello<|im_end|><|im_start|>assistant<|im_sep|>"


NO_THOUGHT = "<|im_start|>assistant\n<think>\n\n</think>\n\n"
ASK, REPLY = "\u95ee\uff1a", "\u7b54\uff1a"
"""The two roles of ChatGLM, with full-width colons."""

GOLDEN = {
    "stablevicuna": (
        f"### Assistant: {GREETING}\n\n### Human: Hello\n### Assistant:",
        f"{BANK}\n### Human: Hello\n### Assistant:",
    ),
    "vicuna-v0": (
        f"{HUMAN}\n### Human: Hello\n### Assistant:",
        f"{BANK}\n### Human: Hello\n### Assistant:",
    ),
    "vicuna": (f"{USER} USER: Hello ASSISTANT:", f"{BANK} USER: Hello ASSISTANT:"),
    "dolly-v1": (
        f"{TASK}### Instruction:\nHello\n\n### Response:\n",
        f"{BANK}### Instruction:\nHello\n\n### Response:\n",
    ),
    "dolly-v2": (
        f"{TASK}### Instruction:\nHello\n\n### Response:\n",
        f"{BANK}### Instruction:\nHello\n\n### Response:\n",
    ),
    "stable-beluga": (
        "### User:\nHello\n\n### Assistant:\n",
        f"### System:\n{BANK}\n\n### User:\nHello\n\n### Assistant:\n",
    ),
    "pythia": ("Hello", f"{BANK}\n\nHello"),
    "chatglm": (f"[Round 0]\n{ASK}Hello\n{REPLY}", f"{BANK}\n[Round 0]\n{ASK}Hello\n{REPLY}"),
    "chatglm2": (f"[Round 1]\n\n{ASK}Hello\n\n{REPLY}", f"{BANK}\n\n[Round 1]\n\n{ASK}Hello\n\n{REPLY}"),
    "chatglm3": ("<|user|>\nHello<|assistant|>", f"<|system|>\n{BANK}<|user|>\nHello<|assistant|>"),
    "alpaca": (
        f"{TASK}### Instruction:\nHello\n\n### Response:",
        f"{TASK}### Instruction:\n{BANK}\n\nHello\n\n### Response:",
    ),
    "koala": (
        "BEGINNING OF CONVERSATION: USER: Hello GPT:",
        f"BEGINNING OF CONVERSATION: USER: {BANK}\n\nHello GPT:",
    ),
    "baize": (
        f"{BAIZE.format(form=BAIZE_FORM, example=BAIZE_EXAMPLE)}\n[|Human|]Hello\n[|AI|]",
        f"{BANK} {BAIZE_FORM} {BAIZE_EXAMPLE}\n[|Human|]Hello\n[|AI|]",
    ),
    "oasst-pythia": (
        "<|prompter|>Hello<|endoftext|><|assistant|>",
        f"{BANK}<|prompter|>Hello<|endoftext|><|assistant|>",
    ),
    "oasst-llama": ("<|prompter|>Hello</s><|assistant|>", f"{BANK}<|prompter|>Hello</s><|assistant|>"),
    "redpajama-incite": ("<human>: Hello\n<bot>:", f"{BANK}\n<human>: Hello\n<bot>:"),
    "mpt-7b-chat": (chatml(MOSAIC), chatml(BANK)),
    "mpt-30b-chat": (
        chatml(
            "A conversation between a user and an LLM-based AI assistant. "
            "The assistant gives helpful and honest answers."
        ),
        chatml(BANK),
    ),
    "stablelm-alpha": (
        f"<|SYSTEM|>{STABLELM}<|USER|>Hello<|ASSISTANT|>",
        f"<|SYSTEM|>{BANK}<|USER|>Hello<|ASSISTANT|>",
    ),
    "colossalchat": (
        "\n\n### Instruction:\nHello\n\n### Response:\n",
        f"{BANK}\n\n### Instruction:\nHello\n\n### Response:\n",
    ),
    "llama-2": ("[INST] Hello [/INST]", f"[INST] <<SYS>>\n{BANK}\n<</SYS>>\n\nHello [/INST]"),
    "chatml": (chatml("You are a helpful AI assistant named SmolLM, trained by Hugging Face"), chatml(BANK)),
    "llama-3": (llama_3(""), llama_3(f"<|start_header_id|>system<|end_header_id|>\n\n{BANK}<|eot_id|>")),
    "qwen-2.5": (chatml("You are Qwen, created by Alibaba Cloud. You are a helpful assistant."), chatml(BANK)),
    "qwen-3": (
        f"<|im_start|>user\nHello<|im_end|>\n{NO_THOUGHT}",
        f"<|im_start|>system\n{BANK}<|im_end|>\n<|im_start|>user\nHello<|im_end|>\n{NO_THOUGHT}",
    ),
    "mistral-v1": ("[INST] Hello [/INST]", f"[INST] {BANK}\n\nHello [/INST]"),
    "mistral-v3": ("[INST]Hello[/INST]", f"[INST]{BANK}\n\nHello[/INST]"),
    "mistral-v3-tekken": ("[INST]Hello[/INST]", f"[INST]{BANK}\n\nHello[/INST]"),
    "mistral-v7-tekken": (
        "[INST]Hello[/INST]",
        f"[SYSTEM_PROMPT]{BANK}[/SYSTEM_PROMPT][INST]Hello[/INST]",
    ),
    "gemma": (
        "<start_of_turn>user\nHello<end_of_turn>\n<start_of_turn>model\n",
        f"<start_of_turn>user\n{BANK}\n\nHello<end_of_turn>\n<start_of_turn>model\n",
    ),
    "phi-3": (
        "<|user|>\nHello<|end|>\n<|assistant|>\n",
        f"<|system|>\n{BANK}<|end|>\n<|user|>\nHello<|end|>\n<|assistant|>\n",
    ),
    "phi-4": (
        phi_4(""),
        phi_4(f"<|im_start|>system<|im_sep|>{BANK}<|im_end|>"),
    ),
    "phi-4-mini": (
        "<|user|>Hello<|end|><|assistant|>",
        f"<|system|>{BANK}<|end|><|user|>Hello<|end|><|assistant|>",
    ),
}
"""Of the families that have no place for instructions (Alpaca, Koala, Baize, Pythia) the second string is our own."""

PREFIXES = {"chatglm2": "[gMASK]sop", "chatglm3": "[gMASK]sop"}
SUFFIXES = {"chatglm": "[gMASK]<sop>"}
"""What the tokenizers of the GLM families add to every prompt; the published strings leave it out."""

BEGINNINGS = {
    *("stablevicuna", "vicuna-v0", "vicuna", "stable-beluga", "alpaca", "koala", "baize", "oasst-llama"),
    *("colossalchat", "llama-2", "llama-3", "gemma"),
    *("mistral-v1", "mistral-v3", "mistral-v3-tekken", "mistral-v7-tekken"),
}
"""The formats that begin with the beginning-of-sequence token."""


def rendered(name, instructions=""):
    segments = prompt_format(name).layout(approved("Hello", instructions=instructions))
    text = "".join(segment.text for segment in segments)
    prefix, suffix = PREFIXES.get(name, ""), SUFFIXES.get(name, "")
    assert text.startswith(prefix)
    assert text.endswith(suffix)
    return text.removeprefix(prefix).removesuffix(suffix)


@pytest.mark.parametrize("name", GOLDEN)
def test_a_prompt_without_instructions_is_the_published_one(name):
    assert rendered(name) == GOLDEN[name][0]


@pytest.mark.parametrize("name", GOLDEN)
def test_a_prompt_with_instructions_is_the_published_one(name):
    assert rendered(name, BANK) == GOLDEN[name][1]


def test_every_format_has_its_golden_strings():
    assert sorted(GOLDEN) == format_names()


def test_the_formats_that_begin_with_a_token_are_these():
    assert {name for name in format_names() if prompt_format(name).begin_of_sequence} == BEGINNINGS


@pytest.mark.parametrize(
    ("name", "tokens"),
    [
        ("chatml", {"<|im_end|>"}),
        ("dolly-v2", {"### End"}),
        ("chatglm3", {"<|user|>", "<|observation|>"}),
        ("stablelm-alpha", {"<|USER|>", "<|ASSISTANT|>", "<|SYSTEM|>"}),
        ("llama-3", {"<|eot_id|>", "<|end_of_text|>"}),
        ("gemma", {"<end_of_turn>"}),
        ("phi-4-mini", {"<|end|>"}),
    ],
)
def test_the_tokens_that_end_a_turn_are_named(name, tokens):
    assert set(prompt_format(name).end_tokens) == tokens

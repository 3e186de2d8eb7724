import ast
from pathlib import Path

import models

ROOT = Path(models.__file__).parent
SOURCES = {str(path.relative_to(ROOT)): ast.parse(path.read_text()) for path in ROOT.rglob("*.py")}


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name.split(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


def words(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Name):
            yield node.id


def test_no_file_of_the_package_imports_a_template_engine():
    assert {name for name, tree in SOURCES.items() if "jinja2" in imported(tree)} == set()


def test_only_main_programs_of_other_processes_import_llama_cpp():
    assert {name for name, tree in SOURCES.items() if "llama_cpp" in imported(tree)} == {
        "worker/llama.py",
        "files/llama_quantize.py",
    }


def test_the_template_of_a_gguf_is_never_read():
    # The high-level Llama class compiles it when it loads a file, so that class is not used either.
    forbidden = {"Llama", "create_chat_completion", "create_completion", "llama_model_chat_template"}
    forbidden |= {"llama_chat_apply_template", "llama_model_meta_val_str", "llama_chat_format"}
    assert {word for tree in SOURCES.values() for word in words(tree)} & forbidden == set()


def test_nothing_in_the_package_reads_the_environment():
    assert {name for name, tree in SOURCES.items() if {"environ", "getenv"} & set(words(tree))} == set()

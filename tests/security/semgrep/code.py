"""Examples of `code.yaml`: what each rule finds, and what is like it and allowed. Nothing imports this file."""

# ruleid: no-pickle
import pickle
import asyncio
import importlib
import json
import os
import re
import subprocess

import jinja2
import numpy
import torch
from safetensors.numpy import load_file

# ok: one-template-engine
from jinja2 import Environment
from jinja2.sandbox import SandboxedEnvironment

# ruleid: one-template-engine
Environment(autoescape=True)
# ruleid: one-template-engine
SandboxedEnvironment()
# ruleid: one-template-engine
jinja2.Template("{{ 1 }}").render()
# ruleid: one-template-engine
engine.from_string(text)

# ruleid: no-pickle
torch.load("model.bin")
# ruleid: no-pickle
numpy.load("vectors.npy", allow_pickle=True)
# ok: no-pickle
numpy.load("vectors.npy", allow_pickle=False)
# ok: no-pickle
load_file("model.safetensors")
# ok: no-pickle
json.loads("{}")

# ruleid: no-code-from-data
exec(text)
# ruleid: no-code-from-data
eval(text)
# ruleid: no-code-from-data
compile(text, "name", "exec")
# ok: no-code-from-data
re.compile(text)
# ok: no-code-from-data
model.eval()

# ruleid: imports-are-named
importlib.import_module(name)
# ok: imports-are-named
importlib.import_module("gateway.cli")

# ruleid: no-shell
subprocess.run("ls", shell=True)
# ruleid: no-shell
os.system("ls")
# ruleid: no-shell
asyncio.create_subprocess_shell("ls")
# ok: no-shell
subprocess.run(["ls"], timeout=5)

# ruleid: no-model-of-others-code
Model.from_pretrained(folder)
# ruleid: no-model-of-others-code
SentenceTransformer(folder, trust_remote_code=True)
# ok: no-model-of-others-code
Model.from_pretrained(folder, local_files_only=True, trust_remote_code=False)

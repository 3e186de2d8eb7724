"""Compares a bill of materials with CycloneDX's own schema; runs in the environment of `make sbom`."""

import sys
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

if wrong := JsonStrictValidator(SchemaVersion.V1_6).validate_str(Path(sys.argv[1]).read_text()):
    raise SystemExit(f"{sys.argv[1]} is not CycloneDX 1.6: {wrong}")

"""The only place where a template engine is made: our own templates, escaped, with no undefined names."""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

WEB = Path(__file__).resolve().parent.parent / "web"


@cache
def load_templates() -> Environment:
    """Returns the one environment over the packaged templates."""
    return Environment(
        loader=FileSystemLoader(WEB / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )

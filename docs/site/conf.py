"""Settings of Sphinx, which makes the documentation site of the pages in `docs/` as they are: `make docs`."""

import tomllib
from pathlib import Path

_PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]

project = "canongate"
author = "the developers of canongate"
release = _PROJECT["version"]
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
root_doc = "index"
exclude_patterns = ["site", "tour"]
myst_heading_anchors = 4
myst_links_external_new_tab = False
nitpicky = True
suppress_warnings = ["misc.highlighting_failure"]
"""Examples leave out versions of HTTP, and say `"text" | null`."""
html_theme = "furo"
html_title = "canongate"
html_static_path = ["static"]
html_css_files = ["plots.css"]
html_show_copyright = False
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#1d5d90", "color-brand-content": "#1d5d90"},
    "dark_css_variables": {"color-brand-primary": "#8bc2ee", "color-brand-content": "#8bc2ee"},
}

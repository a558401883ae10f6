"""How Sphinx makes the documentation site from the Markdown in docs/: `make docs`, the result lies in build/site."""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parent))

project = "gainsift"
author = "The gainsift authors"
copyright = "The gainsift authors, MIT licence"
release = version = metadata.version("gainsift")

extensions = ["myst_nb", "sphinx.ext.autodoc", "mathml"]
exclude_patterns = ["site"]
# What the pages use beyond plain Markdown; all of it reads well where Markdown alone is shown.
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 4
myst_links_external_new_tab = False
suppress_warnings = ["ref.python"]  # two stages have a `Summary` each

nb_execution_mode = "off"  # outputs are stored in the notebook; a test runs it and compares them

default_role = "code"  # our docstrings write `name` as Markdown does
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
maximum_signature_line_length = 150
nitpicky = False

html_theme = "furo"
html_title = "gainsift"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_math_renderer = "mathml"
html_theme_options = {"top_of_page_buttons": []}
pygments_style = "friendly"
pygments_dark_style = "github-dark"


def setup(app: Sphinx) -> None:
    app.add_lexer("csv", TextLexer)  # Pygments knows none

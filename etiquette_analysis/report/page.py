"""One self-contained page from what the notebook displayed: no network, no scripts, nothing beside it.

The executed notebook keeps the code; the page keeps the sections that it displayed, in their order, under one title,
with a list of contents, a style for the screen and one for paper.
"""

from __future__ import annotations

import re
import string
from importlib import resources
from typing import TYPE_CHECKING, Any

from etiquette_analysis.report.language import load_words

if TYPE_CHECKING:
    from collections.abc import Iterable

_SECTION = re.compile(r'<section[^>]*\bid="([\w-]+)"[^>]*>\s*<h2[^>]*>(.*?)</h2>', re.DOTALL)


def displayed(notebook: Any) -> list[str]:
    """Return the HTML of every report section that the cells displayed, in order."""
    outputs = (output for cell in notebook.cells for output in cell.get("outputs", []))
    fragments = (output.get("data", {}).get("text/html", "") for output in outputs)
    joined = ("".join(f) for f in fragments)
    return [html for html in joined if 'class="report-part' in html]


def assemble(sections: Iterable[str], *, language: str, version: str) -> str:
    """Return the page.

    Parameters
    ----------
    sections : iterable of str
        HTML of each section, the first being the opening screen.
    language : {"en", "it"}
        Language.
    version : str
        Of the package, for the generator tag.
    """
    parts = list(sections)
    words = load_words(language)["page"]
    folder = resources.files("etiquette_analysis.report")
    template = string.Template(folder.joinpath("page.html").read_text(encoding="utf-8"))
    first, rest = parts[0], "\n".join(parts[1:])
    return template.substitute(
        language=language,
        version=version,
        style=folder.joinpath("page.css").read_text(encoding="utf-8"),
        first=first,
        contents=_contents(rest),
        rest=rest,
        **words,
    )


def _contents(html: str) -> str:
    items = (f'<li><a href="#{name}">{title}</a></li>' for name, title in _SECTION.findall(html))
    return "<ol>" + "".join(items) + "</ol>"

"""Small pieces of HTML: a displayed fragment, a section, a figure in two widths, a table."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from etiquette_analysis.report.style import house_style, to_svg

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from etiquette_analysis.report.style import Drawing


@dataclass(frozen=True)
class Fragment:
    """A piece of the report, shown by a notebook as what it is.

    >>> Fragment("<p>Hello</p>")
    Fragment of 12 characters
    """

    html: str

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        """Say how long it is; the HTML itself is for the page."""
        return f"Fragment of {len(self.html)} characters"


def section(name: str, title: str, *parts: str) -> Fragment:
    """Return a section with its heading; empty parts vanish."""
    body = "\n".join(part for part in parts if part)
    return Fragment(f'<section class="report-part" id="{name}">\n<h2>{title}</h2>\n{body}\n</section>')


def paragraph(*sentences: str, kind: str = "") -> str:
    """Return sentences as one paragraph; nothing where there is none."""
    text = " ".join(s for s in sentences if s)
    opening = f'<p class="{kind}">' if kind else "<p>"
    return f"{opening}{text}</p>" if text else ""


def paragraphs(text: str, kind: str = "") -> str:
    """Return plain text, its paragraphs separated by an empty line, as HTML."""
    return "\n".join(paragraph(escape(with_minus(part), quote=False), kind=kind) for part in text.split("\n\n"))


def with_minus(text: str) -> str:
    """Return text with a true minus sign before negative numbers.

    >>> with_minus("-2.4 points (95% interval -10.7 to +4.7), day 7-30")
    '−2.4 points (95% interval −10.7 to +4.7), day 7-30'
    """
    return re.sub(r"(?<![\w–])-(?=\d)", "−", text)


def figure(name: str, draw: Drawing, *, alt: str, caption: str) -> str:
    """Return a figure drawn for wide and for narrow screens, with its description and caption.

    Parameters
    ----------
    name : str
        Unique on the page.
    draw : callable
        ``draw(narrow=...)`` returns a matplotlib figure.
    alt : str
        What is seen, with its numbers.
    caption : str
        HTML.
    """
    drawings = []
    # Hidden without the page's style sheet, as in a notebook; on narrow screens the style sheet shows it.
    for width, hidden in (("wide", ""), ("narrow", " hidden")):
        with house_style():
            drawn = draw(narrow=width == "narrow")
        svg = to_svg(drawn, name=f"{name}-{width}", alt=alt)
        drawings.append(f'<div class="{width}"{hidden}>{svg}</div>')
    return f'<figure id="figure-{name}">{"".join(drawings)}<figcaption>{caption}</figcaption></figure>'


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, caption: str) -> str:
    """Return a table that scrolls by keyboard where the screen is too narrow; first column names the row."""
    heads = "".join(f'<th scope="col">{h}</th>' for h in head)
    body = "".join(f'<tr><th scope="row">{row[0]}</th>{"".join(f"<td>{c}</td>" for c in row[1:])}</tr>' for row in rows)
    label = escape(_without_tags(caption), quote=True)
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{label}"><table><caption>{caption}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _without_tags(html: str) -> str:
    out, inside = [], False
    for character in html:
        if character in "<>":
            inside = character == "<"
        elif not inside:
            out.append(character)
    return "".join(out)

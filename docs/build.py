"""Build the documentation into ``site/``: the pages of this folder and the reference from the docstrings.

``make docs`` runs it. The result opens by double-click: no server, no network, nothing loaded from elsewhere. A page
``rooms/<room>.md`` stands at the top of the room's reference; every other page keeps its place and its name.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import shutil
import sys
import warnings
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pdoc.doc
import pdoc.render
from pdoc.render_helpers import to_html

import etiquette_analysis as ea

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS: Final = Path(__file__).resolve().parent
SITE: Final = DOCS.parent / "site"
ROOT: Final = "etiquette_analysis"
PACKAGE: Final = Path(ea.__file__).parent
_LINK: Final = re.compile(r"(?<=\]\()(?![a-z]+:)([^)#\s]+\.md)(?=[)#])")


def build(site: Path = SITE) -> list[Path]:
    """Write the whole site into ``site``, which is emptied first; return its HTML files."""
    shutil.rmtree(site, ignore_errors=True)
    pages = {path.relative_to(DOCS): read_page(path) for path in sorted(DOCS.rglob("*.md"))}
    rooms = {path.stem: pages.pop(path) for path in list(pages) if path.parent.name == "rooms"}
    names = public_names()
    env = set_up(pages, rooms, names)
    with warnings.catch_warnings():
        # Annotations that exist for the type checker only are shown as they are written.
        warnings.filterwarnings("ignore", category=UserWarning, module=r"pdoc\.doc")
        modules = {name: pdoc.doc.Module(importlib.import_module(name)) for name in documented(rooms, names)}
        for name, module in modules.items():
            write(site / f"{name.replace('.', '/')}.html", pdoc.render.html_module(module, modules))
        (site / "search.js").write_text(pdoc.render.search_index(modules), encoding="utf-8")
    for path, text in pages.items():
        # pdoc's search box finds its index by counting the dots of a module's name.
        place = {"module": {"modulename": ".".join(path.with_suffix("").parts)}, "up": "../" * (len(path.parts) - 1)}
        said = {"title": title_of(text), "text": text, "is_index": path.stem == "index"}
        html = env.get_template("page.html.jinja2").render(**place, **said, all_modules=modules)
        write((site / path).with_suffix(".html"), html)
    for picture in DOCS.glob("*.svg"):
        shutil.copy(picture, site / picture.name)
    return sorted(site.rglob("*.html"))


def read_page(path: Path) -> str:
    """Return a page, its links to other pages leading to their place in the site."""

    def place(link: re.Match[str]) -> str:
        if DOCS not in (path.parent / link[1]).resolve().parents:
            return link[1]  # beside the site in a checkout
        return re.sub(r"\.md$", ".html", re.sub(r"(^|/)rooms/", rf"\1{ROOT}/", link[1]))

    return _LINK.sub(place, path.read_text(encoding="utf-8"))


def public_names() -> list[tuple[str, str, str]]:
    """Return every public name, the module that documents it, and the first line of its docstring.

    pdoc looks into a module's dictionary and so does not see names that are imported when they are first used. The
    table in which the package keeps their homes says where each is documented.
    """
    found = [(name, f"{ROOT}.{home}", getattr(ea, name)) for name, home in ea._HOME.items()]
    found.append(("spark.label_turns", f"{ROOT}.engine.spark", ea.spark.label_turns))
    return [(name, module, first_line(inspect.getdoc(what))) for name, module, what in found]


def documented(rooms: dict[str, str], names: list[tuple[str, str, str]]) -> list[str]:
    """Return the modules of the reference: the rooms, and wherever a public name lives."""
    return sorted({f"{ROOT}.{room}" for room in rooms} | {module for _, module, _ in names})


def set_up(pages: dict[Path, str], rooms: dict[str, str], names: list[tuple[str, str, str]]) -> Any:
    """Tell pdoc's templates what the site holds; return their environment."""
    env = pdoc.render.env
    pdoc.render.configure(docformat="numpy", template_directory=DOCS / "template")
    public = {f"{module}.{name.rpartition('.')[2]}": name for name, module, _ in names}
    index = pages[Path("index.md")]
    order = [Path(link).with_suffix(".md") for link in re.findall(r"\]\(([\w./-]+\.html)\)", index)]
    contents = [(path.with_suffix(".html"), title_of(pages[path])) for path in dict.fromkeys(order) if path in pages]
    in_order = re.findall(rf"\]\({ROOT}/(\w+)\.html\)", index)
    env.globals |= {"pages": rooms, "rooms": in_order, "contents": contents, "names": names, "public": public}
    env.globals |= {"modules_of": modules_of, "version": ea.__version__}
    env.filters["page_html"] = to_html
    # What a reader came for stands first; all else in the order of the source.
    env.filters["public_first"] = partial(sorted, key=lambda member: member.fullname not in public)
    return env


def modules_of(room: str) -> Iterator[tuple[str, str]]:
    """Return the modules of a room with the first line of each; none is imported."""
    folder = PACKAGE.joinpath(*room.split(".")[1:])
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).with_suffix("").parts
        name = parts[:-1] if parts[-1] == "__init__" else parts
        if name and not name[-1].startswith("_"):
            docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
            yield ".".join((room, *name)), first_line(docstring)


def title_of(text: str) -> str:
    """Return the first heading of a page."""
    return first_line(text).lstrip("# ")


def first_line(text: str | None) -> str:
    """Return the first line of a text."""
    return (text or "").strip().partition("\n")[0]


def write(path: Path, text: str) -> None:
    """Write a file and the folders above it; bare links get a name, and the keyboard a way into what scrolls."""
    text = text.replace('<a class="headerlink" ', '<a class="headerlink" aria-label="link to this place" ')
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(re.sub(r"<(pre|table)(?=[ >])", r'<\1 tabindex="0"', text), encoding="utf-8")


if __name__ == "__main__":
    sys.stderr.write(f"{len(build())} pages in {SITE}: open index.html\n")

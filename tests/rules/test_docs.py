"""The pages are true: links lead somewhere, code runs, commands exist, numbers are computed, twins agree."""

from __future__ import annotations

import contextlib
import csv
import functools
import importlib.util
import inspect
import io
import re
import shlex
import shutil
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote

import pytest

import etiquette_analysis as ea
from etiquette_analysis.cli import COMMANDS, build_parser

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "etiquette_analysis"
DOCS = ROOT / "docs"
READMES = [ROOT / "README.md", ROOT / "README.it.md"]
PAGES = [*READMES, ROOT / "CONTRIBUTING.md", ROOT / "benchmarks" / "README.md", *sorted(DOCS.rglob("*.md"))]
ROOMS = sorted(
    path.stem
    for path in PACKAGE.iterdir()
    if not path.name.startswith("_") and (path.suffix == ".py" or (path / "__init__.py").exists())
)
#: Pages whose code needs what the tests do not start; it is compiled, and its room's tests run it.
ONLY_COMPILED = {"spark.md"}


def page_name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def blocks(path: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


def prose(path: Path) -> str:
    """Return a page without its fenced blocks."""
    return re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


@functools.cache
def load(path: Path) -> ModuleType:
    """Return a file as a module, wherever it lies."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Public names


def documented_parameters(docstring: str) -> set[str]:
    section = re.search(r"^(?:Parameters|Attributes)\n-+\n(.*?)(?=^\w[\w ]*\n-+\n|\Z)", docstring, re.M | re.S)
    names = re.findall(r"^(\*{0,2}\w[\w*, ]*?)(?: :|$)", section[1], re.M) if section else []
    borrowed = re.search(r"Parameters are those of :func:`(\w+)`", docstring)
    known = documented_parameters(inspect.getdoc(getattr(ea, borrowed[1])) or "") if borrowed else set()
    return known | {name.strip("* ") for part in names for name in part.split(",")}


@pytest.mark.parametrize("name", [name for name in ea.__all__ if name != "__version__"])
def test_every_public_name_says_what_it_takes(name: str) -> None:
    public = getattr(ea, name)
    docstring = inspect.getdoc(public) or ""
    assert docstring, f"{name} has no docstring"
    if not (inspect.isclass(public) and issubclass(public, Exception)):
        missing = set(inspect.signature(public).parameters) - documented_parameters(docstring)
        assert not missing, f"the docstring of {name} does not describe {sorted(missing)}"


# Rooms


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_has_a_page_of_one_screen_that_the_index_names(room: str) -> None:
    may_import = load(Path(__file__).with_name("test_rules.py")).MAY_IMPORT
    page = DOCS / "rooms" / f"{room}.md"
    assert page.exists(), f"write docs/rooms/{room}.md: what the room is for, what goes in and out, where to start"
    text = page.read_text(encoding="utf-8")
    assert f"](rooms/{room}.md)" in (DOCS / "index.md").read_text(encoding="utf-8"), f"docs/index.md names no {room}"
    assert len(text.splitlines()) <= 60, f"{page.name} is longer than a screen"
    said = re.search(r"^\*\*May import:\*\* (.*)", text, re.M)
    assert said, f"{page.name} does not say what the room may import"
    if room in may_import:
        assert set(re.findall(r"`(\w+)`", said[1])) == may_import[room], f"{page.name}: not as in tests/rules"


def test_no_page_without_a_room() -> None:
    assert sorted(path.stem for path in (DOCS / "rooms").glob("*.md")) == ROOMS


def test_the_index_leads_to_every_page() -> None:
    links = set(re.findall(r"\]\(([^)#]+\.md)", (DOCS / "index.md").read_text(encoding="utf-8")))
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")} - {"index.md"}
    assert pages <= links, f"docs/index.md does not lead to {sorted(pages - links)}"


# Links


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)", prose(path), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", PAGES, ids=page_name)
def test_every_link_leads_to_a_file(path: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(path)):
        address, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        found = (path.parent / unquote(address)).resolve() if address else path
        if not found.exists() or (anchor and found.suffix == ".md" and anchor not in anchors(found)):
            broken.append(target)
    assert not broken, f"{page_name(path)} links to what is not there: {broken}"


def columns_told(section: str) -> set[str]:
    page = (DOCS / "tables.md").read_text(encoding="utf-8").split(f"## {section}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`[^|]*) \|", page, re.M)
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}


def test_the_page_of_tables_names_every_column() -> None:
    from etiquette_analysis import schema
    from etiquette_analysis.analysis.results import RESULT_COLUMNS

    assert columns_told("Messages") == set(schema.MESSAGES)
    assert columns_told("Connections") == set(schema.CONNECTIONS)
    assert columns_told("Audit") == set(schema.AUDIT)
    assert columns_told("Turns") == set(ea.label_turns(sample()).columns)
    assert columns_told("Dyads") == set(ea.build_dyads(sample()).columns)
    assert columns_told("Results") == set(RESULT_COLUMNS)


def test_what_docstrings_cite_is_there() -> None:
    sections = set(re.findall(r"^## (\d+)\. ", (DOCS / "statistics.md").read_text(encoding="utf-8"), re.M))
    cited = {}
    for path in [*PACKAGE.rglob("*.py"), *(ROOT / "benchmarks").rglob("*.py")]:
        for where in re.findall(r"STATISTICS(?:\.md)?,\s+sections?\s+([\d., and]+)", path.read_text(encoding="utf-8")):
            cited |= dict.fromkeys(re.findall(r"(\d+)(?:\.\d+)?", where), path.name)
    assert cited
    assert set(cited) <= sections, f"docs/statistics.md lacks {sorted(set(cited) - sections)}: {cited}"


# Code


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with the export that pages speak of; the sample is read once for all pages."""
    shutil.make_archive(str(tmp_path / "export"), "zip", ROOT / "data" / "sample")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ea, "load_sample", sample)
    return tmp_path


@functools.cache
def sample() -> ea.Dataset:
    from etiquette_analysis.pipeline import load_sample

    return load_sample()


@pytest.mark.parametrize("path", [p for p in PAGES if blocks(p, "python")], ids=page_name)
def test_every_python_block_runs(path: Path, workplace: Path) -> None:
    space: dict[str, object] = {"__name__": "page"}
    for block in blocks(path, "python"):
        code = compile(block, page_name(path), "exec")
        if path.name not in ONLY_COMPILED:
            with contextlib.redirect_stdout(io.StringIO()):
                exec(code, space)


def commands(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8")
    inline = re.findall(r"`(etiquette [^`\n]*)`", text)
    lines = [line for block in blocks(path, "(?:sh|console)") for line in block.replace("\\\n", " ").splitlines()]
    return inline + [line for line in lines if line.startswith("etiquette ")]


@pytest.mark.parametrize("path", PAGES, ids=page_name)
def test_every_command_shown_exists_with_its_options(path: Path) -> None:
    for shown in commands(path):
        words = [word for word in shlex.split(shown, comments=True)[1:] if word != "..."]
        if not words or words[0].startswith(("<", "-")):
            continue
        assert words[0] in COMMANDS, f"`{shown}`: no such command; there are {', '.join(COMMANDS)}"
        subparser = build_parser(words[0])._subparsers._group_actions[0].choices[words[0]]  # type: ignore[union-attr]
        unknown = [
            w for w in words if w.startswith("--") and w.partition("=")[0] not in subparser._option_string_actions
        ]
        assert not unknown, f"`{shown}`: no option {unknown}"
        if len(words) > 1 and not unknown:
            with contextlib.redirect_stderr(io.StringIO()) as said, contextlib.suppress(SystemExit):
                build_parser(words[0]).parse_args(words)
            assert not said.getvalue() or "--help" in words, f"`{shown}` is refused: {said.getvalue().splitlines()[-1]}"


@pytest.mark.parametrize("path", PAGES, ids=page_name)
def test_every_make_target_shown_exists(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    shown = set(re.findall(r"(?:`|^)make ([a-z-]+)", path.read_text(encoding="utf-8"), re.M))
    assert shown <= targets, f"{page_name(path)} shows make {sorted(shown - targets)}"


@pytest.mark.parametrize("path", READMES, ids=page_name)
def test_both_readmes_show_every_command(path: Path) -> None:
    rows = re.findall(r"^\| `etiquette (\w+)", path.read_text(encoding="utf-8"), re.M)
    assert sorted(set(rows)) == sorted(COMMANDS)


# Numbers


def numbers(text: str) -> Counter[str]:
    """Return the numbers of a text, decimal comma or point alike."""
    return Counter(n.replace(",", ".") for n in re.findall(r"[−+]?\d+(?:[.,]\d+)*", text))


@pytest.mark.parametrize(("path", "language"), [(READMES[0], "en"), (READMES[1], "it")], ids=["en", "it"])
def test_the_picture_is_described_by_the_numbers_of_the_sample(path: Path, language: str) -> None:
    from etiquette_analysis.report.language import load_words, write_number

    plan = ea.Plan()
    found = ea.compare(ea.build_dyads(sample(), plan), plan)
    rows = found.frame[found.frame["method"] == "wsr"].set_index("scale")
    share = [rows.loc[scale, c] for scale in ("rate_now", "rate_later") for c in ("estimate", "low", "high")]
    points = [rows.loc["rd", c] for c in ("estimate", "low", "high")]
    drawn = [write_number(x, "of100x", language) for x in share] + [write_number(x, "points", language) for x in points]
    drawing = DOCS / {"en": "answer.svg", "it": "answer.it.svg"}[language]
    shown = rf"!\[([^\]]*)\]\(docs/{re.escape(drawing.name)}\)\s+\*(.*?)\*\n"
    picture = re.search(shown, path.read_text(encoding="utf-8"), re.S)
    assert picture, f"{path.name} shows docs/{drawing.name} and says below what it is"
    label = re.search(r'aria-label="([^"]*)"', drawing.read_text(encoding="utf-8"))
    assert label
    is_fresh = re.findall(r"\d+[.,]\d+", label[1]) == drawn[:6]
    remake = f"python -m etiquette_analysis.report.card reports/results.json docs/{drawing.name} {language}"
    assert is_fresh, f"docs/{drawing.name} does not show the sample as it is now; after `make report`: {remake}"
    described = re.findall(r"[−+]?\d+(?:[.,]\d+)+|(?<= )0", picture[1])
    assert described == drawn, f"{path.name}: the sample now gives {drawn}"
    datasheet = (ROOT / "data" / "sample" / "README.md").read_text(encoding="utf-8")
    of_the_world = re.findall(r"^\|.* \W*(-[\d.]+) percentage points", datasheet, re.M)
    of_the_sample = [write_number(x, "points", "en") for x in (found.rd, found.counted.rd)]
    assert len(of_the_world) == 2, "the datasheet tells the true difference, and what counting shows on average"
    assert points[1] < float(of_the_world[0]) / 100 < points[2], "the interval no longer holds the truth; say so"
    expected = numbers(" ".join([*of_the_world, *of_the_sample]).replace("-", "−"))
    assert numbers(picture[2]) == expected, f"{path.name}: expected {sorted(expected)}"
    assert load_words(language)["verdicts"][found.verdict] in picture[2]


def test_the_guide_to_the_report_names_every_section_in_order() -> None:
    from etiquette_analysis.report.language import load_words
    from etiquette_analysis.report.sections import IN_ORDER

    guide = (DOCS / "guides" / "read-the-report.md").read_text(encoding="utf-8")
    titles = [load_words("en")[section.__name__]["title"] for section in IN_ORDER[1:]]
    assert re.findall(r"^\| ([A-Z][^|]*?) \|", guide, re.M) == titles


def test_what_the_readme_says_about_trust_is_what_was_measured() -> None:
    said = READMES[0].read_text(encoding="utf-8")
    results = (ROOT / "benchmarks" / "calibration" / "RESULTS.md").read_text(encoding="utf-8")
    card = (ROOT / "data" / "pitch" / "MODEL_CARD.md").read_text(encoding="utf-8")
    bars = re.search(r"## Bars: (\d+ of \d+) checks", results)
    kappa = re.search(r"\| ours \| unseen by[^|]*\|[^|]*\| ([\d.]+)", card)
    assert bars
    assert kappa
    assert f"{bars[1]} checks" in said
    assert f"agreement is {kappa[1]} (weighted kappa" in said


def test_both_readmes_say_the_same() -> None:
    english, italian = (path.read_text(encoding="utf-8") for path in READMES)
    shape = [re.findall(r"^#+(?= )", text, re.M) for text in (english, italian)]
    assert shape[0] == shape[1], "one README has a section that the other has not"
    assert numbers(english) == numbers(italian)
    links = [sorted(re.findall(r"\]\(([^)\s]+)\)", text)) for text in (english, italian)]
    english_links, italian_links = ([n.replace(".it.", ".") for n in found] for found in links)
    assert english_links == italian_links
    code = [[re.sub(r" *#.*|\b(en|it)\b", "", b) for b in blocks(path, "python")] for path in READMES]
    assert code[0] == code[1]
    verbs = [sorted(tuple(c.split()[:2]) for c in commands(path)) for path in READMES]
    assert verbs[0] == verbs[1]


# The site


class Page(HTMLParser):
    """What a page links to, what it loads, and which places it has."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.ids: set[str] = set()
        text = path.read_text(encoding="utf-8")
        self.loads += re.findall(r"url\([\"']?(?!data:|#)([^)\"']*)|@import[^;]*", text)
        self.loads += re.findall(r"script\.src = \"([^\"]+)\"", text)
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.ids |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        else:
            self.loads += [given[name] for name in ("src", "srcset", "href", "data", "poster") if name in given]


parsed = functools.cache(Page)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("pdoc", reason="needs pdoc, which the development environment holds")
    folder = tmp_path_factory.mktemp("docs") / "site"
    load(DOCS / "build.py").build(folder)
    return folder


def test_every_public_name_has_its_place_in_the_site(site: Path) -> None:
    index, search = parsed(site / "index.html"), (site / "search.js").read_text(encoding="utf-8")
    for name, home in [*ea._HOME.items(), ("label_turns", "engine.spark")]:
        address = f"etiquette_analysis/{home.replace('.', '/')}.html"
        assert f"{address}#{name}" in index.links, f"the index does not lead to {name}"
        assert name in parsed(site / address).ids, f"{address} does not document {name}"
        assert f'"etiquette_analysis.{home}.{name}"' in search, f"the search does not find {name}"


def test_the_site_loads_nothing_from_elsewhere_and_its_links_lead_somewhere(site: Path) -> None:
    pages = {path: parsed(path) for path in site.rglob("*.html")}
    for path, page in pages.items():
        foreign = [loaded for loaded in page.loads if re.match(r"(?!data:)([a-z]+:|//)", loaded)]
        assert not foreign, f"{path.name} loads {foreign}"
        for link in page.links + page.loads:
            if re.match(r"[a-z]+:|//", link):
                continue
            address, _, place = link.partition("#")
            target = (path.parent / unquote(address)).resolve() if address else path
            if site not in target.parents:  # beside the site in a checkout
                target = ROOT / target.relative_to(site.parent)
            assert target.exists(), f"{path.relative_to(site)} links to {link}"
            assert not place or target not in pages or place in pages[target].ids, f"{path.name}: no place {link}"


@pytest.mark.parametrize(("name", "mark"), [("README.md", "."), ("README.it.md", ",")])
def test_how_fast_is_what_was_measured(name: str, mark: str) -> None:
    with (ROOT / "benchmarks" / "scale" / "scale.csv").open(encoding="utf-8", newline="") as file:
        measured = {row["contestant"]: row for row in csv.DictReader(file) if row["messages"] == "10000000"}
    written = re.findall(r"^\|.*\| (\d+) \| ([\d.,]+) \| ([\d.,]+) GB \|$", (ROOT / name).read_text("utf-8"), re.M)
    assert len(written) == 4
    for cells, contestant in zip(written, ("floor", "window_sql", "labels", "scored"), strict=True):
        row = measured[contestant]
        expected = (
            f"{float(row['cpu_s']):.0f}",
            f"{float(row['cpu_to_window_sql']):.2f}",
            float(row["peak_mb"]) / 1000,
        )
        assert cells == (expected[0], expected[1].replace(".", mark), f"{expected[2]:.1f}".replace(".", mark))

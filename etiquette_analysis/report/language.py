"""Words and numbers by language: what a reader sees is filled from the results, never typed.

Sentences live in ``words/en.toml`` and ``words/it.toml`` under the same names. A field such as ``{answer.rd:points}``
names a place in the results and how to write it; in HTML the number keeps that name (``<data
data-key="answer.rd">``), so that anybody can trace it back to ``results.json``.
"""

from __future__ import annotations

import functools
import string
import tomllib
from dataclasses import dataclass, field
from html import escape
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from etiquette_analysis.analysis.plan import require_language
from etiquette_analysis.analysis.results import digits_that_tell, round_up
from etiquette_analysis.errors import DesignError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from etiquette_analysis.analysis.plan import Language

MONTHS: Final = {
    "en": (
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
    "it": (
        "gennaio",
        "febbraio",
        "marzo",
        "aprile",
        "maggio",
        "giugno",
        "luglio",
        "agosto",
        "settembre",
        "ottobre",
        "novembre",
        "dicembre",
    ),
}
#: No-break space, so that a number is never torn from its unit.
_NBSP: Final = " "


@functools.cache
def load_words(language: str) -> dict[str, Any]:
    """Return the words of a language, nested by section.

    >>> sorted(load_words("it")) == sorted(load_words("en"))
    True
    """
    require_language(language)
    source = resources.files("etiquette_analysis.report").joinpath("words", f"{language}.toml")
    return tomllib.loads(source.read_text(encoding="utf-8"))


def write_number(value: float, kind: str, language: str) -> str:
    """Return a number as people write it.

    Parameters
    ----------
    value : float
        Shares are in [0, 1]; differences of shares too.
    kind : str
        ``n`` whole number; ``about`` one with two significant digits, upward;
        ``rate``, ``rate1`` a share as a percentage with 0 or 1 decimals; ``of100``, ``of100x``
        the same without the sign; ``points`` signed, in percentage points; ``x1``, ``x2``, ``x3`` decimals; ``signed``
        two of them with the sign; ``date`` an ISO date; ``span`` hours, said in hours or days.
    language : {"en", "it"}
        Language.

    Examples
    --------
    >>> write_number(1447, "n", "it"), write_number(0.2146, "rate", "en"), write_number(-0.031, "points", "it")
    ('1.447', '21%', '−3,1')
    >>> write_number("2025-06-03", "date", "it"), write_number(30.2, "span", "en"), write_number(80, "span", "it")
    ('3 giugno 2025', '30 hours', '3 giorni')
    >>> write_number(4398, "about", "it"), write_number(0.0004, "points", "en"), write_number(0.004, "signed", "en")
    ('4.400', '+0.04', '+0.004')
    """
    if kind == "date":
        year, month, day = str(value)[:10].split("-")
        return f"{int(day)} {MONTHS[language][int(month) - 1]} {year}".replace(" ", _NBSP)
    if kind == "span":
        return _span(float(value), language)
    if kind == "about":
        value, kind = round_up(float(value)), "n"
    scale, digits, sign, unit = _KINDS[kind]
    digits = digits_that_tell(float(value) * scale, digits) if sign else digits
    rounded = round(float(value) * scale, digits) + 0.0
    written = f"{rounded:{sign},.{digits}f}"
    if rounded == 0:
        written = written.lstrip("+-")
    written = written.replace("-", "−")
    if language == "it":
        written = written.translate(str.maketrans(",.", ".,"))
    return written + unit


_KINDS: Final = {
    "n": (1, 0, "", ""),
    "rate": (100, 0, "", "%"),
    "rate1": (100, 1, "", "%"),
    "of100": (100, 0, "", ""),
    "of100x": (100, 1, "", ""),
    "points": (100, 1, "+", ""),
    "x1": (1, 1, "", ""),
    "x2": (1, 2, "", ""),
    "x3": (1, 3, "", ""),
    "signed": (1, 2, "+", ""),
}
_UNITS: Final = {"en": ("hour", "hours", "day", "days"), "it": ("ora", "ore", "giorno", "giorni")}


def _span(hours: float, language: str) -> str:
    """Return a length of time in hours up to two days, else in days."""
    n, (one, many) = (round(hours), _UNITS[language][:2]) if hours < 47.5 else (round(hours / 24), _UNITS[language][2:])
    if n == 0:
        return "less than an hour" if language == "en" else "meno di un'ora"
    return f"{n}{_NBSP}{one if n == 1 else many}"


_ARTICLES: Final = {
    "il": ("il ", "l'", "lo "),
    "Il": ("Il ", "L'", "Lo "),
    "al": ("al ", "all'", "allo "),
}


def with_article(article: str, written: str) -> str:
    """Return the Italian article as it stands before a number, by how the number is read aloud.

    >>> [with_article("il", n) + n for n in ("8%", "11%", "18%", "0%", "1.447", "1%")]
    ["l'8%", "l'11%", 'il 18%', 'lo 0%', 'il 1.447', "l'1%"]
    """
    whole = written.split(",")[0].rstrip("%")
    reads_as_vowel = whole.startswith("8") or whole in ("1", "11") or whole.startswith("11.")
    return _ARTICLES[article][1 if reads_as_vowel else 2 if whole == "0" else 0]


def look_up(results: Mapping[str, Any], path: str) -> Any:
    """Return the value at a dotted path such as ``grid[2].rate``; ``DesignError`` where there is none."""
    value: Any = results
    for part in path.replace("[", ".").replace("]", "").split("."):
        try:
            value = value[int(part)] if isinstance(value, list) else value[part]
        except (KeyError, IndexError, TypeError, ValueError) as error:
            msg = f"the results hold no {path!r} (at {part!r}); a sentence may only print what was computed"
            raise DesignError(msg) from error
    return value


@dataclass
class Voice(string.Formatter):
    """Says results in one language.

    Attributes
    ----------
    results : dict
        As in ``results.json``.
    language : {"en", "it"}
        Language.
    said : list of str
        Paths of all numbers that were printed so far.

    Examples
    --------
    >>> voice = Voice({"answer": {"rate_now": 0.1}}, "it")
    >>> voice.number("answer.rate_now", "rate")
    '<data value="0.1" data-key="answer.rate_now">10%</data>'
    >>> voice.plain("{answer.rate_now:rate1}")
    '10,0%'
    """

    results: Mapping[str, Any]
    language: Language
    said: list[str] = field(default_factory=list)
    _is_plain: bool = False

    def words(self, name: str) -> Any:
        """Return the raw words under a dotted name; where the source has no dates of connecting, their undated twin.

        >>> dated, undated = ({"data": {"has_connection_dates": known}} for known in (True, False))
        >>> Voice(dated, "en").words("curves.axis") == Voice(undated, "en").words("curves.axis")
        True
        >>> Voice(undated, "en").words("opening.question")
        'What happens when you pitch at the first contact?'
        """
        words = load_words(self.language)
        if not self.results.get("data", {}).get("has_connection_dates", True):
            section, _, last = name.rpartition(".")
            twins = look_up(words, section) if section else words
            if f"{last}_undated" in twins:
                return twins[f"{last}_undated"]
        return look_up(words, name)

    def say(self, name: str, at: str = "") -> str:
        """Return the HTML of a sentence; fields that begin with a dot lie below the path ``at``."""
        return self.fill(self.words(name), at)

    def fill(self, template: str, at: str = "") -> str:
        """Return a template, which is HTML, with every field filled."""
        self._is_plain = False
        return self.vformat(template.strip(), (at,), {})

    def plain(self, template: str, at: str = "") -> str:
        """Return a template as bare text, for figures and their descriptions."""
        self._is_plain = True
        return self.vformat(template.strip(), (at,), {})

    def number(self, path: str, kind: str) -> str:
        """Return one number as HTML."""
        self._is_plain = False
        return str(self.format_field(_At(path), kind))

    def vformat(self, format_string: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
        """Fill the fields; ``args[0]`` is the path that relative fields start from."""
        out = []
        for literal, name, kind, _ in self.parse(format_string):
            out.append(literal)
            if name is not None:
                path = args[0] + name if name.startswith(".") else name
                out.append(self.format_field(_At(path), kind or "text"))
        return "".join(out)

    def format_field(self, value: Any, format_spec: str) -> str:
        """Return the value at a path in the form that its kind asks for.

        ``n|one|many`` adds the noun, ``plural|one|many`` is a word alone that agrees with the number, ``rate+il``
        puts the Italian article before it.
        """
        path = value.path
        found = look_up(self.results, path)
        kind, *nouns = format_spec.split("|")
        kind, _, article = kind.partition("+")
        if kind == "text":
            return str(found) if self._is_plain else escape(str(found))
        if kind == "words":
            return str(self.words(f"terms.{found}"))
        if found is None:
            return str(self.words("terms.few"))
        if kind == "plural":
            return nouns[0] if found == 1 else nouns[-1]
        self.said.append(path)
        written = write_number(found, kind, self.language)
        noun = f"{_NBSP}{nouns[0] if found == 1 else nouns[-1]}" if nouns else ""
        before = with_article(article, written) if article else ""
        if self._is_plain:
            return before + written + noun
        return f'{before}<data value="{found}" data-key="{path}">{written}</data>{noun}'


@dataclass(frozen=True)
class _At:
    path: str

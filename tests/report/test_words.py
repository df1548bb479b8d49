"""Italian and English say the same things with the same numbers, and every number can be traced to the results."""

from __future__ import annotations

import re
from html import unescape
from string import Formatter
from typing import TYPE_CHECKING, Any

import pytest

from etiquette_analysis.analysis.results import round_up
from etiquette_analysis.errors import DesignError
from etiquette_analysis.report.language import Voice, load_words, look_up, with_article, write_number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from etiquette_analysis.report.findings import Findings

    Parts = dict[str, dict[str, str]]

#: Numbers that are names, not results: points of a list, the arms of an experiment.
NOT_RESULTS = re.compile(r"\(\d\)|\b(?:Point|punto) 1\b|\b2 x (?=\d)")


def leaves(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from leaves(value, f"{path}.{key}")
    elif isinstance(tree, list):
        for k, value in enumerate(tree):
            yield from leaves(value, f"{path}[{k}]")
    else:
        yield path, tree


def fields(template: str) -> list[str]:
    """Return the places that a template prints, without how they are written."""
    return sorted({name for _, name, _, _ in Formatter().parse(template) if name})


def test_both_languages_have_the_same_sentences_with_the_same_numbers() -> None:
    english, italian = (dict(leaves(load_words(language))) for language in ("en", "it"))
    assert list(english) == list(italian)
    different = [k for k in english if fields(english[k]) != fields(italian[k])]
    assert not different, f"these sentences print different numbers in it.toml and en.toml: {different}"


def prose(html: str) -> str:
    """Return what a reader reads: no figures, no mark-up, no code."""
    bare = re.sub(
        r"<svg.*?</svg>|<code>.*?</code>|<dt>(?:Versions|Versioni)</dt><dd>.*?</dd>", " ", html, flags=re.DOTALL
    )
    return unescape(re.sub(r"<[^>]+>", " ", bare))


def spellings(results: dict[str, Any]) -> set[str]:
    """Return every way in which a number of the results may be printed, sign and marks left out."""
    out: set[str] = set()
    for _, value in leaves(results):
        if isinstance(value, str):
            out.update(re.findall(r"\d+", value))
            out.update(str(int(n)) for n in re.findall(r"\d+", value) if len(n) < 3)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            for scale in (1, 100, 1 / 24):
                out.update(f"{abs(value) * scale:.{digits}f}" for digits in range(4))
            out.add(str(round_up(abs(value))))
    return out


@pytest.mark.parametrize("language", ["en", "it"])
def test_every_number_in_the_prose_is_in_the_results(findings: Findings, parts: Parts, language: str) -> None:
    known = spellings(findings.results)
    marks = str.maketrans("", "", ",") if language == "en" else str.maketrans({".": "", ",": "."})
    for name, html in parts[language].items():
        text = NOT_RESULTS.sub(" ", prose(html))
        for found in re.findall(r"\d[\d.,]*", text):
            number = found.rstrip(".,").translate(marks)
            assert number in known, f"section {name} prints {found!r}, which results.json does not hold"


@pytest.mark.parametrize("language", ["en", "it"])
def test_marked_numbers_are_what_the_results_hold_at_that_place(
    findings: Findings, parts: Parts, language: str
) -> None:
    html = "".join(parts[language].values())
    marked = re.findall(r'<data value="([^"]*)" data-key="([^"]*)">', html)
    assert marked
    for value, path in marked:
        assert str(look_up(findings.results, path)) == value


def test_italian_and_english_pages_carry_the_same_numbers(parts: Parts) -> None:
    marked = [re.findall(r'data-key="([^"]*)"', "".join(parts[lang].values())) for lang in ("en", "it")]
    assert sorted(marked[0]) == sorted(marked[1])


@pytest.mark.parametrize("language", ["en", "it"])
def test_nothing_unknown_is_printed_as_a_value(parts: Parts, language: str) -> None:
    text = prose("".join(parts[language].values()))
    assert not re.search(r"\b(?:None|nan|NaN|inf|<NA>)\b|[{}]|\?%", text)


def test_a_sentence_cannot_print_what_was_not_computed() -> None:
    with pytest.raises(DesignError, match=r"the results hold no 'answer\.rate'"):
        Voice({"answer": {}}, "en").plain("{answer.rate:rate}")


def test_numbers_are_written_as_each_language_writes_them() -> None:
    assert write_number(1234.56, "x1", "it") == "1.234,6"
    assert write_number(-0.0000004, "points", "en") == "0.0"
    assert write_number(-0.0004, "points", "en") == "−0.04", "a limit that leaves zero out does not look like zero"
    assert write_number(-0.0004, "rate1", "en") == "0.0%"
    assert write_number(0.5, "span", "en") == "less than an hour"
    assert write_number(1, "span", "it") == "1 ora"


def test_the_italian_article_follows_the_sound_of_the_number() -> None:
    said = [with_article("al", written) + written for written in ("8,2%", "80%", "11,5%", "1,5%", "10%", "0%")]
    assert said == ["all'8,2%", "all'80%", "all'11,5%", "all'1,5%", "al 10%", "allo 0%"]

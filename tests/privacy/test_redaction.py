"""Redaction: recall and precision on labelled synthetic examples, and the cases that went wrong somewhere.

``redaction_examples.jsonl`` is synthetic. Its part ``held_out`` was written beforehand in another manner and not looked
at while the rules were tuned; both parts are reported, and the floors here are what was measured, not what was wished.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from etiquette_analysis.privacy.names import KnownNames
from etiquette_analysis.privacy.redaction import find_personal, in_one_form, redact

EXAMPLES = Path(__file__).parent / "redaction_examples.jsonl"
MARK = re.compile(r"\{(name|mail|phone|link|iban|number):([^}]*)\}")


def parse(marked: str) -> tuple[str, list[tuple[int, int, str]]]:
    """Return the plain text and the spans that a reader marked."""
    text, spans, at = "", [], 0
    for match in MARK.finditer(marked):
        text += marked[at : match.start()]
        spans.append((len(text), len(text) + len(match[2]), match[1]))
        text += match[2]
        at = match.end()
    return text + marked[at:], spans


def measure(part: str, *, with_people: bool = True) -> pd.DataFrame:
    """Return, per language and kind, spans wanted, found whole, and replaced wrongly."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for line in EXAMPLES.read_text(encoding="utf-8").splitlines():
        example = json.loads(line)
        if example["part"] != part:
            continue
        text, wanted = parse(example["marked"])
        assert in_one_form(text) == text
        found = find_personal(text, KnownNames(example["people"] if with_people else []))
        for start, end, kind in wanted:
            counts[example["language"], kind, "wanted"] += 1
            covered = {i for s, e, _ in found for i in range(s, e)}
            letters = {i for i in range(start, end) if text[i].isalnum()}
            hit = letters <= covered
            counts[example["language"], kind, "found"] += hit
            if not hit:
                counts["missed: " + text[start:end], kind, "note"] += 1
        for start, end, kind in found:
            if not any(s < end and e > start for s, e, _ in wanted):
                counts[example["language"], kind, "wrong"] += 1
                counts["wrong: " + text[start:end], kind, "note"] += 1
    rows = [(*key, n) for key, n in counts.items()]
    return pd.DataFrame(rows, columns=["language", "kind", "what", "n"])


def rates(part: str, *, with_people: bool = True) -> tuple[float, float, list[str]]:
    table = measure(part, with_people=with_people)
    n = table.groupby("what")["n"].sum()
    notes = table.loc[table["what"] == "note", "language"].tolist()
    return n["found"] / n["wanted"], n["found"] / (n["found"] + n.get("wrong", 0)), notes


def test_examples_tuned_on() -> None:
    recall, precision, notes = rates("tuned")
    assert recall == precision == 1, notes


def test_examples_held_out() -> None:
    recall, precision, notes = rates("held_out")
    assert recall >= 62 / 65, notes
    assert precision == 1, notes


def test_without_knowing_anybody_more_slips_through() -> None:
    assert rates("held_out", with_people=False)[0] >= 56 / 65
    assert rates("held_out", with_people=False)[0] < rates("held_out")[0]


@pytest.mark.parametrize("kind", ["mail", "phone", "link", "iban"])
def test_contact_details_need_no_list_of_people(kind: str) -> None:
    for part in ("tuned", "held_out"):
        table = measure(part, with_people=False)
        n = table[table["kind"] == kind].groupby("what")["n"].sum()
        assert n["found"] == n["wanted"], table[table["what"] == "note"]


def only(text: str, *people: str) -> str:
    return str(redact(pd.Series([text]), people=people)[0])


@pytest.mark.parametrize(
    "text",
    [
        "𝗖𝗶𝗮𝗼 𝗠𝗮𝗿𝘁𝗮, 𝗵𝗼 𝘂𝗻'𝗶𝗱𝗲𝗮",  # LinkedIn's bold
        "so MARTA said",
        "per Ma\u200brta",  # a zero-width space inside
        "Ciao Martina, ciao Martuccia!",
        "Martas Vortrag, Marta's talk, Marta’s talk",
        "ciao marta, come va",
    ],
)
def test_disguises_of_a_known_name(text: str) -> None:
    assert "marta" not in only(text, "Marta Ortensia").casefold().replace("\u200b", "")
    assert "mart" not in only(text, "Marta Ortensia").casefold()


def test_accents_and_composition_do_not_matter() -> None:
    assert only("visto Zoe\u0301 ieri e ZOE oggi", "Zoé Clématite") == "visto [name] ieri e [name] oggi"


def test_names_that_are_words() -> None:
    known = ("linkedin.com/in/rosa-bianco-44c1", "Will Mark", "Grace May")
    assert only("Una rosa sul muro bianco, will you mark it in may?", *known).count("[name]") == 0
    assert only("Will you come? May I ask? Grace is a virtue.", *known).count("[name]") == 0
    assert only("I met Will, Grace and Rosa.", *known) == "I met [name], [name] and [name]."
    assert only("so rosa bianco came", *known) == "so [name] came"


def test_null_and_index_are_kept() -> None:
    texts = pd.Series(["Hi Ann,", None], index=[7, 3])
    assert redact(texts).index.tolist() == [7, 3]
    assert redact(texts).isna().tolist() == [False, True]
    assert texts.tolist()[0] == "Hi Ann,"


def test_hostile_texts_end_soon() -> None:
    texts = [
        "a@" * 5_000,
        "1 " * 20_000,
        "Ciao " * 5_000,
        "DE89 " + "3704 " * 5_000,
        "A" * 100_000,
        "x.y" * 20_000,
        "Mr " * 10_000 + "X",
        "a at " * 10_000,
        ("Ab " * 20_000),
    ]
    for text in texts:
        began = time.perf_counter()
        only(text, "Marta Ortensia")
        assert time.perf_counter() - began < 3, text[:20]

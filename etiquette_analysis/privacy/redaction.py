"""Redaction: names and contact details in messages give way to placeholders.

It lowers the risk; it does not make a text anonymous. A name that nobody in the dataset bears and that stands in no
telling place, a nickname, an employer, a story that only one person can tell: these remain. How much is found, per kind
and language, is measured on the examples in ``tests/privacy``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

import pandas as pd

from etiquette_analysis.privacy.contact_details import Span, find_contact_details
from etiquette_analysis.privacy.names import KnownNames, find_names

#: What is found -> what stands there afterwards. ``number``: a payment card or a person's tax code.
PLACEHOLDERS: Final = {kind: f"[{kind}]" for kind in ("name", "mail", "phone", "link", "iban", "number")}
_INVISIBLE: Final = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_REPEATED: Final = re.compile(r"\[name\](?:[ ]+\[name\])+")


def redact(texts: pd.Series, *, people: Iterable[str] = ()) -> pd.Series:
    """Replace names, mail addresses, links, phone numbers, IBANs, card numbers and tax codes by placeholders.

    Parameters
    ----------
    texts : Series of str
        A null stays null; the index is kept.
    people : iterable of str
        Identifiers of people whose names are looked for everywhere: display names, profile or mail addresses.

    Returns
    -------
    Series of str
        ``[name]``, ``[mail]``, ``[link]``, ``[phone]``, ``[iban]``, ``[number]`` where something was found. Letters are
        put into one form first (NFKC: bold letters become plain, invisible marks go).

    Examples
    --------
    >>> redact(pd.Series(["Hi Clara, call me on +44 7700 900456. Cheers, Hugo", None])).tolist()
    ['Hi [name], call me on [phone]. Cheers, [name]', nan]
    >>> redact(pd.Series(["a rose for Rose's garden"]), people=["Rose Bramble"])[0]
    'a rose for [name] garden'
    """
    known = KnownNames(people)
    redacted = {text: redact_text(text, known) for text in texts.dropna().unique()}
    return texts.map(redacted, na_action="ignore").astype("str")


def redact_text(text: str, known: KnownNames) -> str:
    """Return one text with placeholders."""
    text = in_one_form(text)
    parts, at = [], 0
    for start, end, kind in find_personal(text, known):
        parts += [text[at:start], PLACEHOLDERS[kind]]
        at = end
    return _REPEATED.sub("[name]", "".join([*parts, text[at:]]))


def in_one_form(text: str) -> str:
    """Return a text in NFKC without invisible marks, so that bold or split letters cannot hide a name."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFKC", _INVISIBLE.sub("", text))


def find_personal(text: str, known: KnownNames) -> list[Span]:
    """Return (start, end, kind) of what is to be replaced, in order, without overlap; contact details go first."""
    taken: list[Span] = []
    for span in (*find_contact_details(text), *find_names(text, known)):
        if all(span[1] <= start or span[0] >= end for start, end, _ in taken):
            taken.append(span)
        elif span[2] == "name":
            taken = _merge_name(taken, span)
    return sorted(taken)


def _merge_name(taken: list[Span], span: Span) -> list[Span]:
    """Join a name with the names that it overlaps; beside contact details it gives way."""
    touched = [t for t in taken if t[0] < span[1] and t[1] > span[0]]
    if any(kind != "name" for _, _, kind in touched):
        return taken
    joined = (min(span[0], *(t[0] for t in touched)), max(span[1], *(t[1] for t in touched)), "name")
    return [*(t for t in taken if t not in touched), joined]

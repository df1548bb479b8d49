"""Automatic answers, recognised by their text.

An out-of-office note is not a reply: counted as one, it would make a pitch to an empty office look answered. Headers
tell where a source has them; here the wording does, in English, Italian, Spanish, French, German and Portuguese. A
person who writes "I'm out of office next week, let's talk after" *has* replied, so an absence alone is never enough:
the text must also do what only automatic answers do (thank for "your message", promise an answer to whoever wrote,
name somebody else to turn to) and nothing that only a person does (greet by name, make plans with the reader).

The cues stand in ``auto_reply.toml``. They are matched over a whole Arrow batch; the few texts that hold any of the
decisive ones are then looked at closely.
"""

from __future__ import annotations

import functools
import re
import tomllib
import unicodedata
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterable

    from etiquette_analysis.labels.structure import Bools

#: Longer texts are letters, whatever they say on the way.
LONGEST: Final = 1500
#: An absence, a thank-you or a receipt counts where it stands within so many characters of the start.
_HEAD: Final = 280
_SPACE: Final = r"(?:[\s\x{00A0}\x{202F}]+)"
_APOSTROPHE: Final = "['’‘`´]"
# Borders are ASCII on purpose: Unicode classes make the automata too large to stay fast, and a cue inside a longer
# accented word is no word of these languages.
_WORD_START: Final = r"(?:^|[^a-z0-9])"
_WORD_END: Final = r"(?:[^a-z0-9]|$)"
_TEXT_START: Final = r"^[^a-z0-9]*"
_SENTENCE_START: Final = r"(?:^|[.!?:;\n*(\[\x{2013}\x{2014}-])[^a-z0-9]*"


def flag_auto_reply(texts: Iterable[str | None] | Any) -> Bools:
    """Mark the texts that are automatic answers.

    Parameters
    ----------
    texts : sequence of str or null, Series or Arrow array
        In any of six languages.

    Returns
    -------
    bool array
        One element per text; false where the text is null.

    Examples
    --------
    >>> flag_auto_reply([
    ...     "Thank you for your email. I am out of the office until 12 May and will reply on my return.",
    ...     "I'm out of office next week, let's talk after!",
    ...     None,
    ... ]).tolist()
    [True, False, False]
    """
    array = _as_arrow(texts)
    flags = np.zeros(len(array), dtype=bool)
    decisive = _matches(array, "declared") | _matches(array, "absence") | _matches(array, "we_reply")
    rows = np.flatnonzero(decisive & _numpy(pc.less_equal(pc.utf8_length(array), LONGEST)))
    if len(rows):
        flags[rows] = _looks_automatic(array.take(pa.array(rows)))
    return flags


def _looks_automatic(texts: Any) -> Bools:
    """Weigh the cues of texts that hold at least one decisive cue."""
    head = pc.utf8_slice_codeunits(texts, 0, _HEAD)
    found = {
        cue: _matches(texts, cue)
        for cue in ("declared", "return", "deferral", "access", "alternative", "we_reply", "personal", "doubt")
    }
    opening = {cue: _matches(head, cue) for cue in ("absence", "thanks", "received", "by_name", "to_anyone")}
    by_name = opening["by_name"] & ~opening["to_anyone"]
    support = (
        opening["thanks"].astype(int)
        + found["return"]
        + found["deferral"]
        + 2 * found["access"]
        + 2 * found["alternative"]
    )
    needed = np.where(found["personal"] | by_name, 4, 2)
    declared = found["declared"] & ~found["doubt"]
    away = opening["absence"] & (support >= needed)
    receipt = opening["received"] & found["we_reply"] & ~found["personal"]
    return np.asarray(declared | away | receipt)


def _as_arrow(texts: Any) -> Any:
    if not isinstance(texts, pa.Array | pa.ChunkedArray):
        texts = pa.array(pd.Series(texts, dtype="str"), from_pandas=True)
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    return texts.cast(pa.large_string())


def _matches(texts: Any, cue: str) -> Bools:
    return _numpy(pc.match_substring_regex(texts, _patterns()[cue]))


def _numpy(array: Any) -> Bools:
    return np.asarray(pc.fill_null(array, False).to_numpy(zero_copy_only=False))


@functools.cache
def _patterns() -> dict[str, str]:
    """Compile the cue file: one RE2 pattern per kind of cue, over all languages."""
    file = resources.files("etiquette_analysis.labels").joinpath("auto_reply.toml")  # a zip on Spark
    cues = tomllib.loads(file.read_text(encoding="utf-8"))
    return {
        cue: "(?i)" + "|".join(_compile(line) for lines in languages.values() for line in lines)
        for cue, languages in cues.items()
    }


def _compile(line: str) -> str:
    start, body = _WORD_START, line
    if line.startswith("^"):
        start, body = _TEXT_START, line[1:]
    elif line.startswith("<"):
        start, body = _SENTENCE_START, line[1:]
    end = "" if body.endswith((" ", "|$)")) else _WORD_END
    return f"{start}(?:{_widen(body)}){end}"


def _widen(body: str) -> str:
    """Let an expression also match other spaces, apostrophes and ways to write an accent; not inside [...]."""
    parts = re.split(r"(\[[^\]]*\])", body)
    return "".join(part if part.startswith("[") else "".join(map(_variants, part)) for part in parts)


def _variants(character: str) -> str:
    if character == " ":
        return _SPACE
    if character == "'":
        return _APOSTROPHE
    decomposed = unicodedata.normalize("NFD", character)
    if len(decomposed) == 1:
        return character
    return f"(?:{character}|{decomposed}|{decomposed[0]}{_APOSTROPHE}?)"

"""Names in running text: those of people whom the dataset knows, and those that their place in a message gives away.

Known names come from identifiers, whatever they are: a display name, the parts of a profile address, the part of a mail
address before the @. A known name is redacted where it is capitalised (so "una rosa" stays, "Rosa" goes), with its
genitive and its pet forms; after a greeting or as a full name in lower case too. An unknown name is found only behind a
greeting, a title, an introduction or a closing, where somebody is spoken to, and alone on the last lines: one that
stands elsewhere slips through.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import unquote

from etiquette_analysis.privacy.courtesies import (
    AFTER_A_NAME,
    CLOSINGS,
    GREETINGS,
    INTRODUCTIONS,
    NOT_NAMES,
    PARTICLES,
    PET_ENDINGS,
    THANKS,
    TITLES,
    WEAK_INTRODUCTIONS,
    WORDS_TOO,
)

Span = tuple[int, int, str]

_UPPER: Final = "".join(c for c in map(chr, range(0x41, 0x250)) if c.isupper())
_WORD: Final = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_CAPITALISED: Final = rf"[{_UPPER}][^\W\d_]*(?:['’-][^\W\d_]+)*"
_FULL: Final = rf"{_CAPITALISED}(?:[ ](?:(?:{PARTICLES})[ ])?{_CAPITALISED}){{0,2}}"
_TITLED: Final = rf"(?:(?i:{TITLES})\b\.?[ ]+){{0,3}}"
_PLACES: Final = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?<!\w)(?i:{GREETINGS})[ ,]+{_TITLED}(?P<name>{_FULL})",
        rf"(?<!\w)(?i:{GREETINGS})[ ]+{_TITLED}(?P<name>[^\W\d_]{{2,}})(?=[,!])",
        rf"(?<!\w)(?i:{THANKS})[ ,]+{_TITLED}(?P<name>{_FULL})",
        rf"(?<!\w)(?i:{TITLES})\b\.?[ ]+{_TITLED}(?P<name>{_FULL})",
        rf"(?<!\w)(?:M|D|Dª|Sr)\.[ ]+(?P<name>{_FULL})",
        rf"(?<!\w)(?i:{INTRODUCTIONS})[ ]+{_TITLED}(?P<name>{_FULL}|[^\W\d_]{{2,}})",
        rf"(?<!\w)(?i:{WEAK_INTRODUCTIONS})[ ]+{_TITLED}(?P<name>{_FULL})(?=[ ]*(?:[,.\n]|$)|[ ](?:{AFTER_A_NAME})\b)",
        rf"(?:^|(?<=[.,!?\n ]))(?i:{CLOSINGS})[ ]*[,.!]?\s+(?P<name>{_FULL})(?=[ ]*(?:[.,!\n]|$))",
        rf"(?:^|\n)[ ]*[-–—~][ ]*(?P<name>{_FULL})[ ]*$",
        # Below a message: a line of nothing but a name, with one line at the most behind it.
        rf"(?<=\n)[ ]*(?P<name>{_FULL})[ ]*(?=\n[^\n]*\Z|\Z)",
        # Spoken to in mid-sentence: "How are you, Clara?"
        rf"(?<=[^\W\d_],[ ])(?P<name>{_CAPITALISED})(?=[!?.:](?:\s|$))",
    )
)
_HANDLE: Final = re.compile(r"(?<![\w@/.])@[\w.]*\w")
_NOT_IN_NAMES: Final = (
    "http https www linkedin com in pub sales lead profile company user mail email info office admin hello contact "
    "team fictional example invalid test me the and for iii jr sr phd mba dr prof"
)
_ADDRESS_WORDS: Final = frozenset(_NOT_IN_NAMES.split())


def fold(word: str) -> str:
    """Return a word without case and accents.

    >>> fold("Zoé") == fold("ZOE") == "zoe"
    True
    """
    if word.isascii():
        return word.lower()
    plain = unicodedata.normalize("NFKD", word.casefold())
    return "".join(c for c in plain if not unicodedata.combining(c))


def name_parts(identifier: str) -> set[str]:
    """Return the folded words of an identifier that may be somebody's name.

    >>> sorted(name_parts("https://www.linkedin.com/in/edna-foxglove-9a1b"))
    ['edna', 'foxglove']
    >>> sorted(name_parts("hugo.bramble@sample.example")), sorted(name_parts("Zoé d'Anemone, MBA"))
    (['bramble', 'hugo'], ['anemone', 'd', 'zoe'])
    """
    where = unquote(identifier)
    is_address = "/" in where or "@" in where
    if "@" in where:
        where = where.partition("@")[0]
    elif "/" in where:
        where = where.rstrip("/").rpartition("/")[2]
    tokens = re.split(r"[\W_]+", unicodedata.normalize("NFKC", where))
    words = [fold(token) for token in tokens if token.isalpha()]
    shortest = 3 if is_address else 1
    return {w for w in words if len(w) >= shortest and w not in _ADDRESS_WORDS}


class KnownNames:
    """The names of the people of a dataset, as they may appear in a text.

    Parameters
    ----------
    identifiers : iterable of str
        Display names, profile addresses, mail addresses.
    """

    def __init__(self, identifiers: Iterable[str]) -> None:
        particles = set(PARTICLES.split("|"))
        parts = set().union(*map(name_parts, identifiers))
        self.words = {w for w in parts if len(w) > 1 and w not in particles and w not in NOT_NAMES}
        #: A name without its last vowel, to which the ending of a pet name is put.
        self.stems = {w.rstrip("aeiou") for w in self.words if len(w.rstrip("aeiou")) >= 3}
        self._seen: dict[str, bool] = {}

    def __contains__(self, word: str) -> bool:
        """Tell whether a word is a known name, its genitive or its pet form."""
        if word not in self._seen:
            if len(self._seen) > 200_000:
                self._seen.clear()
            self._seen[sys.intern(word)] = self._is_name(fold(word))
        return self._seen[word]

    def _is_name(self, word: str) -> bool:
        word = re.sub(r"['’]s$", "", word)
        if word in self.words or any(part in self.words for part in re.split(r"['’-]", word)):
            return True
        if len(word) >= 4 and word.endswith("s") and word[:-1] in self.words:
            return True
        return any(word.endswith(end) and word[: -len(end)] in self.stems for end in PET_ENDINGS)


def find_names(text: str, known: KnownNames) -> Iterator[Span]:
    """Yield (start, end, "name") of handles, of known names, and of what stands where a name stands.

    >>> text = "Ciao Marta, ne parlo con la dott.ssa Girasole e con @vera. A presto, Zeno"
    >>> [text[start:end] for start, end, _ in sorted(set(find_names(text, KnownNames([]))))]
    ['Marta', 'Girasole', '@vera', 'Zeno']
    """
    if "@" in text:
        for match in _HANDLE.finditer(text):
            yield *match.span(), "name"
    for place in _PLACES:
        for match in place.finditer(text):
            yield from _without_other_words(text, *match.span("name"))
    if known.words:
        yield from _find_known(text, known)


def _without_other_words(text: str, start: int, end: int) -> Iterator[Span]:
    """Yield the span up to the first word that is no name, if anything is left."""
    last = start
    for word in _WORD.finditer(text, start, end):
        if word[0].lower() in NOT_NAMES:
            break
        last = word.end()
    if last > start:
        yield start, last, "name"


def _find_known(text: str, known: KnownNames) -> Iterator[Span]:
    before: re.Match[str] | None = None
    for word in _WORD.finditer(text):
        if word[0] not in known:
            before = None
            continue
        start, end = word.span()
        follows = before is not None and text[before.end() : start].isspace()
        if follows and before is not None:
            yield before.start(), end, "name"
        elif word[0][0].isupper() and not _may_be_a_word(text, start, end, known):
            yield start, end, "name"
        before = word


def _may_be_a_word(text: str, start: int, end: int, known: KnownNames) -> bool:
    """Return whether a name that is a word too opens a sentence, with a word in lower case behind it."""
    if fold(text[start:end]) not in WORDS_TOO:
        return False
    opens = text[:start].rstrip(" \t\"'“«(¿¡")
    rest = text[end:].lstrip(" ")
    return (not opens or opens[-1] in ".!?\n:") and (rest[:1].islower() or rest.startswith(("I ", "I'")))

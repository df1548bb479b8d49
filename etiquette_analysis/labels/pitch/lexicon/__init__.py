"""The cue lexicon: wordings that a reader of the codebook recognises as one commercial act, or as its contrary.

One file per language, one list per cue family. The lexicon names what moved a level, it does not decide it: a phrase
says who does what to whom ("can i send you", "send me your price"), so that the span a reader sees highlighted bears
the codebook's word for it. Families that raise and families that lower are kept equally careful, because most
pitch words occur in texts that pitch nothing: a buyer's, a delivery, a complaint.

A phrase is one to five words in lower case, with the accents of correct spelling; matching ignores case, accents and
apostrophes. ``0`` stands for any number, ``$`` for any currency sign, ``_`` for exactly one word between two others.
Inflections are written out. The matcher does not know the language of a text, so a phrase keeps its meaning in all six.
"""

from __future__ import annotations

import functools
import re
import tomllib
import unicodedata
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Final

from etiquette_analysis.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.resources.abc import Traversable

#: Cue families of the codebook that raise the level, and those that lower or cancel it.
RAISING: Final = (
    "offer",
    "call_to_action",
    "meeting",
    "price",
    "urgency",
    "benefit_claim",
    "social_proof",
    "self_promotion",
    "prospecting_question",
    "recruiting",
    "link",
)
LOWERING: Final = ("buyer_side", "delivery", "quotation", "negation")
FAMILIES: Final = RAISING + LOWERING
#: A phrase has at most so many words.
LONGEST: Final = 5
_FOLDER: Final = resources.files(__name__)  # may lie inside a zip, on Spark's workers
_WORD: Final = re.compile(r"[^\W\d_]+|[0%$_]")


@dataclass(frozen=True)
class Cue:
    """A wording that stands for one cue family.

    Attributes
    ----------
    language : str
        Two letters: de, en, es, fr, it, pt.
    family : str
        One of ``FAMILIES``.
    phrase : str
        Its words as they are matched, single spaces between them: lower case, apostrophes resolved, accents kept.
    """

    language: str
    family: str
    phrase: str


@functools.cache
def load_lexicon() -> tuple[Cue, ...]:
    """Return every cue of every language, in the order of the files.

    Returns
    -------
    tuple of Cue
        By language, then by family as in ``FAMILIES``, then as listed.

    Raises
    ------
    SchemaError
        If a file lacks a family or has one too many, or a phrase is ill-formed, repeated, or raises and lowers at once.

    Examples
    --------
    >>> cues = load_lexicon()
    >>> sorted({cue.language for cue in cues})
    ['de', 'en', 'es', 'fr', 'it', 'pt']
    >>> [cue.family for cue in cues if cue.language == "en" and cue.phrase in ("can i send you", "your price list")]
    ['offer', 'buyer_side']
    """
    files = sorted((file for file in _FOLDER.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)
    return tuple(cue for file in files for cue in read_cues(file))


def read_cues(path: Traversable) -> tuple[Cue, ...]:
    """Read and check the file of one language, which is named after it.

    Parameters
    ----------
    path : Path or Traversable
        A TOML file with one list of phrases per family.

    Returns
    -------
    tuple of Cue
        By family as in ``FAMILIES``, then as listed.

    Raises
    ------
    SchemaError
        As for ``load_lexicon``; the message names file and phrase.

    Examples
    --------
    >>> read_cues(_FOLDER / "it.toml")[0]
    Cue(language='it', family='offer', phrase='posso mandarti')
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise SchemaError(f"{path.name} is not valid TOML ({error}); expected a list of phrases per family.") from error
    if set(table) != set(FAMILIES):
        odd = ", ".join(sorted(set(table) ^ set(FAMILIES)))
        raise SchemaError(f"{path.name}: families missing or unknown: {odd}; expected exactly {', '.join(FAMILIES)}.")
    cues = tuple(_read_family(path, table))
    _refuse_repeats(path.name, cues)
    return cues


def _read_family(path: Traversable, table: dict[str, object]) -> Iterator[Cue]:
    for family in FAMILIES:
        phrases = table[family]
        if not isinstance(phrases, list) or not phrases:
            raise SchemaError(f"{path.name}: {family} holds no phrases; expected a list of at least one string.")
        for phrase in phrases:
            yield Cue(path.name.removesuffix(".toml"), family, _normalise(path.name, family, phrase))


def _normalise(file: str, family: str, phrase: object) -> str:
    """Return the phrase as it is matched, or refuse it."""
    where = f"{file}, {family}: {phrase!r}"
    if not isinstance(phrase, str) or phrase != unicodedata.normalize("NFC", phrase):
        raise SchemaError(f"{where} is not plain text; expected a string with composed accents (NFC).")
    if phrase != phrase.lower() or phrase != " ".join(phrase.split()):
        raise SchemaError(f"{where} is not normalised; write it in lower case with single spaces and none around it.")
    words = phrase.replace("'", " ").split()
    if not 1 <= len(words) <= LONGEST:
        raise SchemaError(f"{where} has {len(words)} words; expected 1 to {LONGEST}, apostrophes counted as spaces.")
    for word in words:
        if not _WORD.fullmatch(word):
            raise SchemaError(
                f"{where} holds {word!r}; expected letters, 0, %, $ or _ (inflections and hyphens written out)."
            )
    if "_" in (words[0], words[-1]):
        raise SchemaError(f"{where} begins or ends with _; expected it between two words, elsewhere it says nothing.")
    return " ".join(words)


def _refuse_repeats(file: str, cues: tuple[Cue, ...]) -> None:
    """Refuse a phrase that a language lists twice, accents and apostrophes aside."""
    family_of: dict[str, str] = {}
    for cue in cues:
        matched = _plain(cue.phrase)
        if matched in family_of:
            raise SchemaError(
                f"{file}: {cue.phrase!r} stands in {family_of[matched]} and again in {cue.family}; "
                "a phrase belongs to one family, once (accents do not tell phrases apart)."
            )
        family_of[matched] = cue.family


def _plain(phrase: str) -> str:
    decomposed = unicodedata.normalize("NFKD", phrase)
    return "".join(character for character in decomposed if not unicodedata.combining(character))

"""Mass-sent texts: the same message, give or take a name, from one sender to several people.

Copies of one template are not independent observations: if the template is bad, all of them fail together. So texts
that one sender sent to several people are recognised as one template, whatever name, company, number or first line was
filled in. Greetings, names (capitalised words inside a sentence, and the recipient's own), links and numbers are taken
out; what is left is compared by its word triples, with MinHash so that the time grows with the number of texts and not
with its square (Broder, 1997, *On the resemblance and containment of documents*).
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

#: Two texts are copies where at least this share of their word triples is common.
RESEMBLANCE: Final = 0.6
#: Texts with fewer words left ("thanks, talk soon") are nobody's template.
FEWEST_WORDS: Final = 6

_BANDS, _ROWS = 10, 3
_GREETING: Final = re.compile(
    r"^\W*(?:(?:hi|hello|hey|dear|good (?:morning|afternoon|evening)|ciao|salve|buongiorno|buonasera|gentile|car[oa]|"
    r"hola|buen[oa]s \w+|estimad[oa]|bonjour|bonsoir|salut|ch[eè]re?|hallo|guten \w+|liebe[r]?|sehr geehrte[r]?|moin|"
    r"ol[aá]|oi|bom dia|boa \w+|prezad[oa])\b[^,!.:;\n–—]{0,60}|[^\W\d_]+(?: [^\W\d_]+)?(?=,))[,!.:;\n–—-]+",
    re.IGNORECASE,
)
_LINK: Final = re.compile(r"(?:https?://|www\.)\S+|\S+@\S+|\b\S*\d\S*")
_NAME: Final = re.compile(r"(?<![.!?:\n])(?<![.!?:\n]\s)(?<=\s)[A-ZÀ-ÖØ-Þ][\w'’.-]*")
_WORD: Final = re.compile(r"[^\W\d_]+")


def label_templates(
    texts: Iterable[str | None],
    senders: Iterable[str | None],
    recipients: Iterable[str | None],
    *,
    min_recipients: int = 2,
) -> pd.Series:
    """Give each mass-sent text the id of its template.

    Parameters
    ----------
    texts, senders, recipients : sequences of str or null
        Of equal length; one element per message.
    min_recipients : int
        So many different people must have got a text for it to be a template.

    Returns
    -------
    Series of str
        The id, equal for copies by one sender, whatever the order of the rows; null where the text is not mass-sent, is
        null or is too short to tell. On the index of ``texts``. The id is a hash and holds nothing of the text.

    Examples
    --------
    >>> texts = [
    ...     "Hi Ann, I help teams at Acme save hours on payroll every week. Worth a chat?",
    ...     "Hello Bob! I help teams at Beta Ltd save hours on payroll every week. Worth a chat?",
    ...     "Hi Ann, thanks for the photos of the trip, they made my day.",
    ... ]
    >>> ids = label_templates(texts, ["me", "me", "me"], ["ann", "bob", "ann"])
    >>> ids[0] == ids[1], ids.isna().tolist()
    (True, [False, False, True])
    """
    keys: list[tuple[str, str] | None] = []
    recipients_of: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for text, sender, recipient in zip(texts, senders, recipients, strict=True):
        keys.append(None)
        if isinstance(text, str) and isinstance(sender, str) and isinstance(recipient, str):
            form = _normal_form(text, recipient)
            if len(form.split()) >= FEWEST_WORDS:
                keys[-1] = sender, form
                recipients_of[sender][form].add(recipient)
    templates: dict[tuple[str, str], str] = {}
    for sender, forms in recipients_of.items():
        templates |= _templates_of(sender, forms, min_recipients)
    index = texts.index if isinstance(texts, pd.Series) else None
    return pd.Series([key and templates.get(key) for key in keys], index=index, dtype="str")


def _normal_form(text: str, recipient: str) -> str:
    """Return the words of a text that a template has in common with its copies."""
    body = _LINK.sub(" ", _GREETING.sub("", text, count=1))
    own_name = {word.casefold() for word in _WORD.findall(recipient)}
    words = (word.casefold() for word in _WORD.findall(_NAME.sub(" ", body)))
    return " ".join(word for word in words if word not in own_name)


def _templates_of(sender: str, recipients: dict[str, set[str]], min_recipients: int) -> dict[tuple[str, str], str]:
    """Return the template id of each form of one sender's texts that went to enough people."""
    forms = sorted(recipients)
    templates: dict[tuple[str, str], str] = {}
    for members in _resembling(forms):
        if len(set().union(*(recipients[form] for form in members))) >= min_recipients:
            digest = hashlib.blake2b(f"{sender}\0{members[0]}".encode(), digest_size=6).hexdigest()
            templates |= dict.fromkeys(((sender, form) for form in members), digest)
    return templates


def _resembling(forms: list[str]) -> Iterable[list[str]]:
    """Group forms that resemble one another; groups and members in the order of ``forms``."""
    triples = [_triples(form) for form in forms]
    parent = list(range(len(forms)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    first_in: dict[tuple[int, bytes], int] = {}
    for i, found in enumerate(triples):
        for band in enumerate(_bands(found)):
            j = first_in.setdefault(band, i)
            if root(i) != root(j) and _resemblance(found, triples[j]) >= RESEMBLANCE:
                a, b = sorted((root(i), root(j)))
                parent[b] = a
    groups: dict[int, list[str]] = defaultdict(list)
    for i, form in enumerate(forms):
        groups[root(i)].append(form)
    return groups.values()


def _triples(form: str) -> NDArray[np.uint64]:
    """Return the distinct word triples of a form as hashes."""
    words = form.split()
    joined = (" ".join(words[i : i + 3]) for i in range(len(words) - 2))
    return np.array(sorted({zlib.crc32(triple.encode()) for triple in joined}), dtype=np.uint64)


def _bands(triples: NDArray[np.uint64]) -> list[bytes]:
    """Return the MinHash signature of some triples, cut into bands: alike texts share at least one."""
    signature = (_FACTORS[:, None] * triples[None, :] + _SHIFTS[:, None]) >> np.uint64(32)
    return [row.tobytes() for row in signature.min(axis=1).reshape(_BANDS, _ROWS)]


def _resemblance(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> float:
    common = len(np.intersect1d(a, b, assume_unique=True))
    return common / (len(a) + len(b) - common)


def _constants(seed: int) -> Any:
    """Return one odd 64-bit constant per hash function: multiplicative hashing needs no more."""
    digests = (hashlib.blake2b(f"{seed} {i}".encode(), digest_size=8).digest() for i in range(_BANDS * _ROWS))
    return np.array([int.from_bytes(digest, "little") | 1 for digest in digests], dtype=np.uint64)


_FACTORS: Final = _constants(1)
_SHIFTS: Final = _constants(2)

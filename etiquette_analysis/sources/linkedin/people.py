"""Who is who in an export: profile addresses, names, and deleted accounts.

A profile address identifies a person; a name does not. Older exports give names where newer ones give addresses, so
a name is joined to an address, or to a connection, only where a single person bears it. Deleted and hidden accounts
all read "LinkedIn Member": each conversation has its own unknown person, and two of them are never merged.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qs, unquote

#: What a deleted or hidden account is called, as seen (English) and as it may be called elsewhere (unverified).
_HIDDEN: Final = {
    "linkedin member",
    *("membro di linkedin", "utente linkedin", "utente di linkedin"),
    *("miembro de linkedin", "usuario de linkedin"),
    *("membre linkedin", "membre de linkedin", "utilisateur linkedin"),
    *("linkedin-mitglied", "linkedin mitglied", "linkedin-nutzer"),
    *("membro do linkedin", "usuário do linkedin", "utilizador do linkedin"),
}
_LINKEDIN_HOST: Final = re.compile(r"(?:[\w-]+\.)*linkedin\.com(?::\d+)?$")
_URL_START: Final = re.compile(r"[,;]\s*(?=https?://|(?:[\w-]+\.)*linkedin\.com/)", re.IGNORECASE)
#: A name has at most so many parts between commas ("Jane Doe, Ph.D., MBA, PMP").
_MOST_PARTS: Final = 12
#: First words of what stands behind a comma in a name, without dots; single words need no list.
_CREDENTIALS: Final = {
    *(
        "acca",
        "ba",
        "bsc",
        "cfa",
        "cissp",
        "cpa",
        "cphr",
        "dba",
        "dr",
        "edd",
        "esq",
        "fca",
        "ii",
        "iii",
        "ing",
        "jd",
        "jr",
    ),
    *("llb", "llm", "ma", "mba", "md", "mph", "ms", "msc", "mssc", "phd", "pmp", "prof", "rn", "shrm", "sr"),
}


@lru_cache(maxsize=131_072)
def normalise_url(url: str) -> str | None:
    """Return one spelling for every spelling of a profile address, None where the text is no address.

    Decoded, lower case, without country, query, language suffix or trailing slash. Old ``/pub/`` addresses are kept
    as they are: nothing in an export says which ``/in/`` address they became.

    >>> normalise_url("http://it.linkedin.com/in/Zo%C3%AB-Brandt/?trk=x")
    'https://www.linkedin.com/in/zoë-brandt'
    >>> normalise_url("linkedin.com/pub/jane-doe/1/2a/345/")
    'https://www.linkedin.com/pub/jane-doe/1/2a/345'
    >>> normalise_url("n/a") is None
    True
    """
    text = url.strip().strip("\"'<>")
    text = re.sub(r"^https?:/*", "", text, flags=re.IGNORECASE)
    if re.match(r"/?(?:in|pub)/[^/]", text, re.IGNORECASE):
        text = "www.linkedin.com/" + text.lstrip("/")
    path, _, query = text.partition("#")[0].partition("?")
    host, slash, path = path.partition("/")
    host = host.lower()
    if not slash or "." not in host or " " in host:
        return None
    parts = [_decode(part) for part in path.split("/") if part]
    if not _LINKEDIN_HOST.match(host):
        return "/".join([f"https://{host}", *parts])
    if parts[:1] == ["in"]:
        parts = parts[:2]
    if parts[:2] == ["profile", "view"]:
        parts = ["profile", f"view?id={''.join(parse_qs(query).get('id', [''])).lower()}"]
    return "/".join(["https://www.linkedin.com", *parts]) if len(parts) > 1 else None


def _decode(part: str) -> str:
    """Decode percent signs, compose accents, lower the case."""
    with suppress(UnicodeDecodeError):
        part = unquote(part, errors="strict")
    return unicodedata.normalize("NFC", part).lower()


def split_urls(urls: str) -> list[str]:
    """Split addresses joined by ``,`` or ``;`` where a new address begins; normalised, those unreadable left out.

    >>> split_urls("https://www.linkedin.com/in/a,b;https://www.linkedin.com/in/c")
    ['https://www.linkedin.com/in/a,b', 'https://www.linkedin.com/in/c']
    """
    found = (normalise_url(part.strip(" ,;")) for part in _URL_START.split(urls) if part.strip(" ,;"))
    return [url for url in found if url is not None]


def clean_name(name: str) -> str:
    """Collapse white space; everything else stays verbatim."""
    return " ".join(name.split())


def name_key(name: str) -> str:
    """Return the form in which two spellings of one name compare equal: case, spaces, composed accents."""
    return unicodedata.normalize("NFC", clean_name(name)).casefold()


def is_hidden(name: str) -> bool:
    """Tell whether a name stands for a deleted or hidden account."""
    return name_key(name) in _HIDDEN


def _is_credential(part: str) -> bool:
    """Tell a degree or title behind a comma from the full name of another person.

    >>> [_is_credential(part) for part in ("Ph.D.", "PhD 🚀", "CFA FRM", "Marco Pavan", "ANNA ROSSI")]
    [True, True, True, False, False]
    """
    words = re.findall(r"[^\W\d_][\w.'’-]*", part)
    if len(words) <= 1 or words[0].replace(".", "").casefold() in _CREDENTIALS:
        return True
    return all(word.isupper() and len(word) <= 4 for word in words)


@dataclass
class People:
    """What an export says about who bears which name, and the identifiers that follow.

    Attributes
    ----------
    urls : dict
        Name -> addresses seen with it, anywhere in the export.
    here : dict
        (conversation, name) -> addresses seen with it in that conversation.
    connected : Counter
        Name -> connections listed with that name and no address.
    known : dict
        Every name seen standing alone, with its first spelling, so that names with commas can be told from several
        names and a name that serves as identifier is spelled in one way.
    owner, owner_names : str, set
        Identifier of the owner and the names the owner goes by, once known.
    ambiguous : set
        Identifiers given to names that several people bear.
    """

    urls: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    here: defaultdict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    connected: Counter[str] = field(default_factory=Counter)
    known: dict[str, str] = field(default_factory=dict)
    owner: str = ""
    owner_names: set[str] = field(default_factory=set)
    ambiguous: set[str] = field(default_factory=set)

    def learn(self, name: str, url: str | None = None, conversation: str = "") -> None:
        """Remember that ``name`` was seen, with its address where there is one."""
        key = name_key(name)
        if not key or key in _HIDDEN:
            return
        self.known.setdefault(key, clean_name(name))
        if url is not None:
            self.urls[key].add(url)
            if conversation:
                self.here[conversation, key].add(url)

    def learn_owner(self, owner: str) -> None:
        """Set the owner, and the names under which the owner appears."""
        self.owner = owner
        self.owner_names = {key for key, urls in self.urls.items() if owner in urls} | {name_key(owner)}

    def bearers(self, name: str) -> int:
        """Return how many people bear a name, as far as the export shows (at least 1)."""
        key = name_key(name)
        others = (
            max(len(self.urls[key] - {self.owner}), self.connected[key]) if key in self.urls else self.connected[key]
        )
        return max(others + (key in self.owner_names), 1)

    def identify(self, name: str, url: str | None, conversation: str, *, other_side: str = "") -> str:
        """Return the identifier of one side of a message.

        Parameters
        ----------
        name, url : str
            As in the file; the address is already normalised, None where there is none.
        conversation : str
            Its id; a hidden account, or a name that several people bear, is somebody within a conversation.
        other_side : str
            Identifier of the sender, where a recipient is asked for: a namesake is not the sender.
        """
        if url is not None:
            return url
        key = name_key(name)
        if not key or key in _HIDDEN:
            return f"linkedin-member:{conversation}"
        if key in self.owner_names and other_side and other_side != self.owner:
            return self.owner
        seen_here = self.here.get((conversation, key), set()) - {other_side}
        if conversation and len(seen_here) == 1:
            return next(iter(seen_here))
        if self.bearers(name) == 1:
            if key in self.owner_names:
                return self.owner
            urls = self.urls.get(key, set())
            return next(iter(urls)) if urls else self.known.get(key, clean_name(name))
        if key in self.owner_names and not other_side:
            return self.owner
        person = f"{clean_name(name)} (conversation {conversation})"
        self.ambiguous.add(person)
        return person

    def split_names(self, names: str) -> tuple[list[str], bool]:
        """Split names joined by ``, `` where names may hold a comma themselves.

        Returns the names, and whether known names alone decided. Names known from elsewhere in the export come first; a
        part that is no full name (``Ph.D.``) stays with the name before it.
        """
        parts = [part for part in re.split(r",\s+", clean_name(names).strip(", ")) if part]
        if len(parts) <= 1 or name_key(names) in self.known:
            return ([clean_name(names)] if parts else []), True
        known = self._split_known(parts)
        if known is not None:
            return known, True
        result: list[str] = []
        for part in parts:
            lone = not result or name_key(part) in self.known or is_hidden(part)
            if lone or not _is_credential(part):
                result.append(part)
            else:
                result[-1] = f"{result[-1]}, {part}"
        return result, False

    def _split_known(self, parts: list[str]) -> list[str] | None:
        """Return the split into fewest known names, None where some part belongs to no known name."""
        n_names: list[int | None] = [0] + [None] * len(parts)
        begins = [0] * (len(parts) + 1)
        for end in range(1, len(parts) + 1):
            for start in range(max(0, end - _MOST_PARTS), end):
                before, name = n_names[start], ", ".join(parts[start:end])
                if before is None or not (name_key(name) in self.known or is_hidden(name)):
                    continue
                shortest = n_names[end]
                if shortest is None or before + 1 < shortest:
                    n_names[end], begins[end] = before + 1, start
        if n_names[-1] is None:
            return None
        names, end = [], len(parts)
        while end:
            names.append(", ".join(parts[begins[end] : end]))
            end = begins[end]
        return names[::-1]

"""How senior a contact is, read off a job title with a short, documented table of words.

People of different rank get pitched, and reply, differently, so rank is adjusted for. The table is small on purpose:
a title that holds no listed word is staff, an empty one is unknown (null), and where words of two ranks meet the
higher one counts ("Founder & Sales Manager" is an owner). English, Italian, French, German, Spanish, Portuguese, Dutch.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

import pandas as pd

SENIORITIES: Final = ("staff", "manager", "executive")

#: Owners and the top of a firm. ``account executive`` and the like are staff: see ``_NOT_EXECUTIVE``.
EXECUTIVE_WORDS: Final = (
    "owner founder cofounder co-founder ceo cfo coo cto cmo cio cso chro cpo chief president chairman chairwoman chair "
    "partner principal proprietor entrepreneur vp svp evp vice-president executive managing-director "
    "titolare fondatore fondatrice cofondatore cofondatrice co-fondatore amministratore amministratrice presidente "
    "socio socia imprenditore imprenditrice proprietario proprietaria ad dg "
    "fondateur fondatrice cofondateur gerant gerante pdg dirigeant dirigeante proprietaire associe associee "
    "entrepreneure inhaber inhaberin grunder grunderin geschaftsfuhrer geschaftsfuhrerin vorstand gesellschafter "
    "unternehmer unternehmerin fundador fundadora dueno duena propietario propietaria socio-fundador empresario "
    "empresaria proprietario empreendedor empreendedora eigenaar oprichter directeur-generaal ondernemer"
)
#: Those who lead others or an area.
MANAGER_WORDS: Final = (
    "manager head director lead leader supervisor superintendent team-lead "
    "responsabile direttore direttrice capo dirigente coordinatore coordinatrice quadro "
    "responsable directeur directrice chef cadre leiter leiterin abteilungsleiter bereichsleiter teamleiter direktor "
    "jefe jefa gerente encargado encargada coordinador coordinadora coordenador coordenadora diretor diretora "
    "leidinggevende hoofd"
)
_NOT_EXECUTIVE: Final = re.compile(
    r"\b(?:account|sales|marketing|customer|business development|advertising|recruitment|hr|junior) executive\b"
    r"|\b(?:executive|personal) assistant\b|\bassistant to the (?:ceo|president|owner)\b|\bhr business partner\b"
    r"|\bexecutive assistant to the ceo\b"
)


def _pattern(words: str) -> re.Pattern[str]:
    choices = "|".join(sorted({re.escape(w).replace(r"\-", "[- ]") for w in words.split()}, key=len, reverse=True))
    return re.compile(rf"\b(?:{choices})\b")


_EXECUTIVE: Final = _pattern(EXECUTIVE_WORDS)
_MANAGER: Final = _pattern(MANAGER_WORDS)


def read_seniority(position: str) -> str | None:
    """Return ``staff``, ``manager`` or ``executive`` for a job title; None for an empty one.

    Examples
    --------
    >>> [read_seniority(p) for p in ("Titolare", "Head of Marketing", "Account Executive", "Geschäftsführerin", " ")]
    ['executive', 'manager', 'staff', 'executive', None]
    """
    folded = unicodedata.normalize("NFKD", position.casefold())
    plain = "".join(c for c in folded if not unicodedata.combining(c))
    if not plain.strip():
        return None
    if _EXECUTIVE.search(_NOT_EXECUTIVE.sub(" ", plain)):
        return "executive"
    return "manager" if _MANAGER.search(plain) else "staff"


def label_seniority(positions: pd.Series) -> pd.Series:
    """Return the seniority of each title; distinct titles are read once, null stays null."""
    codes, titles = pd.factorize(positions)
    levels = pd.array([read_seniority(str(t)) for t in titles] + [None], dtype="str")
    return pd.Series(levels.take(codes.astype("int64")), index=positions.index, name="seniority")

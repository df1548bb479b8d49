"""Which column of a stranger's table is which of ours.

Outreach tools export what their user configured, in the user's language, so no header can be relied on. A column
counts as ours only where it has our name or the caller maps it. For everything else there is a guess, and a guess
is printed for the caller to confirm, never used.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Final

import pandas as pd

from etiquette_analysis.errors import DesignError, SourceError
from etiquette_analysis.schema import CONNECTIONS, MESSAGES

REQUIRED: Final = ("sender", "recipient", "sent_at")
REQUIRED_CONNECTIONS: Final = ("person_a", "person_b", "connected_at")
#: What may be known at the moment of connection, besides ``x_*``.
EXTRAS: Final = ("invited_by", "invited_at", "position", "campaign")
#: What a table may lack, but seldom does: asked for where it could not be guessed.
_OPTIONAL: Final = ("text", "connected_at", "conversation_id")
#: Names of columns that an error shows.
_SHOWN: Final = 30
OURS: Final = tuple(dict.fromkeys((*MESSAGES, *CONNECTIONS, *EXTRAS)))

#: Words that point to a column, in English, Italian, Spanish, French, German and Portuguese, without accents.
_WORDS: Final = {
    "sender": "sender from author source src mittente da autore remitente de emisor expediteur auteur absender von "
    "remetente",
    "recipient": "recipient to receiver target dst contact lead prospect destinatario a contatto para contacto "
    "destinataire vers empfanger an kontakt contato",
    "sent_at": "sent date time timestamp datetime when created data ora inviato inviata fecha hora enviado envoye "
    "heure datum zeit gesendet uhrzeit dia at",
    "text": "text message body content testo messaggio corpo contenuto texto mensaje cuerpo contenido texte "
    "contenu nachricht inhalt mensagem conteudo note",
    "conversation_id": "conversation thread chat conversazione discussione conversacion hilo fil unterhaltung gesprach "
    "conversa",
    "message_id": "id messageid uid",
    "connected_at": "connected connection accepted accept collegato collegamento accettato conectado conexion aceptado "
    "connecte connexion accepte verbunden verbindung angenommen conexao aceito",
    "kind": "kind type tipo typ art categoria",
    "channel": "channel canale canal kanal",
    "person_a": "person_a a user owner ego account utente usuario utilisateur benutzer",
    "person_b": "person_b b contact alter lead prospect contatto contacto kontakt contato",
}


def check_mapping(mapping: Mapping[str, str] | None) -> dict[str, str]:
    """Return the mapping, having refused names on its left that are not ours."""
    mapping = dict(mapping or {})
    unknown = [name for name in mapping if name not in OURS and not name.startswith("x_")]
    if unknown:
        msg = (
            f"mapping has {', '.join(map(repr, unknown))} on its left side, which is no column name of ours; expected "
            f"{{our_name: their_name}} with our_name one of {', '.join(OURS)}, or x_…"
        )
        raise DesignError(msg)
    return mapping


def check_mapped(mapping: Mapping[str, str], tables: Iterable[tuple[str, pd.DataFrame]]) -> None:
    """Raise ``SourceError`` where the mapping names a column that no table has."""
    tables = list(tables)
    there = {str(name) for _, table in tables for name in table.columns}
    for our, their in mapping.items():
        if str(their) not in there:
            names = "; ".join(f"{name} has {_quoted(table)}" for name, table in tables)
            raise SourceError(f"mapping says {our!r} is column {their!r}, but there is none of that name: {names}")


def rename(table: pd.DataFrame, mapping: Mapping[str, str]) -> pd.DataFrame:
    """Return the table with our columns only, under our names; the caller's table is not touched.

    >>> rename(pd.DataFrame({"From": ["a"], "text": ["b"], "other": [1]}), {"sender": "From"}).columns.tolist()
    ['sender', 'text']
    """
    theirs = {str(name).strip(): name for name in reversed(list(table.columns))}
    picked = {our: theirs[str(their).strip()] for our, their in mapping.items() if str(their).strip() in theirs}
    for name in theirs:
        if (name in OURS or name.startswith("x_")) and name not in picked:
            picked[name] = theirs[name]
    order = [*(name for name in OURS if name in picked), *(name for name in picked if name not in OURS)]
    return pd.DataFrame({our: table[picked[our]] for our in order}, index=table.index)


def require(ours: pd.DataFrame, theirs: pd.DataFrame, required: tuple[str, ...], where: str) -> None:
    """Raise ``SourceError`` that prints the mapping to fill in as TOML, unless all required columns are there."""
    missing = [name for name in required if name not in ours.columns]
    if not missing:
        return
    guesses = guess(theirs, ours)
    optional = [name for name in _OPTIONAL if required == REQUIRED and name not in ours.columns]
    lines = [_mapping_line(name, guesses.get(name), is_required=name in missing) for name in [*missing, *optional]]
    raise SourceError(
        f"{where}: no column {', '.join(missing)}; it has {_quoted(theirs)}. Say which column is which: save the lines "
        "below as mapping.toml, correct them, and pass --mapping mapping.toml (in Python mapping={our_name: "
        "their_name}).\n" + "\n".join(lines)
    )


def _mapping_line(name: str, guessed: str | None, *, is_required: bool) -> str:
    r"""Return one line of the mapping.

    >>> print(_mapping_line("sender", 'From "CRM"', is_required=True))
    sender = "From \"CRM\""  # a guess: check it
    >>> print(_mapping_line("text", None, is_required=False))
    # text = ""  # optional
    """
    if guessed is not None:
        quoted = json.dumps(guessed, ensure_ascii=False).replace("\x7f", "\\u007f")
        return f"{name} = {quoted}  # a guess: check it"
    return f'{name} = ""  # fill in' if is_required else f'# {name} = ""  # optional'


def _quoted(table: pd.DataFrame) -> str:
    """Name the columns of a table, many or long ones cut short."""
    names = [repr(str(name)[:100]) for name in table.columns[:_SHOWN]]
    more = f" and {len(table.columns) - _SHOWN:,} more" if len(table.columns) > _SHOWN else ""
    return ", ".join(names) + more


def guess(theirs: pd.DataFrame, ours: pd.DataFrame) -> dict[str, str]:
    """Return guesses {our_name: their_name}, each of their columns once, the clearest first.

    >>> guess(pd.DataFrame(columns=["Mittente", "Destinatario", "Data invio"]), pd.DataFrame())
    {'sender': 'Mittente', 'recipient': 'Destinatario', 'sent_at': 'Data invio'}
    """
    scores = []
    for position, name in enumerate(map(str, theirs.columns)):
        words = _words_of(name)
        for our, hints in _WORDS.items():
            hits = sum(word in hints.split() for word in words)
            if hits and our not in ours.columns and name not in ours.columns:
                scores.append((-hits / len(words), list(_WORDS).index(our), position, our, name))
    guesses: dict[str, str] = {}
    for *_, our, name in sorted(scores):
        if our not in guesses and name not in guesses.values():
            guesses[our] = name
    return guesses


def _words_of(name: str) -> list[str]:
    """Split a header into lower-case words without accents."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    folded = "".join(c for c in unicodedata.normalize("NFKD", spaced.casefold()) if not unicodedata.combining(c))
    return re.findall(r"[^\W_]+", folded) or [folded]

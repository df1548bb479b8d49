"""Telling what people wrote from what WhatsApp wrote into their chat.

A notice (encryption, calls, a changed number) is no message and never an answer; a photograph is a message without
words. Both stand in the file as sentences in the phone's language. On iPhones both start with an invisible mark;
on Android a notice has no writer. Phrases cover the languages of the project's examples.
"""

from __future__ import annotations

import re
from typing import Final

from etiquette_analysis.sources.whatsapp.lines import MARKS

LRM: Final = "\u200e"
_GONE: Final = (
    r"omitted|omess[aieo]|omitid[ao]s?|ocult[ao]s?|ausgeschlossen|weggelassen|weggelaten|utelämnad[et]?|uteläm\w+|"
    r"absente?s?|omise?s?|non inclus\w*|nicht enthalten|udeladt|utelatt|poistettu"
)
_MEDIA: Final = re.compile(rf"[{MARKS}]*(?:<[^<>\n]{{1,40}}\b(?:{_GONE})>|{LRM}[^\n<>]{{1,40}}?\s(?:{_GONE})\.?)", re.I)
_ATTACHED_WORD: Final = (
    r"attached|allegato|adjunto|archivo adjunto|anexado|anexo|angehängt|Anhang|bijgevoegd|bifogad|joint"
)
_ATTACHED: Final = re.compile(
    rf"[{MARKS}]*<(?:{_ATTACHED_WORD})\s?: [^<>\n]+>|[{MARKS}]*[^\n]{{1,120}}\.\w{{2,5}} "
    rf"\((?:file |Datei |bestand |fil |fichier )?(?:{_ATTACHED_WORD})\)",
    re.I,
)
_EDITED: Final = re.compile(
    rf"\s?{LRM}?<(?:This message was edited|Questo messaggio è stato modificato|[^<>\n]*\bedit\w*)>$"
)
_DELETED: Final = re.compile(
    rf"[{MARKS}]*(?:This message was deleted|You deleted this message|Questo messaggio è stato eliminato|"
    r"Hai eliminato questo messaggio|Diese Nachricht wurde gelöscht|Du hast diese Nachricht gelöscht|"
    r"(?:Se eliminó|Eliminaste) este mensaje|(?:Esta )?[Mm]ensagem apagada|Dit bericht (?:is|werd) verwijderd|"
    r"(?:Det här )?[Mm]eddelandet (?:har raderats|raderades))\.?",
    re.I,
)
_NOTICE: Final = re.compile(
    r"end[- ]to[- ]end|de extremo a extremo|de ponta a ponta|Ende-zu-Ende|de bout en bout|crittografati|cifrad[oa]s|"
    r"security code|codice di sicurezza|Sicherheitsnummer|código de seguran|código de seguridad|beveiligingscode|"
    r"säkerhetskod|"
    r"(?:missed|silenced) (?:voice|video|group)|chiamata (?:vocale |video)?(?:video )?persa|"
    r"verpasster? (?:Sprach|Video)anruf|llamada perdida|chamada de (?:voz|vídeo) perdida|"
    r"gemiste? (?:spraak|video)oproep|"
    r"missat (?:röst|video)samtal|disappearing messages|messaggi effimeri|business account|account business",
    re.I,
)
#: A subject of a group may hold ": ", so these are notices even where something looks like a writer.
_GROUP_NOTICE: Final = re.compile(
    r"(?:created group|changed the (?:subject|group|description)|ha creato il gruppo|ha cambiato|hai cambiato|"
    r"hai creato|"
    r"hat die Gruppe|creó el grupo|cambió|criou o grupo|mudou|heeft de groep|skapade gruppen) [^:]*[\"“«]",
    re.I,
)


def split_body(body: str) -> tuple[str, str] | None:
    r"""Split an entry into writer and text, None for a notice, which has no writer.

    >>> split_body("Marco Pavan: see: this")
    ('Marco Pavan', 'see: this')
    >>> split_body("Marco created group \"Ski: 2024\"") is None
    True
    """
    head = body.split("\n", 1)[0]
    name, colon, rest = head.partition(": ")
    if not colon and head.endswith(":"):
        name, rest = head[:-1], ""
    elif not colon:
        return None
    writer = name.strip(f"{MARKS} \u00a0\u202f")
    if not writer or _GROUP_NOTICE.search(name):
        return None
    return writer, rest + body[len(head) :]


def is_notice(text: str) -> bool:
    """Tell a notice that bears a writer's name, as iPhones write them.

    >>> is_notice("\u200eMessages and calls are end-to-end encrypted."), is_notice("\u200eimage omitted")
    (True, False)
    """
    if not text.startswith(LRM) or _MEDIA.match(text) or _ATTACHED.match(text) or _DELETED.match(text):
        return False
    return "\n" not in text.strip() or _NOTICE.search(text.split("\n", 1)[0]) is not None


def words_of(text: str) -> tuple[str | None, str]:
    r"""Return the words of a message and why there are none: media, deleted or nothing.

    >>> words_of("<Media omitted>"), words_of("IMG-1.jpg (file attached)\nour stand")
    ((None, 'media'), ('our stand', ''))
    >>> words_of("See you <This message was edited>"), words_of("This message was deleted")
    (('See you', ''), (None, 'deleted'))
    """
    if _DELETED.fullmatch(text.strip()):
        return None, "deleted"
    words = _EDITED.sub("", text)
    for pattern in (_MEDIA, _ATTACHED):
        match = pattern.match(words)
        if match is not None and words[match.end() : match.end() + 1] in {"", "\n", " "}:
            caption = words[match.end() :].lstrip(" \n")
            return (caption, "") if caption else (None, "media")
    marked = re.search(rf"{LRM}<[^<>\n]+>$", words)
    if marked is not None and _ATTACHED.match(marked[0]):
        words = words[: marked.start()].rstrip()
    return (words, "") if words else (None, "media")

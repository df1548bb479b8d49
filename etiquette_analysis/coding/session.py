"""One coder's way through a sample: which message comes next, what was answered, and where it is kept.

Own messages are read up to the first reply, and that reply. Where nothing was pitched by then, reading goes on to the
first pitch and its reply: whoever waits for an answer before pitching would otherwise be coded as never pitching.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from etiquette_analysis.coding.codes import (
    CODES,
    LABELLER,
    Answer,
    agreement,
    answers_of,
    read_codes,
    sample_rows,
    write_codes,
)
from etiquette_analysis.errors import DesignError, SchemaError
from etiquette_analysis.schema import PITCH_LEVELS, require_columns

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Dyad = tuple[int, int]

#: What a session works on, one row per message of a dyad in time order; it stays in memory.
MATERIAL: Final = ("sender", "contact", "message_id", "is_own", "day", "kind", "text", "predicted_level")
KEYS: Final = {str(i): level for i, level in enumerate(PITCH_LEVELS)}
NO_LEVEL: Final = "x"
AUTOMATIC: Final = "a"
ANSWER_KEYS: Final = (*KEYS, NO_LEVEL, AUTOMATIC)


@dataclass(frozen=True)
class Message:
    """One message as the coder meets it; ``day`` counts from the day of connecting."""

    message_id: int
    is_own: bool
    day: int
    kind: str
    text: str | None


def next_message(
    messages: Sequence[Message], answers: Mapping[int, Answer], *, pitch_level: str = "moderate", last_day: int = 30
) -> Message | None:
    """Return the message of a dyad that is to be coded next; None where nothing is left that could change its place.

    Examples
    --------
    A greeting, an answer and then the pitch: after the pitch the first answer is the last thing to be read.

    >>> order = [(True, "Hello"), (False, "Hi"), (True, "Book here"), (False, "No"), (True, "Sure?")]
    >>> dyad = [Message(i, own, i, "message", text) for i, (own, text) in enumerate(order)]
    >>> answers = {0: Answer("none"), 1: Answer("none"), 2: Answer("hard")}
    >>> next_message(dyad, answers).text
    'No'
    >>> next_message(dyad, answers | {3: Answer("none")}) is None
    True
    """
    threshold = PITCH_LEVELS.index(pitch_level)
    has_pitched = has_reply = False
    for message in messages:
        if not _is_asked(message, has_reply=has_reply, last_day=last_day):
            continue
        answer = answers.get(message.message_id)
        if answer is None and message.text is not None:
            return message
        if message.is_own:
            is_pitch = answer is not None and answer.level in PITCH_LEVELS[threshold:]
            if is_pitch and message.kind == "invitation":
                return None
            if is_pitch and not has_pitched:
                has_pitched, has_reply = True, False
        elif answer is None or not answer.is_automatic:
            if has_pitched:
                return None
            has_reply = True
    return None


def _is_asked(message: Message, *, has_reply: bool, last_day: int) -> bool:
    if message.kind == "auto_reply":
        return False
    return message.day <= last_day if message.is_own else message.kind != "invitation" and not has_reply


class Session:
    """One coder's way through a sample: what to read next, the answers, and the file that keeps them.

    Parameters
    ----------
    sample : DataFrame
        ``sender``, ``contact`` (numbers) and ``inclusion_probability``, in the order in which they are to be shown.
        Where ``path`` exists, the sample that it holds counts instead.
    material : DataFrame
        Columns as in ``MATERIAL``; dyads without messages have no rows.
    path : path
        The CSV file of codes.
    coder : str
        Who is coding; a second coder goes through the same sample and sees nothing of the first.
    pitch_level, last_day : str, int
        The weakest level that makes a pitch, and the last day on which one counts.

    Raises
    ------
    DesignError
        Where the file cannot be written, or the coder's name is none.
    SourceError, SchemaError
        Where the file is no file of codes, or was made on another export.
    """

    def __init__(
        self,
        sample: pd.DataFrame,
        material: pd.DataFrame,
        path: str | Path,
        *,
        coder: str = "1",
        pitch_level: str = "moderate",
        last_day: int = 30,
    ) -> None:
        require_columns(material, MATERIAL, table_name="material")
        if not re.fullmatch(r"\w[\w .-]*", coder) or coder == LABELLER:
            msg = f"coder {coder!r} is no name for a coder; expected letters, digits, spaces, dots, hyphens, e.g. 'ann'"
            raise DesignError(msg)
        self.path, self.coder = Path(path), coder
        self._rule: dict[str, Any] = {"pitch_level": pitch_level, "last_day": last_day}
        self._predicted = pd.Series(material["predicted_level"].to_numpy(object), index=material["message_id"])
        self._messages = _by_dyad(material)
        codes = read_codes(self.path) if self.path.exists() else sample_rows(sample)
        self._sample = codes[codes["message_id"].isna()]
        self._dyads: list[Dyad] = list(zip(self._sample["sender"], self._sample["contact"], strict=True))
        self._chance = dict(zip(self._dyads, self._sample["inclusion_probability"], strict=True))
        self._require_same_export(codes)
        self._answers = answers_of(codes, coder)
        self._dyad_of = {m.message_id: dyad for dyad in self._dyads for m in self._messages.get(dyad, ())}
        self._store()

    @property
    def n_dyads(self) -> int:
        """Dyads in the sample."""
        return len(self._dyads)

    @property
    def n_coded(self) -> int:
        """Messages that this coder has coded."""
        return len(self._answers)

    @property
    def n_done(self) -> int:
        """Dyads of which nothing is left to code, counted up to the first of which something is."""
        return next((i for i, dyad in enumerate(self._dyads) if self._next(dyad) is not None), self.n_dyads)

    @property
    def current(self) -> Message | None:
        """The message to be coded now; None when all is done."""
        done = self.n_done
        return self._next(self._dyads[done]) if done < self.n_dyads else None

    @property
    def context(self) -> tuple[Message, ...]:
        """The messages of the dyad before the current one, oldest first."""
        message = self.current
        if message is None:
            return ()
        dyad = self._messages[self._dyad_of[message.message_id]]
        return tuple(dyad[: dyad.index(message)])

    def answer(self, key: str) -> None:
        """Code the current message with a key (0 to 3, x, a) and store it.

        Raises
        ------
        DesignError
            Where there is no such key, or nothing is left to code.
        """
        message = self.current
        if key not in ANSWER_KEYS or message is None:
            wrong = f"no key {key!r}" if key not in ANSWER_KEYS else "nothing is left to code"
            msg = f"{wrong}; expected one of {', '.join(ANSWER_KEYS)} while a message is shown"
            raise DesignError(msg)
        self._answers[message.message_id] = Answer(KEYS.get(key), key == AUTOMATIC)
        self._store()

    def back(self) -> bool:
        """Take the last answer back, so that its message is the current one; False where there is none."""
        if not self._answers:
            return False
        self._answers.popitem()
        self._store()
        return True

    def codes(self) -> pd.DataFrame:
        """Return the table of codes as the file holds it, all coders included."""
        return read_codes(self.path)

    def agreement(self) -> pd.DataFrame:
        """Return how far the coders agree with the labeller and with each other, see :func:`agreement`."""
        return agreement(self.codes(), self._predicted)

    def finished_dyads(self) -> pd.DataFrame:
        """Return the dyads done so far: ``sender``, ``contact``, ``inclusion_probability`` (of being drawn and done).

        The order is random, so the first k of n are drawn with k/n of the sample's probability.
        """
        done = self.n_done
        rows = self._sample[["sender", "contact", "inclusion_probability"]].head(done).reset_index(drop=True)
        return rows.assign(inclusion_probability=rows["inclusion_probability"] * done / max(self.n_dyads, 1))

    def _next(self, dyad: Dyad) -> Message | None:
        return next_message(self._messages.get(dyad, ()), self._answers, **self._rule)

    def _store(self) -> None:
        # Read again: another coder may be working on the same file.
        codes = read_codes(self.path) if self.path.exists() else self._sample
        rows = [
            (*dyad, self._chance[dyad], message_id, self.coder, answer.level, answer.is_automatic)
            for message_id, answer in self._answers.items()
            for dyad in (self._dyad_of[message_id],)
        ]
        own = pd.DataFrame(rows, columns=list(CODES)).astype(CODES)
        others = codes[(codes["coder"] != self.coder).fillna(True)]
        write_codes(pd.concat([others, own], ignore_index=True) if rows else others, self.path)

    def _require_same_export(self, codes: pd.DataFrame) -> None:
        here = {(*dyad, m.message_id) for dyad in self._dyads for m in self._messages.get(dyad, ())}
        coded = codes[codes["message_id"].notna()]
        for sender, contact, message_id in zip(coded["sender"], coded["contact"], coded["message_id"], strict=True):
            if (sender, contact, message_id) not in here:
                msg = (
                    f"{self.path}: message {message_id} of dyad ({sender}, {contact}) is not in this export; the codes "
                    "were made on another one: give that, or another file for the codes"
                )
                raise SchemaError(msg)


def _by_dyad(material: pd.DataFrame) -> dict[Dyad, list[Message]]:
    found: dict[Dyad, list[Message]] = {}
    texts = material["text"].where(material["text"].str.strip() != "")
    columns = (material[c] for c in ("sender", "contact", "message_id", "is_own", "day", "kind"))
    for sender, contact, message_id, is_own, day, kind, text in zip(*columns, texts, strict=True):
        readable = str(text) if isinstance(text, str) else None
        message = Message(int(message_id), bool(is_own), int(day), str(kind), readable)
        found.setdefault((int(sender), int(contact)), []).append(message)
    return found

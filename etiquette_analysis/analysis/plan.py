"""The analysis plan: every decision that could move the answer, fixed before anybody looks.

A comparison is honest only if its windows, thresholds and covariates were chosen without seeing the replies. A
:class:`Plan` holds those choices, cannot be changed, and has a fingerprint (SHA-256) that is printed beside every
number, so that a reader can check that two results answer the same question.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from dataclasses import dataclass
from typing import Final, Literal

from etiquette_analysis.errors import DesignError
from etiquette_analysis.schema import PITCH_LEVELS

Language = Literal["en", "it"]

LANGUAGES: Final = ("en", "it")
OUTCOMES: Final = ("reply", "positive_reply", "any_reply")
#: What a source may know when two people connect; used where the dyads table has it (calendar: time of connecting).
DEFAULT_COVARIATES: Final = ("invited_by_sender", "has_note", "acceptance_days", "seniority", "language", "calendar")
LONGEST_WINDOW_DAYS: Final = 365


@dataclass(frozen=True)
class Plan:
    """What is compared with what, on whom, and with which outcome.

    Attributes
    ----------
    immediate, deferred : (int, int)
        First and last day, counted from the day of connecting, of a pitch "at once" and of a pitch "after a wait".
    window_days : float
        A reply counts when it comes within so many times 24 hours of the first message of the pitch's turn.
    pitch_level : str
        The weakest level that makes a message a pitch.
    covariates : tuple of str, optional
        Columns of the dyads table that are adjusted for; None: those of ``DEFAULT_COVARIATES`` and all ``x_*``.
    recency : bool
        Whether "they first wrote in the last 3 days" may change the daily chance of a pitch.
    outcome : {"reply", "positive_reply", "any_reply"}
        Human reply; human reply known to be positive; automatic replies counted too.
    cluster : {None, "sender"}
        Standard errors: None decides by the number of senders (6 or more: clustered by sender).
    sesoi : float
        Smallest difference of interest, as a fraction: inside it two strategies are "practically equal".
    conf_level : float
        Of every interval.
    follow_up_gap_hours : float
        A silence of more than so many hours between own messages begins a new turn.
    history_days : int
        Connections of the first so many days of message history are left out, as earlier messages may be missing.

    Raises
    ------
    DesignError
        Where a value makes no sense, naming it.

    Examples
    --------
    >>> plan = Plan(window_days=7)
    >>> plan.follow_up_days, plan.hash[:12] == Plan(window_days=7).hash[:12], plan.hash == Plan().hash
    (37, True, False)
    >>> Plan(immediate=(0, 1), deferred=(1, 30))
    Traceback (most recent call last):
    etiquette_analysis.errors.DesignError: deferred=(1, 30) begins before immediate=(0, 1) has ended; ...
    """

    immediate: tuple[int, int] = (0, 1)
    deferred: tuple[int, int] = (7, 30)
    window_days: float = 14
    pitch_level: str = "moderate"
    covariates: tuple[str, ...] | None = None
    recency: bool = True
    outcome: str = "reply"
    cluster: str | None = None
    sesoi: float = 0.05
    conf_level: float = 0.95
    follow_up_gap_hours: float = 24
    history_days: int = 30

    def __post_init__(self) -> None:
        for name in ("immediate", "deferred"):
            object.__setattr__(self, name, _window(name, getattr(self, name)))
        if self.deferred[0] <= self.immediate[1]:
            msg = (
                f"deferred={self.deferred} begins before immediate={self.immediate} has ended; "
                "the two windows must not overlap, e.g. immediate=(0, 1), deferred=(7, 30)"
            )
            raise DesignError(msg)
        _require_positive("window_days", self.window_days, LONGEST_WINDOW_DAYS)
        _require_positive("follow_up_gap_hours", self.follow_up_gap_hours, math.inf)
        _require_share("sesoi", self.sesoi)
        _require_share("conf_level", self.conf_level)
        _require_one_of("pitch_level", self.pitch_level, PITCH_LEVELS[1:])
        _require_one_of("outcome", self.outcome, OUTCOMES)
        _require_one_of("cluster", self.cluster, (None, "sender"))
        if isinstance(self.history_days, bool) or not isinstance(self.history_days, int) or self.history_days < 0:
            msg = f"history_days={self.history_days!r}: expected a whole number of days, 0 or more"
            raise DesignError(msg)
        if self.covariates is not None:
            object.__setattr__(self, "covariates", _covariates(self.covariates))

    @property
    def follow_up_days(self) -> float:
        """Days that must lie between a connection and the end of observation: the longest wait and the reply window."""
        return self.deferred[1] + self.window_days

    @property
    def canonical(self) -> str:
        """All choices as one line of JSON, keys in order and bare numbers as floats; what is hashed."""
        values = dataclasses.asdict(self)
        for name in ("window_days", "follow_up_gap_hours", "sesoi", "conf_level"):
            values[name] = float(values[name])
        return json.dumps(values, sort_keys=True, separators=(",", ":"))

    @property
    def hash(self) -> str:
        """SHA-256 of ``canonical``, in hexadecimal."""
        return hashlib.sha256(self.canonical.encode()).hexdigest()

    def __repr__(self) -> str:
        """Show what differs from the default plan, the windows always, and the start of the hash."""
        shown = [f"immediate={self.immediate}", f"deferred={self.deferred}", f"window_days={self.window_days:g}"]
        for field in dataclasses.fields(self)[3:]:
            value = getattr(self, field.name)
            if value != field.default:
                shown.append(f"{field.name}={value!r}")
        return f"Plan({', '.join(shown)})  # {self.hash[:12]}"

    def text(self, language: Language = "en") -> str:
        """Return the plan in words, in English or Italian.

        >>> print(Plan().text("it"))
        Domanda: su 100 nuovi contatti, quanti in più o in meno risponderebbero ...
        """
        template = _TEXT[require_language(language)]
        level = _LEVEL_WORDS[language][self.pitch_level]
        return template.format(
            a=_days(self.immediate, language),
            b=_days(self.deferred, language),
            window=f"{self.window_days:g}",
            level=level,
            outcome=_OUTCOME_WORDS[language][self.outcome],
            follow_up=f"{self.follow_up_days:g}",
            history=self.history_days,
            conf=f"{100 * self.conf_level:g}",
            sesoi=f"{100 * self.sesoi:g}",
            hash=self.hash,
        )


def require_language(language: str) -> Language:
    """Return ``language``, or raise ``DesignError`` where it is neither "en" nor "it"."""
    if language not in LANGUAGES:
        msg = f"language={language!r}: expected 'en' or 'it'"
        raise DesignError(msg)
    return language  # type: ignore[return-value]


def _window(name: str, value: object) -> tuple[int, int]:
    msg = f"{name}={value!r}: expected two whole numbers of days (first, last), 0 <= first <= last, e.g. (7, 30)"
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise DesignError(msg)
    first, last = value
    if any(isinstance(v, bool) or not isinstance(v, int) for v in value) or not 0 <= first <= last:
        raise DesignError(msg)
    if last > LONGEST_WINDOW_DAYS:
        msg = f"{name}={value!r} ends after {LONGEST_WINDOW_DAYS} days; no window of this study is that long"
        raise DesignError(msg)
    return first, last


def _covariates(value: object) -> tuple[str, ...]:
    names = tuple(value) if isinstance(value, list | tuple) else ()
    if not isinstance(value, list | tuple) or any(not isinstance(v, str) for v in names):
        msg = f"covariates={value!r}: expected a tuple of column names, or None for the default set"
        raise DesignError(msg)
    strange = [v for v in names if v not in DEFAULT_COVARIATES and not v.startswith("x_")]
    if strange or len(set(names)) < len(names):
        what = f"{strange[0]!r} is not known at connection" if strange else "a name is repeated"
        msg = f"covariates={names!r}: {what}; expected any of {', '.join(DEFAULT_COVARIATES)} or columns named x_..."
        raise DesignError(msg)
    return names


def _require_positive(name: str, value: object, limit: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= limit:
        msg = f"{name}={value!r}: expected a number above 0" + (f" and at most {limit:g}" if limit < math.inf else "")
        raise DesignError(msg)


def _require_share(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
        msg = f"{name}={value!r}: expected a number between 0 and 1, e.g. {0.05 if name == 'sesoi' else 0.95}"
        raise DesignError(msg)


def _require_one_of(name: str, value: object, allowed: tuple[object, ...]) -> None:
    if value not in allowed:
        msg = f"{name}={value!r}: expected one of {', '.join(map(repr, allowed))}"
        raise DesignError(msg)


def _days(window: tuple[int, int], language: Language) -> str:
    first, last = window
    if first == last:
        return f"on day {first}" if language == "en" else f"il giorno {first}"
    return f"on days {first} to {last}" if language == "en" else f"nei giorni da {first} a {last}"


_LEVEL_WORDS: Final = {
    "en": {"soft": "soft", "moderate": "moderate", "hard": "hard"},
    "it": {"soft": "lieve", "moderate": "moderata", "hard": "forte"},
}
_OUTCOME_WORDS: Final = {
    "en": {
        "reply": "a human reply of any kind",
        "positive_reply": "a positive human reply",
        "any_reply": "any reply, automatic ones included",
    },
    "it": {
        "reply": "una risposta umana di qualunque tenore",
        "positive_reply": "una risposta umana positiva",
        "any_reply": "una risposta qualunque, anche automatica",
    },
}
_TEXT: Final = {
    "en": (
        "Question: of 100 new contacts, how many more or fewer would reply if they were first pitched {a} after "
        "connecting, rather than first pitched {b}?\n"
        "Unit: the connection. Day 0 is the day of connecting (UTC calendar days).\n"
        "Pitch: the first own turn after connecting at intensity {level} or above.\n"
        "Outcome: {outcome} within {window} times 24 hours of the first message of that turn.\n"
        "Who counts: connected at least {follow_up} days before the end of observation and after the first {history} "
        "days of message history; no message before connecting, no pitch in the invitation note.\n"
        "Interval: {conf}%. Differences within {sesoi} percentage points count as practically equal.\n"
        "Plan fingerprint (SHA-256): {hash}"
    ),
    "it": (
        "Domanda: su 100 nuovi contatti, quanti in più o in meno risponderebbero se la prima proposta arrivasse {a} "
        "dopo il collegamento anziché {b}?\n"
        "Unità: il collegamento. Il giorno 0 è quello del collegamento (giorni di calendario UTC).\n"
        "Proposta: il primo turno proprio dopo il collegamento con insistenza {level} o superiore.\n"
        "Esito: {outcome} entro {window} volte 24 ore dal primo messaggio di quel turno.\n"
        "Chi conta: chi si è collegato almeno {follow_up} giorni prima della fine dell'osservazione e dopo i primi "
        "{history} giorni di storia dei messaggi, senza messaggi prima del collegamento né proposte nell'invito.\n"
        "Intervallo: {conf}%. Differenze entro {sesoi} punti percentuali valgono come praticamente uguali.\n"
        "Impronta del piano (SHA-256): {hash}"
    ),
}

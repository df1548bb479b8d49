"""Worlds with a known truth: outreach invented so that an estimate can be held against the answer.

A contact has a hidden receptiveness. It decides whether the contact answers an opener, and in most worlds
whether a pitch gets a reply; the sender sees the answers and decides day by day whether to pitch. Each world
fixes who is pitched when and what timing does to replies, so the true difference between pitching on day 0-1
and on day 7-30 is known from potential outcomes of the same contacts under both strategies. The worlds are hard
on purpose: they show how wrong counting *can* be, not how wrong it usually is (STATISTICS.md, section 11).

Within a day the sender's opener comes first, then the contact's messages, then the decision to pitch.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from etiquette_analysis.errors import DesignError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

#: Days simulated after the connection: the longest deferred window of the robustness battery.
HORIZON_DAYS: Final = 61
NEVER: Final = 10_000

Opener = Literal["natural", "day_0", "none"]


@dataclass(frozen=True)
class World:
    """Parameters of a world; every coefficient is on the logit scale unless its name says otherwise.

    Attributes
    ----------
    name : str
        What the world is about, in a few words.
    reply : float
        Intercept of a reply within 14 days to a pitch that is neither immediate nor warm.
    reply_hidden, reply_seniority, reply_inviter : float
        What receptiveness (standard normal), seniority (centred 0-2) and "the contact invited me" add.
    immediate, rapport, hard : float
        Shift where the pitch comes on day 0-1, after an answer, and where it is a hard sell.
    pitch_now, pitch_between, pitch_later : float
        Daily chance, at the reference values, of a first pitch on days 0-1, 2-6 and 7 or later.
    pitch_answered, pitch_unanswered, pitch_recent : float
        Shift of that chance after an answer, with an opener unanswered, and for 3 days after the first answer;
        on days 0-1 the first two count by ``now_share``.
    pitch_seniority_now, pitch_seniority_later, pitch_inviter_now, pitch_inviter_later : float
    pitch_hidden_now, pitch_hidden_later : float
        Shift by seniority, inviter and by receptiveness itself (the sender sees what we do not).
    gate : bool
        Whether pitches from day 2 on go only to contacts who have answered.
    open_day_0, open_later : float
        Chance of an opener on day 0, and on each of days 1-14.
    answer, answer_hidden, answer_days : float
        Chance (logit) that an opener is ever answered, what receptiveness adds, and the mean delay in days.
    proxy : float
        Correlation of receptiveness with seniority and inviter (0: nothing recorded tells of it).
    hard_now, hard_later : float
        Chance that a pitch on day 0-1, or later, is a hard sell.
    senders : int
        How many senders; with several, ``skill`` shifts both replies and waiting.
    skill : float
        Standard deviation of what a sender's skill adds to replies; the skilled pitch later.
    disconnect_now, disconnect_later : float
        Chance that a contact who did not reply disconnects, and so vanishes from the list of connections.
    """

    name: str
    reply: float = -2.05
    reply_hidden: float = 1.0
    reply_seniority: float = 0.0
    reply_inviter: float = 0.3
    immediate: float = 0.0
    rapport: float = 0.0
    hard: float = 0.0
    pitch_now: float = 0.152
    pitch_between: float = 0.02
    pitch_later: float = 0.0205
    pitch_answered: float = 0.0
    pitch_unanswered: float = 0.0
    pitch_recent: float = 0.0
    now_share: float = 0.5
    pitch_seniority_now: float = 0.0
    pitch_seniority_later: float = 0.0
    pitch_inviter_now: float = 0.0
    pitch_inviter_later: float = 0.0
    pitch_hidden_now: float = 0.0
    pitch_hidden_later: float = 0.0
    gate: bool = False
    open_day_0: float = 0.32
    open_later: float = 0.025
    answer: float = -0.7
    answer_hidden: float = 1.2
    answer_days: float = 3.0
    proxy: float = 0.25
    hard_now: float = 0.45
    hard_later: float = 0.45
    senders: int = 1
    skill: float = 0.0
    disconnect_now: float = 0.0
    disconnect_later: float = 0.0


_RANDOM = World("null, timing unrelated to the person", reply=-1.85, reply_hidden=0.0)
_TRAP = World(
    "null, selection trap",
    reply=-2.15,
    reply_hidden=1.45,
    pitch_now=0.21,
    pitch_between=0.012,
    pitch_later=0.019,
    pitch_answered=2.6,
    pitch_unanswered=-1.0,
    pitch_seniority_now=-0.25,
    pitch_seniority_later=0.15,
    pitch_inviter_now=-0.4,
    pitch_inviter_later=0.3,
    open_day_0=0.42,
    open_later=0.03,
    answer=-0.65,
    answer_hidden=1.5,
)

#: The regimes of the analysis plan, by the letters under which STATISTICS.md, section 11, describes them.
WORLDS: Final[dict[str, World]] = {
    "A": _RANDOM,
    "B": replace(_RANDOM, name="harm, timing unrelated to the person", immediate=-0.77, rapport=0.75),
    "C": replace(
        _RANDOM,
        name="null, measured confounding",
        reply=-1.85,
        reply_seniority=0.7,
        pitch_seniority_now=-0.8,
        pitch_seniority_later=0.25,
        pitch_now=0.185,
        reply_inviter=0.6,
        pitch_inviter_now=-0.2,
        pitch_inviter_later=0.2,
    ),
    "D": _TRAP,
    "E": replace(_TRAP, name="harm, selection trap", immediate=-0.58, rapport=0.62),
    "F": replace(_TRAP, name="help, selection trap", reply=-2.27, immediate=0.33),
    "G": replace(_TRAP, name="null, unmeasured confounding", pitch_hidden_now=-0.5, pitch_hidden_later=0.35),
    "H": replace(_TRAP, name="null, skilled senders wait", senders=40, skill=0.5),
    "I": replace(_TRAP, name="harm, skilled senders wait", immediate=-0.58, rapport=0.62, senders=40, skill=0.5),
    "J": replace(_TRAP, name="null, strict gating", gate=True),
    "K": replace(_TRAP, name="null, trap with recency", pitch_answered=1.0, pitch_recent=2.2, pitch_later=0.0125),
    "L": replace(_TRAP, name="rapport only, selection trap", reply=-1.9, rapport=1.3),
    "M": replace(_TRAP, name="waiting only, selection trap", immediate=-0.85),
    "N": replace(_RANDOM, name="intensity only", reply=-1.85, hard=-1.1, hard_now=0.8, hard_later=0.35),
    "P": replace(
        _TRAP,
        name="null, trap through slow answers",
        proxy=0.0,
        answer_days=9.0,
        answer=0.6,
        pitch_now=0.18,
        pitch_answered=2.6,
        pitch_later=0.0095,
        pitch_unanswered=-1.0,
        pitch_seniority_now=0.0,
        pitch_seniority_later=0.0,
        pitch_inviter_now=0.0,
        pitch_inviter_later=0.0,
    ),
    "S": replace(
        _TRAP,
        name="harm, trap, the annoyed disconnect",
        immediate=-0.58,
        rapport=0.62,
        disconnect_now=0.20,
        disconnect_later=0.03,
    ),
}


@dataclass(frozen=True)
class Course:
    """What happened to each of n contacts in one course of events; days are counted from the connection.

    ``pitch_day``, ``opener_day`` and ``answered_day`` are ``NEVER`` where it did not happen;
    ``reply`` is True where the pitch was answered within 14 days.
    """

    pitch_day: Ints
    opener_day: Ints
    answered_day: Ints
    hard: Bools
    reply: Bools


@dataclass(frozen=True)
class Contacts:
    """The n contacts of a world before anything happens, with every random number they will ever need.

    Common random numbers: the same contact under another strategy uses the same draws, so a contrast of
    strategies has next to no simulation error.
    """

    world: World
    sender: Ints
    skill: Floats
    hidden: Floats
    seniority: Ints
    contact_invited: Bools
    has_note: Bools
    acceptance_days: Floats
    italian: Bools
    open_draw: Floats
    answer_draw: Floats
    answer_delay: Floats
    spontaneous_draw: Floats
    pitch_draw: Floats
    hard_draw: Floats
    reply_draw: Floats
    rng: np.random.Generator = field(repr=False)

    def __len__(self) -> int:
        """Return the number of contacts."""
        return len(self.sender)


def expit(x: Floats) -> Floats:
    """Return the logistic function of ``x``."""
    return 1.0 / (1.0 + np.exp(-x))


def logit(p: float) -> float:
    """Return the log odds of ``p``."""
    return float(np.log(p / (1.0 - p)))


def draw_contacts(world: World, n: int, rng: np.random.Generator) -> Contacts:
    """Draw n contacts of ``world``, with all their random numbers."""
    sender = rng.integers(0, world.senders, n) if world.senders > 1 else np.zeros(n, dtype=np.int64)
    skill = (rng.standard_normal(world.senders) * world.skill)[sender]
    hidden = rng.standard_normal(n)
    proxy = world.proxy * hidden + np.sqrt(1 - world.proxy**2) * rng.standard_normal(n)
    seniority = np.digitize(proxy, [-0.4, 0.7]).astype(np.int64)
    contact_invited = rng.random(n) < expit(-0.6 + 1.2 * world.proxy * hidden)
    has_note = ~contact_invited & (rng.random(n) < 0.3)
    # How long the invitation waited precedes every pitch and tells of receptiveness: a negative control.
    acceptance = np.exp(0.6 - 0.45 * hidden + 0.9 * rng.standard_normal(n))
    return Contacts(
        world=world,
        sender=sender,
        skill=skill,
        hidden=hidden,
        seniority=seniority,
        contact_invited=contact_invited,
        has_note=has_note,
        acceptance_days=np.minimum(acceptance, 90.0),
        italian=rng.random(n) < 0.6,
        open_draw=rng.random((n, 15)),
        answer_draw=rng.random(n),
        answer_delay=rng.standard_exponential(n) * world.answer_days,
        spontaneous_draw=rng.random((n, HORIZON_DAYS)),
        pitch_draw=rng.random((n, HORIZON_DAYS)),
        hard_draw=rng.random(n),
        reply_draw=rng.random(n),
        rng=rng,
    )


def pitch_chance(contacts: Contacts, day: int, answered: Ints, opened: Ints) -> Floats:
    """Return each contact's chance of a first pitch on ``day``, given the messages so far."""
    w = contacts.world
    is_now = day <= 1
    base = w.pitch_now if is_now else w.pitch_between if day <= 6 else w.pitch_later
    senior, inviter, seen = (
        (w.pitch_seniority_now, w.pitch_inviter_now, w.pitch_hidden_now)
        if is_now
        else (w.pitch_seniority_later, w.pitch_inviter_later, w.pitch_hidden_later)
    )
    is_answered = answered <= day
    is_waiting = (opened <= day) & ~is_answered
    is_recent = is_answered & (day - answered <= 3)
    share = w.now_share if is_now else 1.0
    x = (
        logit(base)
        + senior * (contacts.seniority - 1.0)
        + inviter * contacts.contact_invited
        + seen * contacts.hidden
        + share * (w.pitch_answered * is_answered + w.pitch_unanswered * is_waiting)
        + (0.0 if is_now else w.pitch_recent) * is_recent
        + (-1.0 if is_now else 0.6) * contacts.skill
    )
    p = expit(x)
    return np.where(is_answered | is_now, p, 0.0) if w.gate else p


def run(
    contacts: Contacts,
    *,
    pitch_day: Ints | None = None,
    opener: Opener = "natural",
    gate_until: int | None = None,
    hard: Bools | None = None,
) -> Course:
    """Let the days pass: naturally, or under a strategy.

    Parameters
    ----------
    contacts : Contacts
        The people and their draws.
    pitch_day : array of int, optional
        The day on which the strategy pitches each contact; natural where not given.
    opener : {"natural", "day_0", "none"}
        Who gets an opener.
    gate_until : int, optional
        Under a strategy, pitch on ``pitch_day`` or as soon after it as the contact has answered, up to this day; else
        never.
    hard : array of bool, optional
        Intensity set by the strategy; natural where not given.
    """
    w, n = contacts.world, len(contacts)
    opened = np.full(n, NEVER)
    answered = np.full(n, NEVER)
    pitched = np.full(n, NEVER)
    if opener == "day_0":
        opened[:] = 0
    answers = contacts.answer_draw < expit(w.answer + w.answer_hidden * contacts.hidden)
    spontaneous = expit(-6.2 + 0.8 * contacts.hidden)
    for day in range(HORIZON_DAYS):
        unpitched = pitched == NEVER
        if opener == "natural" and day < 15:
            chance = w.open_day_0 if day == 0 else w.open_later
            starts = unpitched & (opened == NEVER) & (answered == NEVER) & (contacts.open_draw[:, day] < chance)
            opened[starts] = day
        is_answer = answers & (opened <= day) & (opened + contacts.answer_delay < day + 1)
        writes = is_answer | (contacts.spontaneous_draw[:, day] < spontaneous)
        answered[unpitched & (answered == NEVER) & writes] = day
        if pitch_day is None:
            due = contacts.pitch_draw[:, day] < pitch_chance(contacts, day, answered, opened)
        elif gate_until is not None:
            due = (day >= pitch_day) & (answered <= day) & (day <= gate_until)
        else:
            due = pitch_day == day
        pitched[unpitched & due] = day
    is_now = pitched <= 1
    is_hard = contacts.hard_draw < np.where(is_now, w.hard_now, w.hard_later) if hard is None else hard
    reply_chance = expit(
        w.reply
        + w.reply_hidden * contacts.hidden
        + w.reply_seniority * (contacts.seniority - 1.0)
        + w.reply_inviter * contacts.contact_invited
        + w.immediate * is_now
        + w.rapport * (answered <= pitched) * (answered < NEVER)
        + w.hard * is_hard
        + contacts.skill
    )
    reply = (pitched < NEVER) & (contacts.reply_draw < reply_chance)
    return Course(pitched, opened, np.where(answered <= pitched, answered, NEVER), is_hard, reply)


def get_world(world: str | World) -> World:
    """Return the world of that letter, or the world itself.

    Raises
    ------
    DesignError
        Where the letter names none.
    """
    if isinstance(world, World):
        return world
    if world not in WORLDS:
        msg = f"no world {world!r}; there are " + ", ".join(f"{k} ({w.name})" for k, w in WORLDS.items())
        raise DesignError(msg)
    return WORLDS[world]


def true_values(
    world: str | World,
    *,
    n: int = 1_000_000,
    seed: int = 20_240_601,
    immediate: tuple[int, int] = (0, 1),
    deferred: tuple[int, int] = (7, 30),
) -> dict[str, float]:
    """Return the truth of a world from potential outcomes of n contacts under each strategy.

    Pitch days are drawn from the natural distribution of first-pitch days inside each window, independent of
    what happens (a stochastic grace period).

    Returns
    -------
    dict
        Rates in [0, 1]: ``now``, ``later``, ``later_no_opener``, ``later_opener``, ``gate``; contrasts ``rd``
        (now - later), ``s1``, ``s2``, ``s3`` (gains from waiting, opening, gating), ``s4`` (``rd`` at equal
        intensity); and what counting shows: ``share_now``, ``share_later``, ``warm_share``, ``counted_any``
        (now - any later), ``counted_warm``, ``counted_cold``.
    """
    w = get_world(world)
    rng = np.random.default_rng(seed)
    sums: dict[str, float] = {}
    size = min(n, 100_000)
    pilot = run(draw_contacts(w, size, np.random.default_rng(seed + 1)))
    days_now = _window_days(pilot.pitch_day, immediate)
    days_later = _window_days(pilot.pitch_day, deferred)
    chunks = max(1, n // size)
    for _ in range(chunks):
        c = draw_contacts(w, size, rng)
        now_day = rng.choice(days_now, size)
        later_day = rng.choice(days_later, size)
        natural = run(c)
        cells = {
            "now": run(c, pitch_day=now_day).reply,
            "later": run(c, pitch_day=later_day).reply,
            "later_no_opener": run(c, pitch_day=later_day, opener="none").reply,
            "later_opener": run(c, pitch_day=later_day, opener="day_0").reply,
            "gate": run(c, pitch_day=later_day, opener="day_0", gate_until=deferred[1]).reply,
        }
        for i, is_hard in (("soft", False), ("hard", True)):
            level = np.full(size, is_hard)
            cells[f"now_{i}"] = run(c, pitch_day=now_day, hard=level).reply
            cells[f"later_{i}"] = run(c, pitch_day=later_day, hard=level).reply
        for key, reply in cells.items():
            sums[key] = sums.get(key, 0.0) + float(reply.mean()) / chunks
        for key, value in _counts(natural, immediate, deferred).items():
            sums[key] = sums.get(key, 0.0) + value / chunks
    return {
        **sums,
        "rd": sums["now"] - sums["later"],
        "s1": sums["later_no_opener"] - sums["now"],
        "s2": sums["later_opener"] - sums["later_no_opener"],
        "s3": sums["gate"] - sums["now"],
        "s4": (sums["now_soft"] + sums["now_hard"] - sums["later_soft"] - sums["later_hard"]) / 2,
    }


def _window_days(pitch_day: Ints, window: tuple[int, int]) -> Ints:
    return pitch_day[(pitch_day >= window[0]) & (pitch_day <= window[1])]


def _counts(course: Course, immediate: tuple[int, int], deferred: tuple[int, int]) -> dict[str, float]:
    """Return what somebody who only counts would see in the natural course."""
    day = course.pitch_day
    now = (day >= immediate[0]) & (day <= immediate[1])
    later = (day >= deferred[0]) & (day <= deferred[1])
    any_later = (day > immediate[1]) & (day <= deferred[1])
    warm = course.answered_day < NEVER

    def rate(mask: Bools) -> float:
        return float(course.reply[mask].mean()) if mask.any() else float("nan")

    return {
        "share_now": float(now.mean()),
        "share_later": float(later.mean()),
        "warm_share": float(warm[later].mean()) if later.any() else float("nan"),
        "counted_any": rate(now) - rate(any_later),
        "counted_warm": rate(now) - rate(any_later & warm),
        "counted_cold": rate(now) - rate(any_later & ~warm),
    }

"""The structural labels once more, in plain Python loops, written from the codebook and from nothing else.

Slow and naive on purpose: no arrays, no cumulative sums, every turn looks through all the others.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
LEVELS = ["none", "soft", "moderate", "hard"]


def pair(a, b):
    return tuple(sorted((a, b), key=lambda name: name.encode()))


def connection_of(message, connections):
    """Return (instant, resolution) of the earliest connection of the message's dyad, or None."""
    a, b = message["sender"], message["recipient"]
    if a is None or b is None or a == b:
        return None
    dates = []
    for person_a, person_b, connected_at, resolution in connections:
        if person_a is None or person_b is None or connected_at is None or {person_a, person_b} != {a, b}:
            continue
        if resolution != "second":
            resolution = "day"
            connected_at = connected_at.replace(hour=0, minute=0, second=0, microsecond=0)
        dates.append((connected_at, resolution))
    if not dates:
        return None
    first = min(instant for instant, _ in dates)
    resolutions = {resolution for instant, resolution in dates if instant == first}
    return first, "second" if "second" in resolutions else "day"


def timing_of(message, connections, immediate_hours):
    """Return since_connection_min, since_connection_max and timing of one message."""
    connection = connection_of(message, connections)
    sent, kind = message["sent_at"], message["kind"]
    low = high = timing = None
    if connection is not None and sent is not None:
        instant, resolution = connection
        high = sent - instant
        if resolution == "day":
            low = sent - (instant + DAY)
            if kind == "message" and sent >= instant:
                low = max(low, timedelta(0))
            days = (sent.date() - instant.date()).days
            if days < 0:
                timing = "before"
            elif days <= math.ceil(immediate_hours / 24):
                timing = "immediate"
            elif days <= 7:
                timing = "first_week"
            elif days <= 30:
                timing = "first_month"
            else:
                timing = "later"
        else:
            low = high
            if high < timedelta(0):
                timing = "before"
            elif high <= timedelta(hours=immediate_hours):
                timing = "immediate"
            elif high <= 7 * DAY:
                timing = "first_week"
            elif high <= 30 * DAY:
                timing = "first_month"
            else:
                timing = "later"
    if kind == "invitation":
        timing = "before"
    return low, high, timing


def enters_turns(message):
    return (
        message["kind"] in ("message", "invitation", "inmail")
        and message["sent_at"] is not None
        and message["sender"] is not None
        and message["recipient"] is not None
        and message["sender"] != message["recipient"]
    )


def turns_of(
    messages,
    connections,
    observed_until=None,
    window_days=14,
    follow_up_gap_hours=24,
    immediate_hours=24,
    pitch_level="moderate",
):
    """Return the turns as dicts, each with its ``messages``, in (dyad, started_at, first_message_id) order."""
    if observed_until is None:
        observed_until = max((m["sent_at"] for m in messages if m["sent_at"] is not None), default=None)
    dyads = {}
    for message in messages:
        if enters_turns(message):
            dyads.setdefault(pair(message["sender"], message["recipient"]), []).append(message)
    turns = []
    for people, members in dyads.items():
        members = sorted(members, key=lambda m: (m["sent_at"], m["message_id"]))
        dyad_turns = split(members, connections, follow_up_gap_hours, immediate_hours)
        for number, run in enumerate(dyad_turns):
            turns.append(
                label(people, number, run, dyad_turns, connections, observed_until, window_days, immediate_hours)
            )
        flag_firsts(turns[-len(dyad_turns) :], pitch_level)
    return sorted(turns, key=lambda t: (t["dyad"].encode(), t["started_at"], t["first_message_id"]))


def split(members, connections, follow_up_gap_hours, immediate_hours):
    runs = []
    previous = None
    for message in members:
        timing = timing_of(message, connections, immediate_hours)[2]
        if (
            previous is None
            or previous["sender"] != message["sender"]
            or message["sent_at"] - previous["sent_at"] > timedelta(hours=follow_up_gap_hours)
            or (timing_of(previous, connections, immediate_hours)[2] == "before" and timing != "before")
        ):
            runs.append([])
        runs[-1].append(message)
        previous = message
    return runs


def label(people, number, run, dyad_turns, connections, observed_until, window_days, immediate_hours):
    first = run[0]
    sender, start = first["sender"], first["sent_at"]
    low, high, timing = timing_of(first, connections, immediate_hours)
    earlier, later = dyad_turns[:number], dyad_turns[number + 1 :]
    sent_before = sum(turn[0]["sender"] == sender for turn in earlier)
    received_before = sum(turn[0]["sender"] != sender for turn in earlier)
    if received_before == 0:
        rapport = "none"
    elif received_before >= 2 and sent_before >= 1:
        rapport = "exchange"
    else:
        rapport = "acknowledged"
    replies = [turn[0]["sent_at"] for turn in later if turn[0]["sender"] != sender]
    hours = (replies[0] - start) / HOUR if replies else None
    if replies and replies[0] - start <= timedelta(days=window_days):
        status = "replied"
    elif start + timedelta(days=window_days) > observed_until:
        status = "censored"
    else:
        status = "no_reply"
    scores = [m["pitch_score"] for m in run if m["pitch_score"] is not None]
    levels = [LEVELS.index(m["pitch_level"]) for m in run if m["pitch_level"] is not None]
    return {
        "dyad": "\t".join(people),
        "sender": sender,
        "recipient": first["recipient"],
        "started_at": start,
        "ended_at": run[-1]["sent_at"],
        "first_message_id": first["message_id"],
        "n_messages": len(run),
        "since_connection_min": low,
        "since_connection_max": high,
        "timing": timing,
        "sent_before": sent_before,
        "received_before": received_before,
        "rapport": rapport,
        "pitch_score": max(scores) if scores else None,
        "pitch_level": LEVELS[max(levels)] if levels else None,
        "reply_status": status,
        "hours_to_reply": hours,
        "kind": first["kind"],
        "messages": run,
    }


def flag_firsts(dyad_turns, pitch_level):
    approached, pitched = set(), set()
    for turn in dyad_turns:
        after = turn["timing"] not in (None, "before")
        pitch = (
            after and turn["pitch_level"] is not None and LEVELS.index(turn["pitch_level"]) >= LEVELS.index(pitch_level)
        )
        turn["is_approach"] = after and turn["sender"] not in approached
        turn["is_first_pitch"] = pitch and turn["sender"] not in pitched
        turn["immediate_pitch"] = turn["is_first_pitch"] and turn["timing"] == "immediate" and turn["rapport"] == "none"
        if after:
            approached.add(turn["sender"])
        if pitch:
            pitched.add(turn["sender"])


FROM_TURN = (
    "sent_before",
    "received_before",
    "rapport",
    "reply_status",
    "hours_to_reply",
    "is_approach",
    "is_first_pitch",
    "immediate_pitch",
    "first_message_id",
)


def messages_of(messages, connections, observed_until=None, immediate_hours=24, **options):
    """Return the labels of every message as dicts, in the order given."""
    of_message = {}
    for turn in turns_of(messages, connections, observed_until, immediate_hours=immediate_hours, **options):
        for message in turn["messages"]:
            of_message[message["message_id"]] = turn
    rows = []
    for message in messages:
        low, high, timing = timing_of(message, connections, immediate_hours)
        turn = of_message.get(message["message_id"])
        a, b = message["sender"], message["recipient"]
        row = {
            name: message[name]
            for name in ("message_id", "sender", "recipient", "sent_at", "kind", "pitch_score", "pitch_level")
        }
        row["dyad"] = None if a is None or b is None or a == b else "\t".join(pair(a, b))
        row |= {"since_connection_min": low, "since_connection_max": high, "timing": timing}
        for name in FROM_TURN:
            row[name] = turn[name] if turn else (False if name.startswith(("is_", "immediate_")) else None)
        rows.append(row)
    return rows


__all__ = ["UTC", "datetime", "messages_of", "timing_of", "turns_of"]

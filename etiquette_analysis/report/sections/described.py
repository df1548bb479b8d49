"""What was counted: rates, habits, rapport, intensity, waiting.

Facts about what was sent, each with the warning that goes with it.
"""

from __future__ import annotations

from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any, Final

from etiquette_analysis.report import figures
from etiquette_analysis.report.html import Fragment, paragraph, section, table
from etiquette_analysis.report.language import Voice, look_up, write_number
from etiquette_analysis.report.sections.shared import drawn, drawn_rates, hidden_note, knows
from etiquette_analysis.report.style import COLOURS, LATER

if TYPE_CHECKING:
    from etiquette_analysis.analysis.plan import Language
    from etiquette_analysis.report.findings import Findings


def counting(findings: Findings, *, language: Language = "en") -> Fragment:
    """Return what counting shows, and why it is not the answer."""
    voice = Voice(findings.results, language)
    groups = ("now", "any_later", "any_later_warm", "any_later_cold")
    rows = [
        {"label": voice.words(f"counting.row_{g}"), "colour": COLOURS.get(g, LATER), **findings.results["counted"][g]}
        for g in groups
    ]
    is_counted = findings.comparison.level > 0 and knows(voice, "counted.rd_any_later.estimate")
    split = "counted.any_later_warm.rate", "counted.any_later_cold.rate"
    return section(
        "counting",
        voice.say("counting.title"),
        paragraph(voice.say("counting.lead" if is_counted else "counting.few")),
        paragraph(
            voice.say("counting.trap" if knows(voice, "counted.warm_share") else "counting.trap_general"),
            voice.say(_split_shows(voice)) if is_counted and knows(voice, *split) else "",
        ),
        drawn_rates(voice, "counting", rows) if any(row["rate"] is not None for row in rows) else "",
        paragraph(voice.say("counting.definition"), kind="definition"),
    )


def _split_shows(voice: Voice) -> str:
    """Return the sentence on cold and warm later pitches: whether people who had written do reply more here."""
    warm, cold = (voice.results["counted"][f"any_later_{kind}"] for kind in ("warm", "cold"))
    return "counting.warm_cold" if warm["low"] > cold["rate"] else "counting.warm_cold_open"


def habits(findings: Findings, *, language: Language = "en") -> Fragment:
    """Return how soon, how hard and to whom the owner pitches."""
    voice = Voice(findings.results, language)
    found = findings.results["habits"]
    is_described = knows(voice, "habits.share_pitched", "habits.share_now", "habits.median_day", "habits.share_hard")
    parts = [paragraph(voice.say("habits.lead" if is_described else "habits.few"))]
    if knows(voice, "habits.share_opened", "habits.share_answered"):
        parts.append(paragraph(voice.say("habits.openers")))
    if is_described:
        alt = voice.words("habits.alt") + "; ".join(_when_in_words(voice, row) for row in found["when"]) + "."
        parts.append(drawn(voice, "habits", partial(figures.draw_when, voice), alt=alt, caption="habits.caption"))
    if is_described and found["whom"]:
        head = [voice.say(f"habits.head_{name}") for name in ("trait", "n", "now", "pitched")]
        rows = [_whom_row(voice, k, row) for k, row in enumerate(found["whom"])]
        parts += [
            f"<h3>{voice.say('habits.whom')}</h3>",
            paragraph(voice.say("habits.whom_lead")),
            table(head, rows, caption=voice.say("habits.whom_table")),
            paragraph(voice.say("habits.definition"), kind="definition"),
        ]
    numbers = [row["n"] for row in found["when"]] + [v for row in found["whom"] for v in row.values()]
    if is_described:
        parts.append(hidden_note(voice, numbers))
    if findings.inputs.turns is None:
        parts.append(paragraph(voice.say("habits.no_turns"), kind="notice"))
    return section("habits", voice.say("habits.title"), *parts)


def _when_in_words(voice: Voice, row: dict[str, Any]) -> str:
    n = voice.words("terms.few") if row["n"] is None else write_number(row["n"], "n", voice.language)
    return f"{figures.when_label(voice, row)}: {n}"


def _whom_row(voice: Voice, k: int, row: dict[str, Any]) -> list[str]:
    known = voice.words("whom")[row["trait"]]
    numbers = (("n", "n"), ("share_now", "rate"), ("share_pitched", "rate"))
    label = known.get(row["value"], escape(row["value"]))
    return [label, *(voice.number(f"habits.whom[{k}].{name}", kind) for name, kind in numbers)]


def received(findings: Findings, *, language: Language = "en") -> Fragment:
    """Return how soon others pitch the owner and what the owner answers; nothing where only dyads are known."""
    if findings.inputs.turns is None:
        return Fragment("")
    voice = Voice(findings.results, language)
    found = findings.results["received"]
    title = voice.say("received.title")
    if found is None or found["share_hard"] is None:
        return section(
            "received", title, paragraph(voice.say("received.no_owner" if found is None else "received.few"))
        )
    says = [
        voice.say("received.lead"),
        voice.say("received.hard" if found["share_hard"] else "received.none_hard"),
        voice.say("received.timing") if found["share_now"] is not None else "",
        voice.say("received.answers") if found["answers"]["rate"] is not None else "",
        voice.say("received.hours") if found["median_hours"] is not None else "",
    ]
    head = [voice.say(f"received.head_{name}") for name in ("what", "sent", "received")]
    rows = [
        [voice.say(f"received.rows.{name}"), *(voice.number(f"{side}.{path}", kind) for side in _BOTH)]
        for name, (path, kind) in _SIDES.items()
    ]
    return section(
        "received",
        title,
        paragraph(*says),
        table(head, rows, caption=voice.say("received.table")),
        paragraph(voice.say("received.definition"), kind="definition"),
        hidden_note(
            voice, [look_up(findings.results, f"{side}.{path}") for path, _ in _SIDES.values() for side in _BOTH]
        ),
    )


_BOTH: Final = ("sent", "received")
#: Row of the table of both sides -> where its number lies, and how it is written.
_SIDES: Final = {
    "n": ("n", "n"),
    "now": ("share_now", "rate"),
    "median_day": ("median_day", "n"),
    "hard": ("share_hard", "rate"),
    "answers": ("answers.rate", "rate"),
    "answers_now": ("answers_now.rate", "rate"),
    "answers_later": ("answers_later.rate", "rate"),
    "hours": ("median_hours", "span"),
}


def rapport(findings: Findings, *, language: Language = "en") -> Fragment:
    """Return how first pitches were answered by how much had been written before; nothing for dyads alone."""
    if findings.inputs.turns is None:
        return Fragment("")
    voice = Voice(findings.results, language)
    rows = [
        {"label": voice.words(f"terms.{row['rapport']}"), "colour": LATER, **row} for row in findings.results["rapport"]
    ]
    is_drawn = any(row["rate"] is not None for row in rows)
    return section(
        "rapport",
        voice.say("rapport.title"),
        paragraph(voice.say("rapport.lead" if is_drawn else "habits.few")),
        drawn_rates(voice, "rapport", rows) if is_drawn else "",
        paragraph(
            voice.say("rapport.caution"),
            voice.say("rapport.opener") if knows(voice, "secondary.S2.estimate") else "",
        ),
        paragraph(voice.say("rapport.definition"), kind="definition"),
        hidden_note(voice, [row["rate"] for row in rows]) if is_drawn else "",
    )


def grid(findings: Findings, *, language: Language = "en") -> Fragment:
    """Return reply rates by timing and intensity together."""
    voice = Voice(findings.results, language)
    cells = findings.results["grid"]
    if all(cell["n"] is None for cell in cells):
        return section("grid", voice.say("grid.title"), paragraph(voice.say("grid.few")))
    levels = list(dict.fromkeys(cell["pitch_level"] for cell in cells))
    rows: dict[str, list[str]] = {}
    drawn = [{"label": _cell_name(voice, cell), "colour": COLOURS[cell["timing"]], **cell} for cell in cells]
    for k, cell in enumerate(cells):
        few = f'<span class="aside">{voice.words("terms.few")}</span>'
        text = few if cell["rate"] is None else voice.say("grid.cell", at=f"grid[{k}]")
        rows.setdefault(cell["timing"], [voice.say(f"terms.{cell['timing']}")]).append(text)
    head = [voice.say("grid.head"), *(voice.say(f"terms.{level}") for level in levels)]
    return section(
        "grid",
        voice.say("grid.title"),
        paragraph(voice.say("grid.lead")),
        drawn_rates(voice, "grid", drawn),
        table(head, rows.values(), caption=voice.say("grid.table")),
        paragraph(
            voice.say("grid.intensity") if knows(voice, "secondary.hard_minus_moderate.estimate") else "",
            voice.say("grid.interaction") if knows(voice, "secondary.interaction.estimate") else "",
        ),
        paragraph(voice.say("grid.note"), kind="definition"),
        hidden_note(voice, [cell["rate"] for cell in cells]),
    )


def _cell_name(voice: Voice, cell: dict[str, Any]) -> str:
    return f"{voice.plain(voice.words('terms.' + cell['timing']))}, {voice.words('terms.' + cell['pitch_level'])}"


def waiting(findings: Findings, *, language: Language = "en") -> Fragment:
    """Return how long replies take."""
    voice = Voice(findings.results, language)
    known = [g for g in ("now", "any_later") if knows(voice, f"waiting.{g}")]
    if "now" not in known:
        return section("waiting", voice.say("waiting.title"), paragraph(voice.say("waiting.few")))
    alt = voice.words("waiting.alt") + " ".join(_curve_in_words(voice, g) for g in known)
    draw = partial(figures.draw_curves, voice, findings)
    return section(
        "waiting",
        voice.say("waiting.title"),
        paragraph(voice.say("waiting.lead"), voice.say("waiting.later") if "any_later" in known else ""),
        drawn(voice, "waiting", draw, alt=alt, caption="waiting.caption"),
        paragraph(voice.say("waiting.definition"), kind="definition"),
    )


def _curve_in_words(voice: Voice, group: str) -> str:
    found = voice.results["waiting"][group]
    shares = {k: write_number(v, "rate", voice.language) for k, v in found.items() if k.startswith("day_")}
    return str(voice.words("waiting.alt_row")).format(name=voice.words(f"curves.{group}"), **shares)

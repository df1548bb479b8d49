"""The sections of the report, in the order in which they are read: each turns findings into words, a table or a figure.

A sentence is chosen by what is known: where a number is missing, the sentence that would print it is not said. All words come from
``words/``, all numbers from ``findings.results``.
"""

from __future__ import annotations

import platform
from functools import partial
from html import escape
from importlib import metadata
from typing import TYPE_CHECKING, Any, Final

from etiquette_analysis.analysis import texts
from etiquette_analysis.report import figures
from etiquette_analysis.report.html import Fragment, figure, paragraph, paragraphs, section, table
from etiquette_analysis.report.language import Voice, look_up, write_number
from etiquette_analysis.report.style import COLOURS, LATER

if TYPE_CHECKING:
    from collections.abc import Callable

    from etiquette_analysis.analysis.plan import Language
    from etiquette_analysis.report.findings import Findings

#: Packages whose versions are printed.
_PACKAGES: Final = ("etiquette-analysis", "numpy", "pandas", "scipy", "statsmodels", "matplotlib")


def _knows(voice: Voice, *paths: str) -> bool:
    return all(look_up(voice.results, path) is not None for path in paths)


def _figure(voice: Voice, name: str, draw: Callable[..., Any], *, alt: str, caption: str) -> str:
    return figure(name, draw, alt=alt, caption=voice.say(caption))


def opening(findings: Findings, *, language: Language = "en") -> Fragment:
    """Return the first screen: question, answer, picture, verdict and what it rests on."""
    voice = Voice(findings.results, language)
    answer = findings.results["answer"]
    verdict = answer["verdict"]
    kicker = "opening.kicker" if _knows(voice, "data.observed_until") else "opening.kicker_undated"
    slug = verdict.replace(" ", "-")
    # The verdict is one of a closed set, so it can never run into the mark-up.
    badge = (
        f'<p class="verdict {slug}"><span class="label">{voice.say("opening.verdict_label")}</span> '
        f"<strong>{voice.say(f'verdicts.{verdict}')}</strong></p>"
    )
    says = [
        f'<p class="kicker">{voice.say(kicker)}</p>',
        f"<h1>{voice.say('opening.question')}</h1>",
        paragraph(voice.say("opening.claim"), kind="claim"),
        badge,
        _answer(findings, voice),
        _picture(findings, voice),
        "" if findings.inputs.about.get("has_connection_dates", True) else paragraph(voice.say("opening.no_dates")),
    ]
    body = "\n".join(part for part in says if part)
    return Fragment(f'<header class="report-part opening" id="answer">\n{body}\n</header>')


def _answer(findings: Findings, voice: Voice) -> str:
    """Return the answer as a sentence, or why there is none."""
    comparison, language = findings.comparison, voice.language
    if comparison.level == 2:
        verdict = voice.say(f"verdict_words.{findings.results['answer']['verdict']}")
        return paragraphs(comparison.headline(language), kind="answer") + paragraph(verdict)
    if not findings.n_pitched:
        return paragraph(voice.say("opening.no_pitch"), kind="answer")
    said = comparison.design.text(language).split("\n\n")
    return paragraphs(said[0], kind="answer") + paragraphs("\n\n".join(said[1:]))


def _picture(findings: Findings, voice: Voice) -> str:
    if findings.comparison.level == 2:
        hundred = _figure(
            voice,
            "hundred",
            partial(figures.draw_hundred, voice),
            alt=voice.plain(voice.words("hundred.alt")),
            caption="hundred.caption",
        )
        difference = _figure(
            voice,
            "difference",
            partial(figures.draw_difference, voice),
            alt=voice.plain(voice.words("difference.alt")),
            caption="difference.caption",
        )
        return "\n".join(
            [hundred, paragraph(voice.say("opening.rests")), difference, paragraph(voice.say("opening.interval"))]
        )
    if not _knows(voice, "counted.now.rate", "counted.any_later.rate"):
        return ""
    counted = _figure(
        voice,
        "hundred",
        partial(figures.draw_hundred, voice),
        alt=voice.plain(voice.words("hundred.alt_counted")),
        caption="hundred.caption_counted",
    )
    return counted + paragraph(voice.say("opening.counted_only"))


def counting(findings: Findings, *, language: Language = "en") -> Fragment:
    """Return what counting shows, and why it is not the answer."""
    voice = Voice(findings.results, language)
    groups = ("now", "any_later", "any_later_warm", "any_later_cold")
    rows = [
        {"label": voice.words(f"counting.row_{g}"), "colour": COLOURS.get(g, LATER), **findings.results["counted"][g]}
        for g in groups
    ]
    is_counted = findings.comparison.level > 0 and _knows(voice, "counted.rd_any_later.estimate")
    split = "counted.any_later_warm.rate", "counted.any_later_cold.rate"
    return section(
        "counting",
        voice.say("counting.title"),
        paragraph(voice.say("counting.lead" if is_counted else "counting.few")),
        paragraph(
            voice.say("counting.trap" if _knows(voice, "counted.warm_share") else "counting.trap_general"),
            voice.say("counting.warm_cold") if is_counted and _knows(voice, *split) else "",
        ),
        _rates_figure(voice, "counting", rows) if any(row["rate"] is not None for row in rows) else "",
        paragraph(voice.say("counting.definition"), kind="definition"),
    )


def _rates_figure(voice: Voice, name: str, rows: list[dict[str, Any]]) -> str:
    alt = voice.words(f"{name}.alt") + "; ".join(_rate_in_words(voice, row) for row in rows) + "."
    return _figure(voice, name, partial(figures.draw_rates, voice, rows), alt=alt, caption=f"{name}.caption")


def _rate_in_words(voice: Voice, row: dict[str, Any]) -> str:
    if row["rate"] is None:
        return f"{row['label']}: {voice.words('terms.few')}"
    rate, low, high = (write_number(row[k], "rate", voice.language) for k in ("rate", "low", "high"))
    return f"{row['label']}: {rate} ({voice.words('terms.interval').format(low=low, high=high)})"


def habits(findings: Findings, *, language: Language = "en") -> Fragment:
    """Return how soon, how hard and to whom the owner pitches."""
    voice = Voice(findings.results, language)
    found = findings.results["habits"]
    is_described = _knows(voice, "habits.share_pitched", "habits.share_now", "habits.median_day", "habits.share_hard")
    parts = [paragraph(voice.say("habits.lead" if is_described else "habits.few"))]
    if _knows(voice, "habits.share_opened", "habits.share_answered"):
        parts.append(paragraph(voice.say("habits.openers")))
    if is_described:
        alt = voice.words("habits.alt") + "; ".join(_when_in_words(voice, row) for row in found["when"]) + "."
        parts.append(_figure(voice, "habits", partial(figures.draw_when, voice), alt=alt, caption="habits.caption"))
    if is_described and found["whom"]:
        head = [voice.say(f"habits.head_{name}") for name in ("trait", "n", "now", "pitched")]
        rows = [_whom_row(voice, k, row) for k, row in enumerate(found["whom"])]
        parts += [
            f"<h3>{voice.say('habits.whom')}</h3>",
            paragraph(voice.say("habits.whom_lead")),
            table(head, rows, caption=voice.say("habits.whom_table")),
        ]
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
    """Return how soon others pitch the owner, and what the owner answers."""
    voice = Voice(findings.results, language)
    found = findings.results["received"]
    if found is None:
        parts = [paragraph(voice.say("received.no_owner"))]
    elif found["share_now"] is None:
        parts = [paragraph(voice.say("received.few"))]
    else:
        parts = [
            paragraph(
                voice.say("received.lead"),
                voice.say("received.answers") if found["answers"]["rate"] is not None else "",
                voice.say("received.hours") if found["median_hours"] is not None else "",
            )
        ]
    return section("received", voice.say("received.title"), *parts)


def rapport(findings: Findings, *, language: Language = "en") -> Fragment:
    """Return how first pitches were answered by how much the other had written before."""
    voice = Voice(findings.results, language)
    rows = [
        {"label": voice.words(f"terms.{row['rapport']}"), "colour": LATER, **row}
        for row in findings.results["rapport"]
    ]
    is_drawn = any(row["rate"] is not None for row in rows)
    return section(
        "rapport",
        voice.say("rapport.title"),
        paragraph(voice.say("rapport.lead" if is_drawn else "habits.few")),
        _rates_figure(voice, "rapport", rows) if is_drawn else "",
        paragraph(voice.say("rapport.caution")),
        paragraph(voice.say("rapport.definition"), kind="definition"),
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
        _rates_figure(voice, "grid", drawn),
        table(head, rows.values(), caption=voice.say("grid.table")),
        paragraph(voice.say("grid.note"), kind="definition"),
    )


def _cell_name(voice: Voice, cell: dict[str, Any]) -> str:
    return f"{voice.plain(voice.words('terms.' + cell['timing']))}, {voice.words('terms.' + cell['pitch_level'])}"


def waiting(findings: Findings, *, language: Language = "en") -> Fragment:
    """Return how long replies take."""
    voice = Voice(findings.results, language)
    known = [g for g in ("now", "any_later") if _knows(voice, f"waiting.{g}")]
    if "now" not in known:
        return section("waiting", voice.say("waiting.title"), paragraph(voice.say("waiting.few")))
    alt = voice.words("waiting.alt") + " ".join(_curve_in_words(voice, g) for g in known)
    draw = partial(figures.draw_curves, voice, findings)
    return section(
        "waiting",
        voice.say("waiting.title"),
        paragraph(voice.say("waiting.lead"), voice.say("waiting.later") if "any_later" in known else ""),
        _figure(voice, "waiting", draw, alt=alt, caption="waiting.caption"),
        paragraph(voice.say("waiting.definition"), kind="definition"),
    )


def _curve_in_words(voice: Voice, group: str) -> str:
    found = voice.results["waiting"][group]
    shares = {k: write_number(v, "rate", voice.language) for k, v in found.items() if k.startswith("day_")}
    return str(voice.words("waiting.alt_row")).format(name=voice.words(f"curves.{group}"), **shares)


def design(findings: Findings, *, language: Language = "en") -> Fragment:
    """Return whether the data can answer, why not, and what to do to become able to know."""
    voice = Voice(findings.results, language)
    found = findings.comparison.design
    reasons = [texts.reason_text(code, found.values, language) for code in found.reasons]
    listed = "".join(f"<li>{escape(reason, quote=False)}</li>" for reason in reasons)
    head = [voice.say(f"design.head_{name}") for name in ("arm", "n", "cold", "warm", "ess")]
    rows = [
        [
            voice.say(f"terms.{arm['arm']}"),
            *(voice.number(f"design.arms[{k}].{name}", "n") for name in ("n", "n_cold", "n_warm")),
            voice.number(f"design.arms[{k}].ess", "n") if _knows(voice, f"design.arms[{k}].ess") else "–",
        ]
        for k, arm in enumerate(findings.results["design"]["arms"])
    ]
    return section(
        "design",
        voice.say("design.title"),
        paragraph(voice.say("design.lead"), voice.say(f"design.level_{found.level}")),
        f"<ul>{listed}</ul>" if listed else "",
        f"<h3>{voice.say('design.advice')}</h3>" if found.level < 2 else "",
        paragraphs(texts.advice(found.level, found.values, language)),
        table(head, rows, caption=voice.say("design.caption")),
        paragraph(voice.say("design.definition"), kind="definition"),
    )


def doubt(findings: Findings, *, language: Language = "en") -> Fragment:
    """Return what would change our mind, how little these data can see, and the experiment that would settle it."""
    voice = Voice(findings.results, language)
    found = findings.results["doubt"]
    parts = []
    if findings.comparison.level == 2:
        never = found["tipping"] is None
        name = "never" if never else "tipping" if findings.tipping else "inside"
        parts.append(paragraph(voice.say(f"doubt.{name}"), voice.say("doubt.e_value") if name == "tipping" else ""))
    latency = found["latency"]
    if latency["low"] is not None:
        speaks = latency["low"] > 0 or latency["high"] < 0
        parts.append(paragraph(voice.say("doubt.latency"), voice.say("doubt.speaks" if speaks else "doubt.silent")))
    if found["minimum_detectable"] is not None:
        more = "doubt.more" if found["n_more"] and found["months_more"] is not None else "doubt.enough"
        parts.append(paragraph(voice.say("doubt.power"), voice.say(more)))
    experiment = paragraph(voice.say("doubt.experiment"))
    return section("doubt", voice.say("doubt.title"), *parts, f"<h3>{voice.say('doubt.try')}</h3>", experiment)


def flow(findings: Findings, *, language: Language = "en") -> Fragment:
    """Return who was left out, and why."""
    voice = Voice(findings.results, language)
    found = findings.results["flow"]
    alt = voice.plain(voice.words("flow.alt")) + "; ".join(
        f"{voice.words('exclusions.' + row['reason'])}: "
        + (voice.words("terms.few") if row["n"] is None else write_number(row["n"], "n", language))
        for row in found["excluded"]
    )
    head = [voice.say(f"flow.head_{name}") for name in ("stage", "read", "kept", "left")]
    rows, known = [], voice.words("audit")
    for k, stage in enumerate(found["stages"]):
        at = f"flow.stages[{k}]"
        left = ", ".join(
            f"{voice.number(f'{at}.left_out[{j}].n', 'n')} {escape(known.get(row['reason'], row['reason']))}"
            for j, row in enumerate(stage["left_out"])
        )
        rows.append([escape(known.get(stage["stage"], stage["stage"])), voice.number(f"{at}.read", "n"), voice.number(f"{at}.kept", "n"), left])
    return section(
        "flow",
        voice.say("flow.title"),
        paragraph(voice.say("flow.lead"), voice.say("flow.orphans") if findings.results["data"]["n_orphans"] else ""),
        _figure(voice, "flow", partial(figures.draw_flow, voice), alt=alt, caption="flow.caption"),
        paragraph(voice.say("flow.rows")),
        table(head, rows, caption=voice.say("flow.table")),
        paragraph(voice.say("flow.every_row"), kind="definition"),
    )


def labels(findings: Findings, *, language: Language = "en") -> Fragment:
    """Return how the labels were made, and how often they err."""
    voice = Voice(findings.results, language)
    found = findings.results["labels"]
    is_measured = found["sensitivity"] is not None and found["specificity"] is not None
    name = "labels.own" if found["is_own_coding"] else "labels.lead"
    return section(
        "labels",
        voice.say("labels.title"),
        paragraph(
            voice.say(name) if _knows(voice, "labels.n_labelled", "labels.n_abstained") else "",
            voice.say("labels.auto") if found["n_auto_replies"] else "",
        ),
        paragraph(voice.say("labels.error" if is_measured else "labels.error_unknown")),
        paragraph(voice.say("labels.check")),
    )


def limits(findings: Findings, *, language: Language = "en") -> Fragment:
    """Return what the report cannot tell, and what the estimate rests on, in the words fixed beforehand."""
    voice = Voice(findings.results, language)
    items = "".join(f"<li>{item}</li>" for item in voice.words("limits.items"))
    rests_on = ""
    if findings.comparison.level == 2:
        known = findings.results["labels"]
        said = findings.comparison.text(
            language,
            sensitivity=known["sensitivity"],
            specificity=known["specificity"],
            tipping=findings.tipping,
        )
        rests_on = paragraphs(said.split("\n\n")[-1])
    return section("limits", voice.say("limits.title"), f"<ul>{items}</ul>", rests_on)


def record(findings: Findings, *, language: Language = "en") -> Fragment:
    """Return the plan in words, its hash, the data's fingerprint and the versions."""
    voice = Voice(findings.results, language)
    plan = "".join(paragraph(escape(line, quote=False)) for line in findings.inputs.plan.text(language).split("\n")[:-1])
    versions = ", ".join([f"Python {platform.python_version()}", *(f"{p} {metadata.version(p)}" for p in _PACKAGES)])
    rows = {
        "plan": plan,
        "plan_hash": f"<code>{voice.results['plan']['hash']}</code>",
        "fingerprint": f"<code>{voice.results['data']['fingerprint']}</code>",
        "versions": versions,
    }
    listed = "".join(f"<dt>{voice.say(f'record.{name}')}</dt><dd>{text}</dd>" for name, text in rows.items())
    return section(
        "record",
        voice.say("record.title"),
        paragraph(voice.say("record.lead")),
        f"<dl>{listed}</dl>",
        paragraph(voice.say("record.more")),
    )

"""What the answer stands on: the design, other choices, and the doubts that remain."""

from __future__ import annotations

from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any, Final

from etiquette_analysis.analysis import texts
from etiquette_analysis.report import figures
from etiquette_analysis.report.battery import check_words
from etiquette_analysis.report.html import Fragment, paragraph, paragraphs, section, table
from etiquette_analysis.report.language import Voice, write_number
from etiquette_analysis.report.sections.shared import drawn, knows, policy_words, telling
from etiquette_analysis.report.style import BETWEEN, LATER, NOW

if TYPE_CHECKING:
    from etiquette_analysis.analysis.plan import Language
    from etiquette_analysis.report.findings import Findings

_BALANCE: Final = ("design.balance.before", "design.balance.after")


def design(findings: Findings, *, language: Language = "en") -> Fragment:
    """Return whether the data can answer, why not, and what to do to become able to know."""
    voice = Voice(findings.results, language)
    found = findings.comparison.design
    policy = policy_words(voice)
    reasons = [
        texts.reason_text(code, found.values, language, policy=policy)
        for code in (telling(found.reasons) if findings.results["answer"]["n"] else ())
    ]
    listed = "".join(f"<li>{escape(reason, quote=False)}</li>" for reason in reasons)
    head = [voice.say(f"design.head_{name}") for name in ("arm", "n", "cold", "warm", "ess")]
    rows = [
        [
            voice.say(f"terms.{arm['arm']}"),
            *(voice.number(f"design.arms[{k}].{name}", "n") for name in ("n", "n_cold", "n_warm")),
            voice.number(f"design.arms[{k}].ess", "n") if knows(voice, f"design.arms[{k}].ess") else "–",
        ]
        for k, arm in enumerate(findings.results["design"]["arms"])
    ]
    return section(
        "design",
        voice.say("design.title"),
        paragraph(
            voice.say("design.lead"),
            voice.say(f"design.level_{found.level}" if reasons or found.level else "design.nobody"),
        ),
        f"<ul>{listed}</ul>" if listed else "",
        _advice(findings, voice) if found.level < 2 else "",
        table(head, rows, caption=voice.say("design.caption")),
        paragraph(voice.say("design.balance")) if knows(voice, *_BALANCE) else "",
        paragraph(voice.say("design.definition"), kind="definition"),
    )


def _advice(findings: Findings, voice: Voice) -> str:
    design = findings.comparison.design
    said = paragraphs(texts.advice(design.level, design.values, voice.language))
    return f"<h3>{voice.say('design.advice')}</h3>{said}{paragraph(voice.say('design.randomise'))}"


def doubt(findings: Findings, *, language: Language = "en") -> Fragment:
    """Return what would change our mind and the experiment that would settle it; nothing where there is no answer."""
    voice = Voice(findings.results, language)
    found = findings.results["doubt"]
    if findings.comparison.level < 2:
        return Fragment("")
    name = "never" if found["tipping"] is None else "tipping" if findings.tipping else "inside"
    name = "slightest" if findings.tipping and texts.is_slightest(findings.tipping) else name
    parts = [paragraph(voice.say(f"doubt.{name}"), voice.say("doubt.e_value") if name == "tipping" else "")]
    latency = found["latency"]
    if latency["low"] is not None:
        speaks = latency["low"] > 0 or latency["high"] < 0
        parts.append(paragraph(voice.say("doubt.latency"), voice.say("doubt.speaks" if speaks else "doubt.silent")))
    if found["minimum_detectable"] is not None:
        more = "doubt.more" if found["n_more"] and found["months_more"] is not None else "doubt.enough"
        parts.append(paragraph(voice.say("doubt.power"), voice.say(more)))
    advice = paragraph(voice.say(f"doubt.advice.{findings.results['answer']['verdict']}"))
    experiment = paragraph(voice.say("doubt.experiment"))
    return section("doubt", voice.say("doubt.title"), *parts, f"<h3>{voice.say('doubt.try')}</h3>", advice, experiment)


def battery(findings: Findings, *, language: Language = "en") -> Fragment:
    """Return whether other reasonable choices give another answer; nothing where there is none to vary."""
    voice = Voice(findings.results, language)
    found = findings.results["battery"]
    if found is None and findings.comparison.level == 2:
        return section("battery", voice.say("battery.title"), paragraph(voice.say("battery.time")))
    if found is None or not found["rows"]:
        return Fragment("")
    primary = {"label": voice.words("battery.primary"), **findings.results["answer"], "colour": NOW}
    primary["estimate"] = primary["rd"]
    rows = [primary, *({"label": check_words(voice, row["check"]), "colour": LATER, **row} for row in found["rows"])]
    if found["left_out"]["n"]:
        label = str(voice.words("battery.left_out"))
        rows.append({"label": label, "colour": BETWEEN, **found["left_out"], "estimate": None})
    alt = voice.words("battery.alt") + "; ".join(_difference_in_words(voice, row) for row in rows) + "."
    return section(
        "battery",
        voice.say("battery.title"),
        paragraph(voice.say("battery.lead")),
        drawn(voice, "battery", partial(figures.draw_differences, voice, rows), alt=alt, caption="battery.caption"),
        paragraph(voice.say("battery.curve")) if found["curve"]["n_answered"] else "",
    )


def _difference_in_words(voice: Voice, row: dict[str, Any]) -> str:
    """Return a row as "label: estimate (low to high)", as far as it is known."""
    numbers = {k: row[k] for k in ("estimate", "low", "high") if row[k] is not None}
    said = {k: write_number(v, "points", voice.language) for k, v in numbers.items()}
    reach = str(voice.words("terms.interval")).format(**said) if {"low", "high"} <= set(said) else ""
    if "estimate" not in said:
        return f"{row['label']}: {reach}"
    return f"{row['label']}: {said['estimate']}" + (f" ({reach})" if reach else "")

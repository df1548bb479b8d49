"""What the answer stands on: the design, the doubts, who was left out, how labels were made, the plan."""

from __future__ import annotations

import platform
from functools import partial
from html import escape
from importlib import metadata
from typing import TYPE_CHECKING, Any, Final

from etiquette_analysis.analysis import texts
from etiquette_analysis.report import figures
from etiquette_analysis.report.battery import check_words
from etiquette_analysis.report.html import Fragment, paragraph, paragraphs, section, table
from etiquette_analysis.report.language import Voice, write_number
from etiquette_analysis.report.sections.shared import drawn, knows, policy_words
from etiquette_analysis.report.style import BETWEEN, LATER, NOW

if TYPE_CHECKING:
    from etiquette_analysis.analysis.plan import Language
    from etiquette_analysis.report.findings import Findings

#: Packages whose versions are printed.
_PACKAGES: Final = ("etiquette-analysis", "numpy", "pandas", "scipy", "statsmodels", "matplotlib")


def design(findings: Findings, *, language: Language = "en") -> Fragment:
    """Return whether the data can answer, why not, and what to do to become able to know."""
    voice = Voice(findings.results, language)
    found = findings.comparison.design
    policy = policy_words(voice)
    reasons = [texts.reason_text(code, found.values, language, policy=policy) for code in found.reasons]
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
        paragraph(voice.say("design.lead"), voice.say(f"design.level_{found.level}")),
        f"<ul>{listed}</ul>" if listed else "",
        _advice(findings, voice) if found.level < 2 else "",
        table(head, rows, caption=voice.say("design.caption")),
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
    parts = [paragraph(voice.say(f"doubt.{name}"), voice.say("doubt.e_value") if name == "tipping" else "")]
    latency = found["latency"]
    if latency["low"] is not None:
        speaks = latency["low"] > 0 or latency["high"] < 0
        parts.append(paragraph(voice.say("doubt.latency"), voice.say("doubt.speaks" if speaks else "doubt.silent")))
    if found["minimum_detectable"] is not None:
        more = "doubt.more" if found["n_more"] and found["months_more"] is not None else "doubt.enough"
        parts.append(paragraph(voice.say("doubt.power"), voice.say(more)))
    experiment = paragraph(voice.say("doubt.experiment"))
    return section("doubt", voice.say("doubt.title"), *parts, f"<h3>{voice.say('doubt.try')}</h3>", experiment)


def battery(findings: Findings, *, language: Language = "en") -> Fragment:
    """Return whether other reasonable choices give another answer; nothing where there is none to vary."""
    voice = Voice(findings.results, language)
    found = findings.results["battery"]
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
        rows.append(
            [
                escape(known.get(stage["stage"], stage["stage"])),
                voice.number(f"{at}.read", "n"),
                voice.number(f"{at}.kept", "n"),
                left,
            ]
        )
    return section(
        "flow",
        voice.say("flow.title"),
        paragraph(voice.say("flow.lead"), voice.say("flow.orphans") if findings.results["data"]["n_orphans"] else ""),
        drawn(voice, "flow", partial(figures.draw_flow, voice), alt=alt, caption="flow.caption"),
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
            voice.say(name) if knows(voice, "labels.n_labelled", "labels.n_abstained") else "",
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
    plan = "".join(
        paragraph(escape(line, quote=False)) for line in findings.inputs.plan.text(language).split("\n")[:-1]
    )
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

"""Where it all comes from: who was left out, how labels were made, what cannot be told, the plan."""

from __future__ import annotations

import platform
from functools import partial
from html import escape
from importlib import metadata
from typing import TYPE_CHECKING, Final

from etiquette_analysis.report import figures
from etiquette_analysis.report.html import Fragment, paragraph, paragraphs, section, table
from etiquette_analysis.report.language import Voice, write_number
from etiquette_analysis.report.sections.shared import drawn, hidden_note, knows

if TYPE_CHECKING:
    from etiquette_analysis.analysis.plan import Language
    from etiquette_analysis.report.findings import Findings

#: Packages whose versions are printed.
_PACKAGES: Final = ("etiquette-analysis", "numpy", "pandas", "scipy", "statsmodels", "matplotlib")


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
            f"{voice.number(f'{at}.left_out[{j}].n', 'n')} {_known(known, row['reason'])}"
            for j, row in enumerate(stage["left_out"])
        )
        rows.append(
            [
                _known(known, stage["stage"]),
                voice.number(f"{at}.read", "n"),
                voice.number(f"{at}.kept", "n"),
                left,
            ]
        )
    return section(
        "flow",
        voice.say("flow.title"),
        paragraph(voice.say("flow.lead"), voice.say("flow.orphans") if _has_orphans(voice) else ""),
        drawn(voice, "flow", partial(figures.draw_flow, voice), alt=alt, caption="flow.caption"),
        hidden_note(voice, [row["n"] for row in found["excluded"]] + list(found["arms"].values())),
        paragraph(voice.say("flow.rows")),
        table(head, rows, caption=voice.say("flow.table")),
        paragraph(voice.say("flow.every_row"), kind="definition"),
    )


def _known(words: dict[str, str], name: str) -> str:
    """Return a name of the audit in the reader's language; where there is no word for it, as the audit has it."""
    return words.get(name) or f'<span lang="en">{escape(name)}</span>'


def _has_orphans(voice: Voice) -> bool:
    """Return whether people are missing from the list of connections, where there is such a list."""
    data = voice.results["data"]
    return bool(data["n_orphans"]) and bool(data["has_connection_dates"])


def labels(findings: Findings, *, language: Language = "en") -> Fragment:
    """Return how the labels were made, and how often they err."""
    voice = Voice(findings.results, language)
    found = findings.results["labels"]
    is_measured = found["sensitivity"] is not None and found["specificity"] is not None
    name = "labels.own" if found["is_own_coding"] else "labels.lead"
    error = "labels.error_own" if found["is_own_coding"] else "labels.error" if is_measured else "labels.error_unknown"
    return section(
        "labels",
        voice.say("labels.title"),
        paragraph(
            voice.say(name) if knows(voice, "labels.n_labelled", "labels.n_abstained") else "",
            voice.say("labels.auto") if found["n_auto_replies"] else "",
        ),
        paragraph(voice.say(error)),
        paragraph(voice.say("labels.timing")),
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
        "plan": plan
        + ("" if voice.results["data"]["has_connection_dates"] else paragraph(voice.say("record.no_dates"))),
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

"""The first screen: question, verdict, answer, picture, and what it rests on.

Somebody who reads nothing else should leave with the right idea, also where that is that the data cannot tell.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from etiquette_analysis.analysis import texts
from etiquette_analysis.report import figures
from etiquette_analysis.report.html import Fragment, paragraph, paragraphs
from etiquette_analysis.report.language import Voice
from etiquette_analysis.report.sections.shared import drawn, knows, policy_words, telling

if TYPE_CHECKING:
    from etiquette_analysis.analysis.plan import Language
    from etiquette_analysis.report.findings import Findings


def opening(findings: Findings, *, language: Language = "en") -> Fragment:
    """Return the first screen: question, answer, picture, verdict and what it rests on."""
    voice = Voice(findings.results, language)
    data = findings.results["data"]
    says = [
        paragraph(_kicker(voice), kind="kicker"),
        f"<h1>{voice.say('opening.question')}</h1>",
        paragraph(voice.say("opening.claim"), kind="claim"),
        "" if data["has_connection_dates"] else paragraph(voice.say("opening.no_dates"), kind="notice"),
        _verdict(voice),
        *(_answered(findings, voice) if findings.comparison.level == 2 else _refused(findings, voice)),
    ]
    body = "\n".join(part for part in says if part)
    return Fragment(f'<header class="report-part opening" id="answer">\n{body}\n</header>')


def _kicker(voice: Voice) -> str:
    until = voice.say("opening.until") if knows(voice, "data.observed_until") else ""
    invented = f" · <strong>{voice.say('opening.invented')}</strong>" if voice.results["data"]["is_invented"] else ""
    return voice.say("opening.kicker") + until + invented


def _verdict(voice: Voice) -> str:
    """Return the verdict in its box and in a sentence; it is one of a closed set, so it cannot break the mark-up."""
    verdict = voice.results["answer"]["verdict"]
    return (
        f'<p class="verdict {verdict.replace(" ", "-")}"><span class="box"><span class="label">'
        f"{voice.say('opening.verdict_label')}</span> <strong>{voice.say(f'verdicts.{verdict}')}</strong></span> "
        f"{voice.say(f'verdict_words.{verdict}')}</p>"
    )


def _answered(findings: Findings, voice: Voice) -> list[str]:
    """Return the answer, its picture, what it rests on, and the difference with its interval."""
    hundred, difference = (
        drawn(voice, name, partial(draw, voice), alt=voice.plain(voice.words(f"{name}.alt")), caption=f"{name}.caption")
        for name, draw in (("hundred", figures.draw_hundred), ("difference", figures.draw_difference))
    )
    return [
        paragraphs(findings.comparison.headline(voice.language), kind="answer"),
        hundred,
        paragraph(voice.say("opening.rests")),
        difference,
        paragraph(voice.say("opening.interval")),
    ]


def _refused(findings: Findings, voice: Voice) -> list[str]:
    """Return why there is no answer, what was counted, in grey, and how to become able to know."""
    design = findings.comparison.design
    reasons = telling(design.reasons)
    if not findings.results["answer"]["n"]:
        said = [
            paragraph(
                voice.say("opening.nobody" if findings.results["flow"]["n_dyads"] else "opening.empty"), kind="answer"
            )
        ]
    elif not findings.n_pitched:
        said = [paragraph(voice.say("opening.no_pitch"), kind="answer")]
    else:
        reason = texts.reason_text(reasons[0], design.values, voice.language, policy=policy_words(voice))
        said = [paragraphs(reason, kind="answer")]
        said += [paragraph(voice.say("opening.other_reasons"))] if len(reasons) > 1 else []
    said.append(paragraphs(texts.advice(design.level, design.values, voice.language)))
    if knows(voice, "counted.now.rate", "counted.any_later.rate"):
        alt = voice.plain(voice.words("hundred.alt_counted"))
        draw = partial(figures.draw_hundred, voice)
        said.append(drawn(voice, "hundred", draw, alt=alt, caption="hundred.caption_counted"))
        said.append(paragraph(voice.say("opening.counted_only")))
    return said

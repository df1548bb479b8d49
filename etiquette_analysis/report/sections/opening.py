"""The first screen: question, verdict, answer, picture, and what it rests on.

Somebody who reads nothing else should leave with the right idea, also where that is that the data cannot tell.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from etiquette_analysis.report import figures
from etiquette_analysis.report.html import Fragment, paragraph, paragraphs
from etiquette_analysis.report.language import Voice
from etiquette_analysis.report.sections.shared import drawn, knows, policy_words

if TYPE_CHECKING:
    from etiquette_analysis.analysis.plan import Language
    from etiquette_analysis.report.findings import Findings


def opening(findings: Findings, *, language: Language = "en") -> Fragment:
    """Return the first screen: question, answer, picture, verdict and what it rests on."""
    voice = Voice(findings.results, language)
    answer = findings.results["answer"]
    verdict = answer["verdict"]
    kicker = "opening.kicker" if knows(voice, "data.observed_until") else "opening.kicker_undated"
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
    said = comparison.design.text(language, policy=policy_words(voice)).split("\n\n")
    others = paragraph(voice.say("opening.other_reasons")) if len(comparison.reasons) > 1 else ""
    return paragraphs(said[0], kind="answer") + others + paragraphs(said[-1])


def _picture(findings: Findings, voice: Voice) -> str:
    if findings.comparison.level == 2:
        hundred = drawn(
            voice,
            "hundred",
            partial(figures.draw_hundred, voice),
            alt=voice.plain(voice.words("hundred.alt")),
            caption="hundred.caption",
        )
        difference = drawn(
            voice,
            "difference",
            partial(figures.draw_difference, voice),
            alt=voice.plain(voice.words("difference.alt")),
            caption="difference.caption",
        )
        return "\n".join(
            [hundred, paragraph(voice.say("opening.rests")), difference, paragraph(voice.say("opening.interval"))]
        )
    if not knows(voice, "counted.now.rate", "counted.any_later.rate"):
        return ""
    counted = drawn(
        voice,
        "hundred",
        partial(figures.draw_hundred, voice),
        alt=voice.plain(voice.words("hundred.alt_counted")),
        caption="hundred.caption_counted",
    )
    return counted + paragraph(voice.say("opening.counted_only"))

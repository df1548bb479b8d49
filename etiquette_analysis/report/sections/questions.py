"""What in waiting helps: the four secondary questions in one table, each with what it compares and what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from etiquette_analysis.report.html import Fragment, paragraph, section, table
from etiquette_analysis.report.language import Voice
from etiquette_analysis.report.questions import QUESTIONS

if TYPE_CHECKING:
    from etiquette_analysis.analysis.plan import Language
    from etiquette_analysis.report.findings import Findings


def questions(findings: Findings, *, language: Language = "en") -> Fragment:
    """Return S1 to S4; a sentence where the data can bear none of them."""
    voice = Voice(findings.results, language)
    found = findings.results["secondary"]
    answered = [name for name in QUESTIONS if found[name]["lacks"] is None]
    title = voice.say("questions.title")
    if not answered:
        return section("questions", title, paragraph(voice.say("questions.none")))
    head = [voice.say(f"questions.head_{name}") for name in ("question", "claim", "gain", "p", "says")]
    is_small = found["is_small"] and {"S1", "S2"} & set(answered)
    return section(
        "questions",
        title,
        paragraph(voice.say("questions.lead")),
        table(head, [_row(voice, name) for name in QUESTIONS], caption=voice.say("questions.caption")),
        paragraph(voice.say("questions.per_pitch")) if found["per_pitch"] else "",
        paragraph(voice.say("questions.small")) if is_small else "",
        paragraph(voice.say("questions.definition"), kind="definition"),
    )


def _row(voice: Voice, question: str) -> list[str]:
    """Return what is compared, what the claim expects, the gain with its interval, p, and the reading."""
    found = voice.results["secondary"][question]
    expected = voice.say(f"questions.{'more' if QUESTIONS[question][1] > 0 else 'fewer'}")
    label = voice.say(f"questions.{question}")
    if found["lacks"]:
        lacks = voice.say(f"questions.lacks.{found['lacks']}")
        return [label, expected, f'<span class="aside">{lacks}</span>', "–", "–"]
    at = f"secondary.{question}"
    is_tiny = found["p_holm"] < voice.results["rules"]["smallest_p"]
    p = voice.say("questions.p_below") if is_tiny else voice.number(f"{at}.p_holm", "x3")
    return [label, expected, voice.say("questions.gain", at=at), p, voice.say(f"questions.says.{found['says']}")]

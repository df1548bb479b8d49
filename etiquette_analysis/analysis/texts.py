"""The sentences that go with the numbers, in English and Italian.

Wording is part of the method: what may be said at each level is fixed in advance (STATISTICS, sections 9, 10 and 15)
and printed verbatim, with the computed values filled in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from etiquette_analysis.analysis.results import number

if TYPE_CHECKING:
    from etiquette_analysis.analysis.plan import Language, Plan

REASONS: Final = {
    "en": {
        "too_few_pitches": (
            "You have {n_later} pitches sent after a wait and {n_now} sent at once. Any comparison would be noise. "
            "With your rate of connecting, come back in about {months} months, or alternate: wait a week with every "
            "second new contact."
        ),
        "too_few_replies": (
            "You have {n_later} pitches sent after a wait and {n_now} sent at once, and {n_replies} replies in all. "
            "Any comparison would be noise. With your rate of connecting, come back in about {months} months, or "
            "alternate: wait a week with every second new contact."
        ),
        "small_arm": (
            "You have {n_later} pitches sent after a wait and {n_now} sent at once; an answer needs 30 of each. What "
            "follows is the plain count."
        ),
        "strict_gating": (
            "You pitch later only to people who have already answered you. They may have replied more often anyway, "
            "so your data cannot say whether waiting works: only whether choosing works. What can be said: {policy}."
        ),
        "always_at_once": ("You pitched {share}% of your contacts within a day: there is nobody to compare them with."),
        "few_cold_later": (
            "Hardly any of your later pitches went to people who had not written to you, so nothing can stand for "
            "waiting without an answer."
        ),
        "few_warm_later": (
            "{answered}% of your contacts wrote to you before any pitch, but hardly any of them was pitched later, so "
            "nothing can stand for them."
        ),
        "few_senders": "{senders} senders: differences between people cannot be separated from timing.",
        "small_ess": (
            "Once both groups are made comparable, too few pitches carry the result (fewer than 40 in effect)."
        ),
        "one_dyad_dominates": "Once both groups are made comparable, a single contact carries more than 12% of one.",
        "no_overlap": (
            "For more than a tenth of your contacts one of the two timings practically never happened, so they have "
            "nobody to be compared with."
        ),
        "imbalance": "Even after weighting, the two groups of contacts differ too much to be compared.",
        "unlabelled": (
            "{unreadable}% of first messages carry no text, so nobody can say whether they were pitches; with so many "
            "missing, the rest may not stand for all."
        ),
    },
    "it": {
        "too_few_pitches": (
            "Hai {n_later} proposte inviate dopo un'attesa e {n_now} inviate subito. Qualunque confronto sarebbe "
            "rumore. Al tuo ritmo torna fra circa {months} mesi, oppure alterna: con un contatto nuovo ogni due, "
            "aspetta una settimana."
        ),
        "too_few_replies": (
            "Hai {n_later} proposte inviate dopo un'attesa e {n_now} inviate subito, e {n_replies} risposte in tutto. "
            "Qualunque confronto sarebbe rumore. Al tuo ritmo torna fra circa {months} mesi, oppure alterna: con un "
            "contatto nuovo ogni due, aspetta una settimana."
        ),
        "small_arm": (
            "Hai {n_later} proposte inviate dopo un'attesa e {n_now} inviate subito; per rispondere ne servono 30 per "
            "gruppo. Quello che segue è il semplice conteggio."
        ),
        "strict_gating": (
            "Proponi più tardi solo a chi ti ha già risposto. Forse quelle persone avrebbero risposto di più comunque: "
            "i tuoi dati non possono dire se aspettare funzioni, ma solo se funzioni scegliere. Ecco ciò che si può "
            "dire: {policy}."
        ),
        "always_at_once": (
            "Hai fatto una proposta al {share}% dei contatti entro un giorno: non c'è nessuno con cui confrontarli."
        ),
        "few_cold_later": (
            "Quasi nessuna delle tue proposte tardive è andata a chi non ti aveva scritto: manca chi rappresenti "
            "un'attesa senza risposta."
        ),
        "few_warm_later": (
            "Contatti che ti hanno scritto prima di ogni proposta: {answered}%. Ma quasi nessuno di loro ne ha poi "
            "ricevuta una più tardi: manca chi li rappresenti."
        ),
        "few_senders": "{senders} mittenti: le differenze fra persone non si possono separare dai tempi.",
        "small_ess": (
            "Una volta resi confrontabili i due gruppi, il risultato poggia su troppo poche proposte (meno di 40 in "
            "termini effettivi)."
        ),
        "one_dyad_dominates": (
            "Una volta resi confrontabili i due gruppi, un solo contatto pesa per più del 12% di uno di essi."
        ),
        "no_overlap": (
            "Per più di un contatto su dieci uno dei due tempi non capita praticamente mai: non c'è nessuno con cui "
            "confrontarli."
        ),
        "imbalance": "Anche dopo la ponderazione i due gruppi di contatti restano troppo diversi per confrontarli.",
        "unlabelled": (
            "Primi messaggi senza testo: {unreadable}%. Nessuno può dire se fossero proposte, e ne mancano così tanti "
            "che gli altri potrebbero non rappresentarli."
        ),
    },
}
_POLICY_ELSEWHERE: Final = {
    "en": "see the row that compares opening first and pitching those who answer with pitching everyone at once",
    "it": "vedi la riga che confronta lo scrivere prima e proporre a chi risponde con il proporre subito a tutti",
}
_ADVICE: Final = {
    "en": (
        "To become able to know: let a coin decide, for each new contact, between a pitch at once and a first pitch "
        "after a week or more. It takes 2 x {n_per_arm} contacts to see a difference of {sesoi} percentage points."
    ),
    "it": (
        "Per poterlo sapere: per ogni contatto nuovo lascia decidere a una moneta fra una proposta subito e una prima "
        "proposta dopo almeno una settimana. Servono 2 x {n_per_arm} contatti per vedere una differenza di {sesoi} "
        "punti percentuali."
    ),
}
_TOO_COARSE: Final = {
    "en": "A difference would have to exceed about {mde} percentage points to be seen in data like these.",
    "it": "In dati come questi una differenza si vedrebbe solo se superasse i {mde} punti percentuali circa.",
}
_DETECTABLE: Final = {
    "en": "The data can bear an answer. Differences below about {mde} percentage points are likely to escape it.",
    "it": "I dati reggono una risposta. Differenze sotto i {mde} punti percentuali circa rischiano di sfuggire.",
}
HEADLINE: Final = {
    "en": (
        "Of 100 new contacts, {now} would reply to {immediate} and {later} to one made {deferred}: {rd} ({conf}% "
        "interval {low} to {high}). Counting alone shows {naive}."
    ),
    "it": (
        "Su 100 nuovi contatti, {now} risponderebbero a {immediate} e {later} a una fatta {deferred}: {rd} (intervallo "
        "al {conf}% da {low} a {high}). Il solo conteggio mostra {naive}."
    ),
}
VERDICT: Final = {
    "en": {
        "supports": "Verdict: supports the claim. By this estimate, pitching at once lowers replies.",
        "contradicts": "Verdict: contradicts the claim. By this estimate, pitching at once raises replies.",
        "practically equal": "Verdict: practically equal. Any difference is smaller than {sesoi} points.",
        "inconclusive": "Verdict: inconclusive. The data are compatible with harm and with benefit.",
        "not answerable": "Verdict: not answerable with these data.",
    },
    "it": {
        "supports": "Verdetto: sostiene l'affermazione. Secondo la stima proporre subito riduce le risposte.",
        "contradicts": "Verdetto: contraddice l'affermazione. Secondo la stima proporre subito aumenta le risposte.",
        "practically equal": "Verdetto: in pratica uguali. L'eventuale differenza è minore di {sesoi} punti.",
        "inconclusive": "Verdetto: non conclusivo. I dati sono compatibili con un danno e con un vantaggio.",
        "not answerable": "Verdetto: con questi dati non si può rispondere.",
    },
}
WHY_COUNTING_DIFFERS: Final = {
    "en": (
        "Counting compares the pitches that were sent. Whom you pitch, and when, depends partly on who has already "
        "answered you, so counting mixes the effect of timing with the choice of people; the estimate compares both "
        "timings on the same people."
    ),
    "it": (
        "Il conteggio confronta le proposte inviate. A chi proponi, e quando, dipende anche da chi ti ha già risposto: "
        "il conteggio mescola così l'effetto dei tempi con la scelta delle persone, mentre la stima confronta i due "
        "tempi sulle stesse persone."
    ),
}
ONLY_COUNTED: Final = {
    "en": (
        "What you count, and no more than that: {now}% of {n_now} immediate pitches and {later}% of {n_later} later "
        "ones were answered, a difference of {naive} ({conf}% interval {low} to {high})."
    ),
    "it": (
        "Ciò che si conta, e nulla di più: ha avuto risposta il {now}% di {n_now} proposte immediate e il {later}% di "
        "{n_later} più tarde, una differenza di {naive} (intervallo al {conf}% da {low} a {high})."
    ),
}
ONLY_COUNTS: Final = {
    "en": (
        "Counts: {r_now} of {n_now} immediate pitches were answered ({conf}% interval {now_low}% to {now_high}%), and "
        "{r_later} of {n_later} later ones ({later_low}% to {later_high}%)."
    ),
    "it": (
        "Conteggi: hanno avuto risposta {r_now} proposte immediate su {n_now} (intervallo al {conf}% da {now_low}% a "
        "{now_high}%) e {r_later} più tarde su {n_later} (da {later_low}% a {later_high}%)."
    ),
}
ASSUMPTIONS: Final = {
    "en": (
        "This compares two ways of treating the same new contacts: {immediate_days}, against {deferred_days}. It is an "
        "estimate from past behaviour, not an experiment. It is right if (1) among contacts with the same recorded "
        "traits and the same messages so far, whether you pitched on a given day had nothing to do with how they would "
        "have replied; (2) for every kind of contact both timings sometimes happened; (3) your pitches in the two "
        "groups were of the same kind, or you read the equal-intensity row; (4) pitches, replies and dates are "
        "labelled rightly{error}; (5) people who disconnected are "
        "counted ({orphans} were not findable). Point 1 cannot be checked. {hidden} It concerns {scope}, {dates}, and "
        "no one else."
    ),
    "it": (
        "Confrontiamo due modi di trattare gli stessi nuovi contatti: {immediate_days}, contro {deferred_days}. È una "
        "stima da comportamenti passati, non un esperimento. È corretta se (1) fra contatti con gli stessi tratti "
        "registrati e gli stessi messaggi fino a quel momento, il fatto che tu abbia proposto in un dato giorno non "
        "dipendeva da come avrebbero risposto; (2) per ogni tipo di contatto sono capitati entrambi i tempi; (3) le "
        "proposte dei due gruppi erano dello stesso genere, altrimenti leggi la riga a parità di insistenza; (4) "
        "proposte, risposte e date sono classificate bene{error}; (5) "
        "è contato anche chi si è scollegato ({orphans} non rintracciabili). Il punto 1 non si può verificare. "
        "{hidden} Vale per {scope}, {dates}, e per nessun altro."
    ),
}
_HIDDEN: Final = {
    "en": (
        "A hidden trait that made you {tipping} times likelier to pitch at once, and decided the reply, would be "
        "enough to erase the result."
    ),
    "it": (
        "Un tratto nascosto che ti rendesse {tipping} volte più incline a proporre subito, e che decidesse la "
        "risposta, basterebbe ad annullare il risultato."
    ),
}
_HIDDEN_SLIGHTEST: Final = {
    "en": (
        "The slightest hidden trait that made you likelier to pitch at once, and decided the reply, would be enough to "
        "erase the result."
    ),
    "it": (
        "Ad annullare il risultato basterebbe anche il più piccolo tratto nascosto che ti rendesse più incline a "
        "proporre subito, e che decidesse la risposta."
    ),
}
_HIDDEN_UNKNOWN: Final = {
    "en": "How strong a hidden trait would have to be to erase the result is told by the sensitivity analysis.",
    "it": (
        "Quanto dovrebbe essere forte un tratto nascosto per annullare il risultato lo dice l'analisi di sensibilità."
    ),
}
_ERROR: Final = {
    "en": ", within the error we measured ({sensitivity}/{specificity})",
    "it": ", entro l'errore misurato ({sensitivity}/{specificity})",
}
_ERROR_UNKNOWN: Final = {"en": " (their error was not measured here)", "it": " (il loro errore qui non è misurato)"}


def reason_text(code: str, values: dict[str, float], language: Language, *, policy: str | None = None) -> str:
    """Return the sentence for one broken rule of the gate."""
    return REASONS[language][code].format(
        n_now=f"{values['n_now']:.0f}",
        n_later=f"{values['n_later']:.0f}",
        n_replies=f"{values['n_replies']:.0f}",
        months=f"{values['months']:.0f}",
        share=f"{100 * values['share_now']:.0f}",
        answered=f"{100 * values['answered_share']:.0f}",
        senders=f"{values['n_senders']:.0f}",
        unreadable=f"{100 * values['unreadable_share']:.0f}",
        policy=_POLICY_ELSEWHERE[language] if policy is None else policy.rstrip("."),
    )


def advice(level: int, values: dict[str, float], language: Language) -> str:
    """Return what to do to become able to know or, where an answer is possible, what it can see."""
    if level == 2:
        return _DETECTABLE[language].format(mde=number(100 * values["minimum_detectable"], language))
    experiment = _ADVICE[language].format(
        n_per_arm=f"{values['n_per_arm']:.0f}", sesoi=number(values["sesoi"], language, digits=0)
    )
    if level == 0:
        return experiment
    coarse = _TOO_COARSE[language].format(mde=number(100 * values["minimum_detectable"], language))
    return f"{coarse} {experiment}"


def points(value: float, language: Language) -> str:
    """Return a difference of rates as signed percentage points."""
    unit = "percentage points" if language == "en" else "punti percentuali"
    return f"{number(100 * value, language, signed=True)} {unit}"


def pitch_words(plan: Plan, language: Language) -> dict[str, str]:
    """Return the words for both windows; the plan's own where they are the usual ones, else their days."""
    en = language == "en"
    a, b = plan.immediate, plan.deferred
    words = {}
    if a == (0, 1):
        words["immediate"] = "an immediate pitch" if en else "una proposta immediata"
        words["immediate_days"] = (
            "a pitch on the day you connect or the next"
            if en
            else "una proposta il giorno del collegamento o quello dopo"
        )
    else:
        days = _day_range(a, language)
        words["immediate"] = words["immediate_days"] = f"a pitch {days}" if en else f"una proposta {days}"
    if b == (7, 30):
        words["deferred"] = "one to four weeks later" if en else "da una a quattro settimane più tardi"
        words["deferred_days"] = (
            f"a first pitch {words['deferred']}" if en else f"una prima proposta {words['deferred']}"
        )
    else:
        days = _day_range(b, language)
        words["deferred"] = days
        words["deferred_days"] = f"a first pitch {days}" if en else f"una prima proposta {days}"
    return words


def _day_range(window: tuple[int, int], language: Language) -> str:
    first, last = window
    if first == last:
        return f"on day {first} after connecting" if language == "en" else f"il giorno {first} dopo il collegamento"
    if language == "en":
        return f"on days {first} to {last} after connecting"
    return f"nei giorni da {first} a {last} dopo il collegamento"


def is_slightest(tipping: float) -> bool:
    """Return whether a hidden trait would have to distort so little that its factor is written as 1.00."""
    return round(tipping, 2) == 1


def assumptions_text(
    plan: Plan,
    language: Language,
    *,
    orphans: int,
    n_senders: int,
    dates: tuple[str, str],
    sensitivity: float | None = None,
    specificity: float | None = None,
    tipping: float | None = None,
) -> str:
    """Return the paragraph on what the estimate rests on."""
    if language == "en":
        scope = "the contacts of one account" if n_senders == 1 else f"the contacts of {n_senders} accounts"
        span = f"connected between {dates[0]} and {dates[1]}"
    else:
        scope = "i contatti di un solo account" if n_senders == 1 else f"i contatti di {n_senders} account"
        span = f"collegati fra il {dates[0]} e il {dates[1]}"
    hidden = (
        _HIDDEN_UNKNOWN[language]
        if tipping is None
        else _HIDDEN_SLIGHTEST[language]
        if is_slightest(tipping)
        else _HIDDEN[language].format(tipping=number(tipping, language, digits=2))
    )
    error = (
        _ERROR_UNKNOWN[language]
        if sensitivity is None or specificity is None
        else _ERROR[language].format(
            sensitivity=f"{number(100 * sensitivity, language, digits=0)}%",
            specificity=f"{number(100 * specificity, language, digits=0)}%",
        )
    )
    return ASSUMPTIONS[language].format(
        **pitch_words(plan, language),
        error=error,
        orphans=orphans,
        hidden=hidden,
        scope=scope,
        dates=span,
    )

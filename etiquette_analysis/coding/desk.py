"""Where a person codes: the same card in a terminal and in JupyterLab, with the codebook in short beside the message.

No predicted label is shown, and no name: the coder sees who wrote ("you", "they") and how many days after connecting.
"""

from __future__ import annotations

import math
import os
import sys
from typing import TYPE_CHECKING, Any, Final, Literal

from etiquette_analysis.coding.codes import LABELLER
from etiquette_analysis.coding.session import ANSWER_KEYS

if TYPE_CHECKING:
    from typing import TextIO

    from etiquette_analysis.coding.session import Message, Session

Language = Literal["en", "it"]

#: How many earlier messages of the dyad are shown above the one to be coded.
CONTEXT: Final = 3

#: The codebook in short, by key.
CODEBOOK: Final = {
    "en": {
        "0": "none: no commercial interest of the sender. Greetings, thanks, talk, a buyer's question, delivering what "
        "was asked for",
        "1": "soft: shows it, but offers and asks nothing. Names the trade, asks how you do it today",
        "2": "moderate: a low-commitment offer or request. A quick chat, a free guide, a role, a partnership",
        "3": "hard: presses for a step. Buy, book, demo, price, discount, deadline; or offer, benefits and call to "
        "action together",
        "x": "no level: emoji only, or unreadable",
        "a": "automatic answer (out of office)",
        "b": "back",
        "q": "stop here; go on later",
    },
    "it": {
        "0": "nessuna: nessun interesse commerciale di chi scrive. Saluti, ringraziamenti, conversazione, domanda di "
        "chi compra, consegna di ciò che era stato chiesto",
        "1": "lieve: lo mostra, ma non offre e non chiede nulla. Dice il mestiere, chiede come fate oggi",
        "2": "moderata: offerta o richiesta poco impegnativa. Due chiacchiere, una guida gratuita, un ruolo, una "
        "collaborazione",
        "3": "forte: spinge a un passo concreto. Comprare, prenotare, demo, prezzo, sconto, scadenza; o offerta, "
        "vantaggi e invito ad agire insieme",
        "x": "senza livello: solo emoji, o illeggibile",
        "a": "risposta automatica (fuori ufficio)",
        "b": "indietro",
        "q": "fermarsi qui; si riprende dopo",
    },
}
WORDS: Final = {
    "en": {
        "own": "you",
        "other": "they",
        "day": "day {day}",
        "note": "invitation",
        "progress": "{done} of {n} dyads done, {coded} messages coded",
        "finished": "All dyads are coded.",
        "unknown": "Keys: 0 1 2 3 x a b q",
        "kept": "Kept in {path}; the same command goes on from here.",
        "nothing": "Nothing to compare yet.",
        "agreement": "Agreement in the sample (95 % interval)",
        "labeller": "labeller",
        "alpha": "alpha",
        "kappa": "weighted kappa",
        "accuracy": "same level",
        "sensitivity": "sensitivity",
        "specificity": "specificity",
        "no_alpha": "both used one and the same level",
        "no_kappa": "one of the two used a single level",
        "no_sensitivity": "no pitches",
        "no_specificity": "nothing but pitches",
    },
    "it": {
        "own": "tu",
        "other": "l'altra persona",
        "day": "giorno {day}",
        "note": "invito",
        "progress": "{done} coppie su {n}, {coded} messaggi codificati",
        "finished": "Tutte le coppie sono codificate.",
        "unknown": "Tasti: 0 1 2 3 x a b q",
        "kept": "Salvato in {path}; lo stesso comando riprende da qui.",
        "nothing": "Ancora niente da confrontare.",
        "agreement": "Accordo nel campione (intervallo al 95 %)",
        "labeller": "etichettatore",
        "alpha": "alfa",
        "kappa": "kappa pesata",
        "accuracy": "stesso livello",
        "sensitivity": "sensibilità",
        "specificity": "specificità",
        "no_alpha": "entrambi hanno usato un solo livello, lo stesso",
        "no_kappa": "uno dei due ha usato un solo livello",
        "no_sensitivity": "nessuna proposta",
        "no_specificity": "solo proposte",
    },
}


def caption(message: Message, language: Language = "en") -> str:
    """Return who wrote a message, and when, without a name.

    >>> from etiquette_analysis.coding import Message
    >>> caption(Message(1, True, 3, "message", "Hello"), "it")
    'tu, giorno 3'
    """
    words = WORDS[language]
    when = words["note"] if message.kind == "invitation" else words["day"].format(day=message.day)
    return f"{words['own' if message.is_own else 'other']}, {when}"


def printable(text: str) -> str:
    """Return a text without control characters, which could move the cursor or recolour a terminal.

    >>> printable("a" + chr(27) + "[2J" + chr(9) + "b")
    'a[2J b'
    """
    return "".join(c if c == "\n" or c.isprintable() else " " if c.isspace() else "" for c in text)


def progress_line(session: Session, language: Language = "en") -> str:
    """Return how far the coder is, in words."""
    return WORDS[language]["progress"].format(done=session.n_done, n=session.n_dyads, coded=session.n_coded)


def card(session: Session, language: Language = "en", *, width: int = 100) -> str:
    """Return what the terminal shows: how far one is, the message with what came before, and the codebook beside it.

    Below 80 columns the codebook stands under the message.
    """
    import textwrap

    message, book = session.current, CODEBOOK[language]
    if message is None:
        return f"{progress_line(session, language)}\n{WORDS[language]['finished']}\n"
    is_wide = width >= 80
    left, right = (width * 11 // 20, width - width * 11 // 20 - 3) if is_wide else (width - 1, width - 1)
    reading: list[str] = []
    for shown in (*session.context[-CONTEXT:], message):
        mark = ">>" if shown is message else "  "
        reading.append(f"{mark} [{caption(shown, language)}]")
        for line in printable(shown.text or "...").split("\n"):
            reading += textwrap.wrap(line, left - 3, initial_indent="   ", subsequent_indent="   ") or [""]
    rules = [
        line for key, text in book.items() for line in textwrap.wrap(f"{key}  {text}", right, subsequent_indent="   ")
    ]
    if is_wide:
        rows = max(len(reading), len(rules))
        columns = (part + [""] * (rows - len(part)) for part in (reading, rules))
        body = [f"{a:<{left}} | {b}".rstrip() for a, b in zip(*columns, strict=True)]
    else:
        body = [*reading, "-" * (width - 1), *rules]
    return "\n".join(["", progress_line(session, language), "=" * (width - 1), *body, ""])


def summary(session: Session, language: Language = "en") -> str:
    """Return how far one is and, for each pair of coders and the labeller, alpha, kappa and the rest with intervals."""
    words = WORDS[language]
    table = session.agreement()
    lines = ["", progress_line(session, language), words["kept"].format(path=session.path)]
    if table.empty:
        return "\n".join([*lines, words["nothing"], ""])
    lines += ["", words["agreement"]]
    for (gold, coded), rows in table.groupby(["gold", "coded"], sort=False):
        lines.append(f"{gold} / {words['labeller'] if coded == LABELLER else coded}")
        for name, estimate, low, high, n in rows[["statistic", "estimate", "low", "high", "n"]].itertuples(index=False):
            is_known = not math.isnan(estimate)
            shown = f"{estimate:.2f} ({low:.2f} .. {high:.2f})" if is_known else f"- ({words[f'no_{name}']})"
            lines.append(f"  {words[name]:<14} {shown}, n = {n}")
    return "\n".join([*lines, ""])


def read_key(stream: TextIO) -> str:
    """Return the next key: at once from a terminal, else the next character that is not white space; "" at the end."""
    if stream.isatty():
        return _pressed(stream)
    while (key := stream.read(1)) and key.isspace():
        pass
    return key


def _pressed(stream: TextIO) -> str:
    """Wait for one key in a terminal, without Enter."""
    if sys.platform == "win32":
        import msvcrt

        return "" if (key := msvcrt.getwch()) == "\x1a" else key
    import select
    import termios
    import tty

    terminal = stream.fileno()
    before = termios.tcgetattr(terminal)
    try:
        tty.setcbreak(terminal, termios.TCSANOW)
        key = os.read(terminal, 1)
        # An arrow or function key sends several bytes, some of which look like answers.
        while key[:1] == b"\x1b" and select.select([terminal], [], [], 0.02)[0]:
            key += os.read(terminal, 16)
    finally:
        termios.tcsetattr(terminal, termios.TCSANOW, before)
    return "" if key == b"\x04" else key.decode(errors="replace")


def widget(session: Session, *, language: Language = "en") -> Any:
    """Return the coding desk for JupyterLab: the message, the codebook beside it, and a button for each answer.

    Parameters
    ----------
    session : Session
        From ``pipeline.coding_session``; whoever calls ``session.answer`` by code goes the same way as the buttons.
    language : {"en", "it"}
        Of the codebook.

    Returns
    -------
    ipywidgets.VBox
        Shown where it is the last line of a cell; ``.children[0]`` tells how far one is.
    """
    import html

    import ipywidgets

    status, reading = ipywidgets.HTML(), ipywidgets.HTML(layout={"width": "55%"})
    rules = "".join(f"<dt><b>{key}</b></dt><dd>{html.escape(text)}</dd>" for key, text in CODEBOOK[language].items())
    codebook = ipywidgets.HTML(f"<dl>{rules}</dl>", layout={"width": "45%"})

    def show() -> None:
        message = session.current
        status.value = html.escape(progress_line(session, language))
        if message is None:
            reading.value = html.escape(WORDS[language]["finished"])
            return
        before = "".join(
            f"<p style='opacity:.6'><i>{caption(m, language)}</i><br>{html.escape(printable(m.text or '…'))}</p>"
            for m in session.context[-CONTEXT:]
        )
        body = html.escape(printable(message.text or ""))
        now = f"<p style='white-space:pre-wrap'><b>{caption(message, language)}</b><br>{body}</p>"
        reading.value = before + now

    def press(button: Any) -> None:
        if button.description == "b":
            session.back()
        elif session.current is not None:
            session.answer(button.description)
        show()

    buttons = []
    for key in (*ANSWER_KEYS, "b"):
        button = ipywidgets.Button(description=key, tooltip=CODEBOOK[language][key], layout={"width": "3em"})
        button.on_click(press)
        buttons.append(button)
    show()
    return ipywidgets.VBox([status, ipywidgets.HBox([reading, codebook]), ipywidgets.HBox(buttons)])

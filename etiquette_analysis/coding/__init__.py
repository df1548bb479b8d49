"""Hand-coding: a person reads a sample of dyads by the codebook, message by message, and the answers are kept.

How often the labels err on *your* messages only you can tell, and :func:`etiquette_analysis.debias` corrects for it.
It needs a probability sample of dyads in which everything that decides their place in the study has been read
(STATISTICS, section 8): own messages up to the first reply, and that reply; where nothing has been pitched by then,
on to the first pitch and its reply. Own messages after the last day of the plan's windows cannot change the answer
and are not asked for. Messages without text have no level and are passed over.

The file of codes is a CSV table of ids: first the sample, one row per dyad in the random order in which it is shown
(``message_id`` empty), then one row per answer. It holds no text and no name but the coder's, and is replaced as a
whole after every answer. Dyads come in random order, so whoever stops half-way has still coded a random sample.

**Your own coder.** Anything that turns texts into levels, say a language model on this machine or a table made
elsewhere, can stand in for our labeller: :func:`apply_coder` gives the ``levels`` that ``label_turns``,
``label_messages``, ``build_dyads`` and ``write_report`` take.

>>> import etiquette_analysis as ea
>>> def by_length(texts):
...     return ["hard" if len(text) > 300 else "none" for text in texts]
>>> dataset = ea.load_sample()
>>> turns = ea.label_turns(dataset, levels=apply_coder(dataset.messages, by_length))
"""

from __future__ import annotations

from etiquette_analysis.coding.codes import CODES, Answer, agreement, answers_of, coders_of, levels_of, read_codes
from etiquette_analysis.coding.desk import CODEBOOK, WORDS, caption, card, read_key, summary, widget
from etiquette_analysis.coding.own_coder import apply_coder
from etiquette_analysis.coding.session import ANSWER_KEYS, Message, Session, next_message

__all__ = [
    "ANSWER_KEYS",
    "CODEBOOK",
    "CODES",
    "WORDS",
    "Answer",
    "Message",
    "Session",
    "agreement",
    "answers_of",
    "apply_coder",
    "caption",
    "card",
    "coders_of",
    "levels_of",
    "next_message",
    "read_codes",
    "read_key",
    "summary",
    "widget",
]

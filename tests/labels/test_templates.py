"""Mass-sent texts are told from chat, whatever was filled into the template."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd

from etiquette_analysis.labels.templates import label_templates

PITCH = (
    "{hi} {name}, I came across your work at {company} and wanted to ask how you handle payroll today. "
    "We help teams of {n} people save a day a month. Could I send you our deck? Best, Tom"
)
NAMES = ("Ann", "Zoë", "Marco", "Bärbel", "Inês")


def filled(name, company="Acme", n=12, hi="Hi"):
    return PITCH.format(name=name, company=company, n=n, hi=hi)


def test_copies_that_differ_in_greeting_name_company_and_number_are_one_template():
    companies = ("Acme", "Beta Corp Ltd", "Ditta Rossi", "Öko", "Nuvem")
    greetings = ("Hi", "Hello", "Ciao", "Dear", "Hey")
    texts = [filled(*row) for row in zip(NAMES, companies, (3, 14, 250, 9, 77), greetings, strict=True)]
    assert len(set(label_templates(texts, ["tom"] * 5, NAMES))) == 1


def test_a_personal_first_line_leaves_the_template_recognisable():
    texts = [filled("Ann"), filled("Bob").replace("wanted to ask", "loved your talk about bees, so I wanted to ask")]
    ids = label_templates(texts, ["tom", "tom"], ["ann", "bob"])
    assert ids[0] == ids[1]


def test_other_texts_other_senders_and_single_recipients_are_no_copies():
    other = "Hi Bob, the keys are with the neighbour downstairs and the cat has been fed this morning already."
    texts = [filled("Ann"), other, filled("Bob"), filled("Ann"), filled("Ann")]
    ids = label_templates(texts, ["tom", "tom", "eva", "ida", "ida"], ["ann", "bob", "bob", "ann", "ann"])
    assert ids.isna().all()


def test_short_and_null_texts_have_no_template():
    ids = label_templates(
        ["Thanks, talk soon!", "Thanks, talk soon!", None, filled("Ann")], ["t"] * 4, ["a", "b", "c", None]
    )
    assert ids.isna().all()
    assert label_templates([], [], []).tolist() == []


def test_ids_do_not_depend_on_the_order_of_rows_and_keep_the_index():
    texts = [filled(n) for n in NAMES] + [
        f"A second text, to {n}, about something else entirely, over and over again." for n in NAMES
    ]
    table = pd.DataFrame({"text": texts, "to": [*NAMES, *NAMES]}, index=list("abcdefghij"))
    ids = label_templates(table["text"], ["tom"] * 10, table["to"])
    shuffled = table.sample(frac=1, random_state=3)
    again = label_templates(shuffled["text"], ["tom"] * 10, shuffled["to"])
    assert ids.nunique() == 2
    pd.testing.assert_series_equal(again.sort_index(), ids)


def test_the_id_holds_no_text_and_time_is_linear():
    rng = np.random.default_rng(0)
    words = [f"w{chr(97 + i % 26)}{chr(97 + i // 26)}" for i in range(600)]

    def seconds(n):
        texts = [" ".join(rng.choice(words, 30)) for _ in range(n)]
        begin = time.process_time()
        assert label_templates(texts, ["tom"] * n, [str(i) for i in range(n)]).isna().all()
        return time.process_time() - begin

    seconds(100)
    assert seconds(4000) < 12 * seconds(1000)
    assert label_templates([filled("A"), filled("B")], ["t", "t"], ["a", "b"])[0].isalnum()

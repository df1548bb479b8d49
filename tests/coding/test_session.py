"""What is read, what is kept, and what can be done with it: on dyads counted by hand, and on the sample."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest

import etiquette_analysis as ea
from etiquette_analysis import coding, pipeline
from etiquette_analysis.coding import Answer, Message, Session, next_message

if TYPE_CHECKING:
    from etiquette_analysis.schema import Dataset

SECRET = "Zanzibar"


@pytest.fixture(scope="module")
def sample() -> Dataset:
    return ea.load_sample()


def tiny(path: Path, coder: str = "ann", **options: object) -> Session:
    """Two dyads: a pitch and its answer; a greeting."""
    rows = [
        (0, 1, 10, True, 0, "message", f"Book here, {SECRET}", "hard"),
        (0, 1, 11, False, 1, "message", "No", "none"),
        (0, 1, 12, True, 2, "message", "Sure?", "soft"),
        (0, 2, 13, True, 0, "message", "Hello", "none"),
    ]
    drawn = pd.DataFrame({"sender": 0, "contact": [1, 2, 3], "inclusion_probability": [0.5, 0.25, 0.25]})
    material = pd.DataFrame(rows, columns=list(coding.session.MATERIAL))
    return Session(drawn, material, path, coder=coder, **options)  # type: ignore[arg-type]


def asked(script: str, answers: dict[int, Answer]) -> str | None:
    """Return the text of the next message; ``script`` is like "own:Hello they:Hi"."""
    dyad = []
    for i, item in enumerate(script.split()):
        who, text = item.split(":")
        dyad.append(Message(i, who in {"own", "note"}, i, "invitation" if who == "note" else "message", text or None))
    found = next_message(dyad, answers, last_day=5)
    return None if found is None else found.text


NONE, HARD, AUTO = Answer("none"), Answer("hard"), Answer(None, is_automatic=True)


@pytest.mark.parametrize(
    ("script", "answers", "expected"),
    [
        ("own:Hello", {}, "Hello"),
        ("own:Hello", {0: NONE}, None),
        ("own:Book they:No own:Sure", {0: HARD}, "No"),
        ("own:Book they:No own:Sure", {0: HARD, 1: NONE}, None),
        ("own:Book own:Sure they:No", {0: HARD}, "Sure"),
        ("own:Book they:Away they:No", {0: HARD, 1: AUTO}, "No"),
        # An answer before any pitch does not end it: whoever waits for one pitches afterwards.
        ("own:Hello they:Hi own:Book they:No", {0: NONE, 1: NONE}, "Book"),
        ("own:Hello they:Hi own:Book they:No", {0: NONE, 1: NONE, 2: HARD}, "No"),
        # Between the first answer and the pitch, what they write changes nothing.
        ("own:Hello they:Hi they:Ho own:Book", {0: NONE, 1: NONE}, "Book"),
        ("note:Book own:Hello", {0: HARD}, None),
        ("note:Hello own:Book", {0: NONE}, "Book"),
        ("own: own:Book", {}, "Book"),
        ("own:Book they: own:Sure", {0: HARD}, None),
        ("they:1 they:2 they:3 they:4 they:5 they:6 own:Book", {0: NONE}, None),
    ],
)
def test_reads_to_the_first_reply_and_on_to_the_first_pitch(
    script: str, answers: dict[int, Answer], expected: str | None
) -> None:
    assert asked(script, answers) == expected


def test_every_answer_is_kept_at_once_without_text(tmp_path: Path) -> None:
    path = tmp_path / "codes.csv"
    session = tiny(path)
    for key, n in (("3", 1), ("a", 2), ("x", 3)):
        session.answer(key)
        assert coding.read_codes(path)["message_id"].notna().sum() == n
    codes = coding.read_codes(path)
    assert list(codes.columns) == [
        "sender", "contact", "inclusion_probability", "message_id", "coder", "level", "is_automatic",
    ]  # fmt: skip
    assert SECRET not in path.read_text()
    assert coding.levels_of(codes).dropna().to_dict() == {10: "hard"}
    assert codes["is_automatic"].dropna().tolist() == [False, True, False]
    assert [p.name for p in tmp_path.iterdir()] == ["codes.csv"]


def test_resumes_where_it_stopped(tmp_path: Path) -> None:
    first = tiny(tmp_path / "codes.csv")
    first.answer("0")
    again = tiny(tmp_path / "codes.csv")
    assert again.n_coded == 1
    assert again.current == first.current
    assert [m.message_id for m in again.context] == [10]


def test_back_takes_one_answer_back_even_after_resuming(tmp_path: Path) -> None:
    tiny(tmp_path / "codes.csv").answer("0")
    session = tiny(tmp_path / "codes.csv")
    assert session.back()
    assert session.current is not None
    assert session.current.message_id == 10
    assert not session.back()
    assert coding.read_codes(tmp_path / "codes.csv")["message_id"].isna().all()


def test_a_dyad_without_messages_needs_no_answer(tmp_path: Path) -> None:
    session = tiny(tmp_path / "codes.csv")
    for key in "300":
        session.answer(key)
    assert session.current is None
    assert (session.n_done, session.n_dyads, session.n_coded) == (3, 3, 3)
    with pytest.raises(ea.DesignError, match="nothing is left to code; expected one of 0, 1, 2, 3, x, a"):
        session.answer("0")


def test_half_a_sample_is_a_random_sample(tmp_path: Path) -> None:
    session = tiny(tmp_path / "codes.csv")
    session.answer("3")
    session.answer("0")
    done = session.finished_dyads()
    assert done["contact"].tolist() == [1]
    assert done["inclusion_probability"].tolist() == [0.5 / 3]


def test_two_coders_at_once_keep_each_others_answers(tmp_path: Path) -> None:
    ann, bob = (tiny(tmp_path / "codes.csv", coder=name) for name in ("ann", "bob"))
    for key in "300":
        ann.answer(key)
        bob.answer(key)
    assert coding.coders_of(ann.codes()) == ["bob", "ann"] or coding.coders_of(ann.codes()) == ["ann", "bob"]
    kappa = ann.agreement().query("statistic == 'kappa'").set_index(["gold", "coded"])["estimate"]
    assert len(kappa) == 3
    assert (kappa == 1).all()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b\n1,2\n", "expected sender, contact, inclusion_probability"),
        ("\x00", "not a readable file of codes|expected sender"),
        ("{head}\n0,1,0.5,10,ann,huge,False\n", "line 2: unknown level; expected none, soft, moderate, hard"),
        ("{head}\n0,1,1.5,,,,\n", "line 2: inclusion_probability is not above 0"),
        ("{head}\n0,1,0.5,10,ann,none,False\n0,1,0.5,10,ann,hard,False\n", "line 3: the same message twice"),
        ("{head}\n0,1,0.5,,,,\n0,1,0.5,99,ann,none,False\n", "made on another one"),
    ],
)
def test_a_wrong_file_is_told_and_left_alone(content: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "codes.csv"
    path.write_text(content.format(head="sender,contact,inclusion_probability,message_id,coder,level,is_automatic"))
    before = path.read_bytes()
    with pytest.raises(ea.EtiquetteError, match=message):
        tiny(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", ["", "=1+1", "labeller", "a\nb"])
def test_a_coder_needs_a_name(name: str, tmp_path: Path) -> None:
    with pytest.raises(ea.DesignError, match="is no name for a coder"):
        tiny(tmp_path / "codes.csv", coder=name)


def test_probabilities_stand_for_every_dyad_that_can_be_judged(sample: Dataset, tmp_path: Path) -> None:
    session = pipeline.coding_session(sample, tmp_path / "codes.csv", n=60, seed=3)
    chance = session.codes()["inclusion_probability"]
    dyads = ea.build_dyads(sample)
    judged = dyads["exclusion"].isna() | (dyads["exclusion"] == "pitch_in_invitation")
    assert len(chance) == 60
    assert (1 / chance).sum() == pytest.approx(judged.sum())
    assert chance.nunique() == 3
    names = {f"x{name}": name for name in pd.unique(sample.messages[["sender", "recipient"]].to_numpy().ravel())}
    other = dict(zip(names.values(), reversed(names), strict=True))

    def renamed(table: pd.DataFrame, *columns: str) -> pd.DataFrame:
        return table.assign(**{name: table[name].map(lambda v: other.get(v, v)) for name in columns})

    turned = replace(
        sample,
        messages=renamed(sample.messages, "sender", "recipient"),
        connections=renamed(sample.connections, "person_a", "person_b", "invited_by"),
        ego=other[sample.ego],
    )
    codes = pipeline.coding_session(turned, tmp_path / "turned.csv", n=60, seed=3).codes()
    pd.testing.assert_frame_equal(codes, session.codes(), obj="the file of codes, which tells nothing of the names")
    again = pipeline.coding_session(sample, tmp_path / "again.csv", n=60, seed=3)
    pd.testing.assert_frame_equal(session.codes(), again.codes())


def test_a_coder_who_agrees_with_the_labeller_changes_nothing(sample: Dataset, tmp_path: Path) -> None:
    session = pipeline.coding_session(sample, tmp_path / "codes.csv", n=120)
    scored = pipeline.score_messages(sample.messages).set_index("message_id")
    key_of = {level: key for key, level in coding.session.KEYS.items()}
    while (message := session.current) is not None:
        row = scored.loc[message.message_id]
        automatic = row["kind"] == "auto_reply"
        session.answer("a" if automatic else key_of.get(row["pitch_level"], "x"))
    plan = ea.Plan()
    dyads, coded = ea.build_dyads(sample, plan), pipeline.coded_dyads(sample, session, plan)
    assert len(coded) == 120
    predicted = dyads.merge(coded[["sender", "contact"]], how="right")
    assert (predicted["time_zero"] == coded["time_zero"]).all()
    inside = (predicted["pitch_day"] <= plan.deferred[1]).fillna(False).to_numpy(bool)
    assert inside.sum() >= 60
    columns = ["exclusion", "pitch_day", "hours_to_reply", "opener_day", "answered_day"]
    pd.testing.assert_frame_equal(predicted.loc[inside, columns], coded.loc[inside, columns])
    assert coded.loc[~inside, "pitch_day"].isna().all()
    found = ea.debias(dyads, coded, plan)
    assert (found.sensitivity, found.specificity) == pytest.approx((1, 1))
    assert found.frame["estimate"].notna().all()
    turns = ea.label_turns(sample, levels=coding.levels_of(session.codes()))
    assert turns["pitch_score"].isna().all()
    assert turns["is_first_pitch"].any()


def test_your_own_coder_is_checked() -> None:
    messages = pd.DataFrame({"message_id": range(3), "text": ["a", "b", None]})
    assert coding.apply_coder(messages, lambda t: ["soft"] * len(t), batch_size=1).tolist()[:2] == ["soft", "soft"]
    with pytest.raises(ea.SchemaError, match="returned 1 levels for 2 texts"):
        coding.apply_coder(messages, lambda _: ["soft"])
    with pytest.raises(ea.SchemaError, match="returned level 'huge'"):
        coding.apply_coder(messages, lambda t: ["huge"] * len(t))


def test_the_buttons_go_the_same_way(tmp_path: Path) -> None:
    session = tiny(tmp_path / "codes.csv")
    desk = coding.widget(session, language="it")
    status, middle, buttons = desk.children
    press = {button.description: button for button in buttons.children}
    assert SECRET in middle.children[0].value
    press["3"].click()
    assert session.n_coded == 1
    assert status.value == "0 coppie su 3, 1 messaggi codificati"
    press["b"].click()
    assert session.n_coded == 0
    for key in "300":
        press[key].click()
    press["0"].click()
    assert "Tutte le coppie" in middle.children[0].value

"""The pitch labeller: the codebook's own examples, what must not change a level, and what a level rests on."""

from __future__ import annotations

import unicodedata

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from etiquette_analysis.errors import SchemaError
from etiquette_analysis.labels.pitch import explain_pitch, label_pitch, score_batch
from etiquette_analysis.labels.pitch.lexicon import FAMILIES
from etiquette_analysis.labels.pitch.scoring import CHUNK_BYTES
from etiquette_analysis.simulation.dataset import text_bank

ITALIAN = (
    "Perché no? Offriamo già a tre realtà come la Sua un servizio più rapido: è libero giovedì alle 15 per una demo?"
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Congratulations on the new job!", {"none"}),
        ("Thanks for connecting, have a great weekend", {"none"}),
        ("Could you send me your price list? We need about 200 pieces.", {"none", "soft"}),
        ("Can I send you our price list?", {"moderate"}),
        ("Book your demo here: 20% off until Friday, only 3 places left", {"hard"}),
        ("Offriamo un servizio di lead generation con il 20% di sconto fino a venerdì: prenota una call qui", {"hard"}),
        ("Potreste mandarmi un preventivo?", {"none", "soft"}),
        ("Complimenti per il nuovo ruolo!", {"none"}),
    ],
)
def test_plain_cases_of_the_codebook(text: str, expected: set[str]) -> None:
    assert label_pitch([text])["pitch_level"].iloc[0] in expected


def test_a_quoted_pitch_is_not_a_pitch() -> None:
    said = "Book your demo here: 20% off until Friday, only 3 places left"
    own, quoted = label_pitch([said, f'They wrote to me: "{said}". I am so tired of this.'])["pitch_score"]
    assert own > 0.7
    assert quoted < 0.35


@pytest.mark.parametrize(
    "change",
    [
        lambda t: unicodedata.normalize("NFD", t),
        lambda t: "".join(c for c in unicodedata.normalize("NFD", t) if not unicodedata.combining(c)),
        str.upper,
        lambda t: t.replace(" ", "  "),
        lambda t: t.replace(" ", "\u00a0"),
        lambda t: "".join(chr(0x1D5EE + ord(c) - 97) if "a" <= c <= "z" else c for c in t),
        lambda t: t.replace("'", "’"),
        lambda t: f" {t}\n",
    ],
    ids=["NFD", "no accents", "upper", "double spaces", "no-break spaces", "bold letters", "curly", "stripped"],
)
def test_spelling_that_means_nothing_changes_nothing(change) -> None:
    before, after = label_pitch([ITALIAN, change(ITALIAN)])["pitch_score"]
    assert after == pytest.approx(before, abs=0.02)


@pytest.mark.parametrize("text", [None, "", "   ", "👍", "🎉🎉 ❤️", "...", "\u200e"])
def test_nothing_said_has_no_level(text: str | None) -> None:
    row = label_pitch([text, "ciao"]).iloc[0]
    assert pd.isna(row["pitch_level"])
    assert pd.isna(row["pitch_score"])


@pytest.mark.parametrize(
    "text",
    [
        "Купите наш новый продукт со скидкой сегодня",
        "こんにちは、商品をご案内します",
        "Hej, vi erbjuder er bra priser på våra nya produkter",
    ],
)
def test_an_unknown_language_has_no_level_and_says_so(text: str) -> None:
    found = explain_pitch(text)
    assert found.level is None
    assert found.reason == "unknown language"


def test_a_series_keeps_its_index_and_a_list_counts() -> None:
    series = pd.Series(["Hello there", None], index=[7, 3])
    assert label_pitch(series).index.tolist() == [7, 3]
    assert label_pitch(["Hello there"]).index.tolist() == [0]
    assert label_pitch([]).shape == (0, 2)


def test_a_text_scores_the_same_in_any_company() -> None:
    bank = [text for acts in text_bank().values() for texts in acts.values() for text in texts]
    together, _ = score_batch(pa.array(bank * 5, pa.large_string()))
    alone = [score_batch(pa.array([text]))[0][0].as_py() for text in bank]
    assert len("".join(bank * 5)) > CHUNK_BYTES
    np.testing.assert_allclose(together.to_numpy()[: len(bank)], alone, rtol=0, atol=1e-12)


def test_a_sliced_or_chunked_column_scores_the_same() -> None:
    texts = pa.array(["zero", "Book a demo today, 20% off", None, "Grazie mille per ieri"])
    whole, levels = score_batch(texts)
    part, part_levels = score_batch(texts.slice(1))
    chunked, _ = score_batch(pa.chunked_array([texts.slice(0, 2), texts.slice(2)]))
    assert part.to_pylist() == whole.to_pylist()[1:]
    assert part_levels.tolist() == levels.tolist()[1:]
    assert chunked.to_pylist() == whole.to_pylist()


def test_text_only() -> None:
    with pytest.raises(SchemaError, match="neither text nor null"):
        label_pitch([{"not": "text"}])
    with pytest.raises(SchemaError, match="texts is a str; expected a list or a column of texts"):
        label_pitch("one text")
    with pytest.raises(SchemaError, match="texts is a DataFrame; expected a list or a column"):
        label_pitch(pd.DataFrame({"text": ["one"]}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text", [ITALIAN, "𝗕𝗼𝗼𝗸 a demo 🙂 today: 20% off, l’offerta è tua", "a\nb\n\nCan I send you our deck?"]
)
def test_cues_point_into_the_text(text: str) -> None:
    found = explain_pitch(text)
    assert found.cues
    for cue in found.cues:
        assert text[cue.start : cue.end] == cue.text
        assert cue.family in (*FAMILIES, "wording")
    assert found.score == pytest.approx(label_pitch([text])["pitch_score"].iloc[0], abs=1e-9)
    assert "<script" not in explain_pitch("<script>alert(1)</script> book now")._repr_html_()


def test_the_sample_texts_are_mostly_read_right() -> None:
    """Texts of the simulator, which no one tuned the model on: pitches found, small talk left alone."""
    rows = [(act, text) for acts in text_bank().values() for act, texts in acts.items() for text in texts]
    level = label_pitch([text.format(name="Marta", me="Livia") for _, text in rows])["pitch_level"]
    act = pd.Series([a for a, _ in rows])
    is_pitch = act.isin(["moderate", "hard", "chaser"])
    found = level >= "moderate"
    assert found[is_pitch].mean() > 0.85
    assert found[~is_pitch].mean() < 0.08

"""The cue lexicon: complete, clean, and refused with a clear word where it is not."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest

from etiquette_analysis.errors import SchemaError
from etiquette_analysis.labels.pitch.cues import match_cues
from etiquette_analysis.labels.pitch.lexicon import FAMILIES, LONGEST, LOWERING, RAISING, Cue, load_lexicon, read_cues
from etiquette_analysis.labels.pitch.scoring import plain_rows
from etiquette_analysis.labels.pitch.tokens import buffers, fold, hash_tokens

LANGUAGES = ("de", "en", "es", "fr", "it", "pt")
#: At least so many phrases a language, and a family of that language.
SIZES = {"en": (700, 40), "it": (700, 40), "de": (300, 15), "es": (300, 15), "fr": (300, 15), "pt": (300, 15)}


def matched(phrase: str) -> str:
    """Return a phrase as the matcher folds it: no accents, no case, no apostrophes; ``_`` is a word of its own."""
    folded, _ = fold(*buffers(pa.array([phrase.replace("_", "anyword")], pa.large_string())))
    return " ".join(folded.tobytes().decode("ascii").replace("'", " ").split())


def write(folder: Path, **families: str) -> Path:
    """Write a small lexicon, one phrase a family unless said otherwise."""
    lists = {family: f'["{family.replace("_", " ")} phrase"]' for family in FAMILIES} | families
    path = folder / "xx.toml"
    path.write_text("\n".join(f"{family} = {phrases}" for family, phrases in lists.items() if phrases), "utf-8")
    return path


def test_every_phrase_is_found_in_a_text_that_says_it():
    cues = load_lexicon()
    texts = [cue.phrase.replace("_", "anything").replace("0", "250").replace("$", "€").title() for cue in cues]
    tokens = hash_tokens(*fold(*buffers(plain_rows(pa.array(texts, pa.large_string())))))
    found = match_cues(tokens)
    named = set(zip(tokens.row[found.first].tolist(), found.family.tolist(), strict=True))
    assert [cue for row, cue in enumerate(cues) if (row, FAMILIES.index(cue.family)) not in named] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_family_is_present_and_large_enough(language):
    counts = Counter(cue.family for cue in load_lexicon() if cue.language == language)
    total, family = SIZES[language]
    assert set(counts) == set(FAMILIES)
    assert counts.total() >= total
    assert min(counts.values()) >= family


def test_there_is_one_file_per_language():
    assert tuple(dict.fromkeys(cue.language for cue in load_lexicon())) == LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_phrase_twice_in_a_language(language):
    phrases = Counter(matched(cue.phrase) for cue in load_lexicon() if cue.language == language)
    assert [phrase for phrase, n in phrases.items() if n > 1] == []


def test_no_phrase_raises_here_and_lowers_there():
    """Not even in two languages: the matcher does not know which one it reads."""
    raising = {matched(cue.phrase) for cue in load_lexicon() if cue.family in RAISING}
    lowering = {matched(cue.phrase) for cue in load_lexicon() if cue.family in LOWERING}
    assert raising & lowering == set()


def test_phrases_are_normalised():
    for cue in load_lexicon():
        assert cue.phrase == " ".join(cue.phrase.lower().replace("'", " ").split()), cue
        assert 1 <= len(cue.phrase.split()) <= LONGEST, cue
        folded = matched(cue.phrase)
        assert len(folded.split()) == len(cue.phrase.split()), f"{cue}: folding loses or splits a word"


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_family_opens_with_its_meaning(root, language):
    path = root / "etiquette_analysis" / "labels" / "pitch" / "lexicon" / f"{language}.toml"
    lines = path.read_text("utf-8").splitlines()
    for family in FAMILIES:
        assert lines[lines.index(f"{family} = [") - 1].startswith("# "), f"{path.name}: {family} has no comment"


def test_apostrophes_are_resolved_and_accents_kept(tmp_path):
    cues = read_cues(write(tmp_path, offer="""["l'offerta è", "book _ demo", "0 % off"]"""))
    assert cues[:3] == (
        Cue("xx", "offer", "l offerta è"),
        Cue("xx", "offer", "book _ demo"),
        Cue("xx", "offer", "0 % off"),
    )


@pytest.mark.parametrize(
    ("families", "message"),
    [
        ({"offer": ""}, r"xx\.toml: families missing or unknown: offer; expected exactly offer, call"),
        ({"rebate": '["a word"]'}, r"xx\.toml: families missing or unknown: rebate"),
        ({"offer": "[]"}, r"xx\.toml: offer holds no phrases; expected a list"),
        ({"offer": "[7]"}, r"xx\.toml, offer: 7 is not plain text"),
        ({"offer": '["perche\u0301 no"]'}, r"xx\.toml, offer: .* composed accents"),
        ({"offer": '["Free trial"]'}, r"xx\.toml, offer: 'Free trial' is not normalised; write it in lower case"),
        ({"offer": '["free  trial"]'}, r"xx\.toml, offer: 'free  trial' is not normalised"),
        ({"offer": '["i\'d love to show you"]'}, r"has 6 words; expected 1 to 5, apostrophes counted"),
        ({"offer": '["sign-up"]'}, r"'sign-up' holds 'sign-up'; expected letters"),
        ({"offer": '["book* a demo"]'}, r"holds 'book\*'; expected letters, 0, %, \$ or _ \(inflections"),
        ({"offer": '["20 % off"]'}, r"holds '20'; expected letters"),
        ({"offer": '["_ demo"]'}, r"'_ demo' begins or ends with _"),
        ({"offer": '["a demo", "a demo"]'}, r"xx\.toml: 'a demo' stands in offer and again in offer"),
        ({"offer": '["così"]', "negation": '["cosi"]'}, r"'cosi' stands in offer and again in negation"),
        ({"offer": '["open'}, r"xx\.toml is not valid TOML"),
    ],
)
def test_a_faulty_lexicon_is_refused_by_file_and_phrase(tmp_path, families, message):
    with pytest.raises(SchemaError, match=message):
        read_cues(write(tmp_path, **families))

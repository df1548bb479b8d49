"""Simulate, write as a LinkedIn export, read again: the same events and connections."""

from __future__ import annotations

import csv
import importlib.util
import re
import zipfile

import pandas as pd
import pytest

from etiquette_analysis.errors import DesignError
from etiquette_analysis.schema import check_audit
from etiquette_analysis.simulation import simulate, write_linkedin
from etiquette_analysis.simulation.export import us_time
from etiquette_analysis.simulation.people import person

FILES = ["Connections.csv", "Invitations.csv", "Profile.csv", "guide_messages.csv", "messages.csv"]


@pytest.fixture(scope="module")
def dataset():
    return simulate("S", n=250, seed=2, texts=True)


@pytest.fixture(scope="module")
def sample_script(root):
    spec = importlib.util.spec_from_file_location("make_sample", root / "data/sample/make_sample.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def bytes_of(folder):
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def rows_of(folder, name="messages.csv"):
    with (folder / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def events_of(messages, *, url=lambda who: who):
    """Return sender, recipient, kind, text and time of every row, notes to the minute as Invitations.csv has them."""
    at = messages["sent_at"].where(messages["kind"] != "invitation", messages["sent_at"].dt.floor("min"))
    text = messages["text"].fillna("")
    return sorted(
        zip(messages["sender"].map(url), messages["recipient"].map(url), messages["kind"], text, at, strict=True)
    )


def url_of(identifier):
    return person(identifier).url


def test_folder_holds_the_files_of_an_export(dataset, tmp_path):
    assert sorted(bytes_of(write_linkedin(dataset, tmp_path / "new" / "export"))) == FILES


@pytest.mark.parametrize("clutter", [False, True])
def test_same_bytes_every_time(dataset, tmp_path, clutter):
    one, two = (write_linkedin(dataset, tmp_path / name, clutter=clutter, seed=4) for name in "ab")
    assert bytes_of(one) == bytes_of(two)


def test_zip_has_the_same_bytes_every_time_and_those_of_the_folder(dataset, tmp_path):
    one, two = (write_linkedin(dataset, tmp_path / name) for name in ("a.zip", "b.ZIP"))
    assert one.read_bytes() == two.read_bytes()
    with zipfile.ZipFile(one) as archive:
        assert {n: archive.read(n) for n in archive.namelist()} == bytes_of(write_linkedin(dataset, tmp_path / "c"))


def test_layout_is_that_of_the_real_export(dataset, tmp_path, shared_data):
    real = shared_data / "linkedin/eras/2026_all_quoted"
    export = write_linkedin(dataset, tmp_path / "export")
    for name in FILES:
        n_lines = 4 if name == "Connections.csv" else 1
        ours, theirs = ((folder / name).read_text(encoding="utf-8").split("\n")[:n_lines] for folder in (export, real))
        assert ours == theirs, name


def test_layout_of_2025_has_a_draft_flag_and_drafts(dataset, tmp_path, shared_data):
    real = (shared_data / "linkedin/eras/2025_attachments/messages.csv").read_text(encoding="utf-8")
    export = write_linkedin(dataset, tmp_path / "export", layout="2025", clutter=True)
    assert (export / "messages.csv").read_text(encoding="utf-8").split("\n")[0] == real.split("\n")[0]
    assert {row["IS MESSAGE DRAFT"] for row in rows_of(export)} == {"Yes", "No"}


def test_every_field_is_quoted_in_2026(dataset, tmp_path):
    text = (write_linkedin(dataset, tmp_path / "export") / "messages.csv").read_text(encoding="utf-8")
    assert re.fullmatch(r'(?:(?:"(?:[^"]|"")*",){10}"(?:[^"]|"")*"\n)+', text)


def test_messages_stand_newest_first(dataset, tmp_path):
    dates = [row["DATE"] for row in rows_of(write_linkedin(dataset, tmp_path / "export", clutter=True))]
    assert dates == sorted(dates, reverse=True)


def test_a_third_of_the_notes_stands_in_the_thread_too(tmp_path):
    dataset = simulate("D", n=1_500, seed=2, texts=True)
    notes = dataset.messages[dataset.messages["kind"] == "invitation"]
    export = write_linkedin(dataset, tmp_path / "export")
    repeated = len(rows_of(export)) - (len(dataset.messages) - len(notes))
    assert repeated / len(notes) == pytest.approx(1 / 3, abs=0.08)
    invitations = rows_of(export, "Invitations.csv")
    assert sum(bool(row["Message"]) for row in invitations) == len(notes)
    assert len(invitations) == len(dataset.connections)


def test_us_time_of_noon_and_midnight():
    assert us_time(pd.Timestamp("2024-02-03 12:00Z")) == "2/3/24, 12:00 PM"
    assert us_time(pd.Timestamp("2024-11-30 00:59Z")) == "11/30/24, 12:59 AM"


def test_refuses_a_dataset_without_texts(tmp_path):
    with pytest.raises(DesignError, match=r"no texts to write; make it with simulate\(\.\.\., texts=True\)"):
        write_linkedin(simulate("A", n=10, seed=1), tmp_path / "export")


def test_refuses_several_owners(tmp_path):
    with pytest.raises(DesignError, match="the dataset has 40 senders, and an export has one owner"):
        write_linkedin(simulate("H", n=400, seed=1, texts=True), tmp_path / "export")


def test_refuses_an_unknown_layout(dataset, tmp_path):
    with pytest.raises(DesignError, match="no layout '2019'; there are '2025' and '2026'"):
        write_linkedin(dataset, tmp_path / "export", layout="2019")


@pytest.mark.parametrize("name", ["export", "export.zip"])
@pytest.mark.parametrize("layout", ["2025", "2026"])
def test_roundtrip_gives_the_same_events_and_connections(dataset, tmp_path, name, layout):
    linkedin = pytest.importorskip("etiquette_analysis.sources.linkedin")
    back = linkedin.read_linkedin(write_linkedin(dataset, tmp_path / name, layout=layout))
    check_audit(back.audit)
    assert back.ego == url_of(dataset.ego)
    assert events_of(back.messages) == events_of(dataset.messages, url=url_of)
    ours, theirs = dataset.connections.copy(), back.connections
    ours["invited_at"] = ours["invited_at"].dt.floor("min")
    for column in ("person_a", "person_b", "invited_by"):
        ours[column] = ours[column].map(url_of)
    columns = ["person_a", "person_b", "connected_at", "resolution", "invited_by", "invited_at", "position"]
    ours, theirs = (
        table[columns].sort_values("person_b").reset_index(drop=True).astype("str") for table in (ours, theirs)
    )
    pd.testing.assert_frame_equal(ours, theirs)


@pytest.mark.parametrize("layout", ["2025", "2026"])
def test_clutter_is_told_apart_by_the_reader(dataset, tmp_path, layout):
    linkedin = pytest.importorskip("etiquette_analysis.sources.linkedin")
    back = linkedin.read_linkedin(write_linkedin(dataset, tmp_path / "export", layout=layout, clutter=True))
    check_audit(back.audit)
    ours, theirs = events_of(dataset.messages, url=url_of), events_of(back.messages)
    assert set(ours) <= set(theirs)
    assert {"group", "sponsored", "spam", "inmail"} <= set(back.messages["kind"])
    assert ("draft" in set(back.messages["kind"])) == (layout == "2025")
    assert len(back.connections) == len(dataset.connections)
    assert back.observed_until == dataset.observed_until


def test_sample_is_reproducible_byte_for_byte(sample_script, root, tmp_path):
    sample_script.write_sample(tmp_path)
    written = bytes_of(tmp_path)
    assert sorted(written) == FILES
    for name, content in written.items():
        stored = (root / "data/sample" / name).read_bytes()
        assert stored == content, f"{name} differs: run `python data/sample/make_sample.py`"


def test_datasheet_states_the_computed_truth(sample_script, root):
    folder = root / "data/sample"
    stored = (folder / "README.md").read_text(encoding="utf-8")
    assert stored == sample_script.datasheet(folder, sample_script.compute_truth()), (
        "run `python data/sample/make_sample.py`"
    )


def test_sample_is_small_and_plainly_fictional(root):
    folder = root / "data/sample"
    assert sum(file.stat().st_size for file in folder.glob("*.csv")) < 1_500_000
    for name in FILES:
        text = (folder / name).read_text(encoding="utf-8")
        assert all(slug.startswith("fictional-") for slug in re.findall(r"linkedin\.com/in/([^\",\n]*)", text))


def test_sample_is_read_with_its_owner(root):
    linkedin = pytest.importorskip("etiquette_analysis.sources.linkedin")
    sample = linkedin.read_linkedin(root / "data/sample")
    assert sample.ego == url_of("sender-00")
    assert sample.observed_until == pd.Timestamp("2025-06-30 18:00", tz="UTC")
    assert 1_400 < len(sample.connections) < 1_600

"""One entry for every format."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from etiquette_analysis.errors import DesignError, SourceError
from etiquette_analysis.sources import read
from etiquette_analysis.sources.recognise import FORMATS

from .conftest import WriteExport


def test_formats_have_different_names_and_the_table_comes_last() -> None:
    assert len({known.name for known in FORMATS}) == len(FORMATS)
    assert FORMATS[-1].name.startswith("table")


def test_a_csv_is_linkedins_by_its_header_not_its_name(write_export: WriteExport, tmp_path: Path) -> None:
    mail = (write_export() / "messages.csv").rename(tmp_path / "table.csv")
    assert read(mail, owner="Me Myself").source == "linkedin"
    table = tmp_path / "messages.csv"
    table.write_text("sender,recipient,sent_at\na,b,2024-03-01\n")
    assert read(table).source == "table"
    assert read(pd.read_csv(table)).source == "table"


def test_what_is_nothing_known_is_named_with_what_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(
        SourceError, match=r"not a known export; it holds holiday.jpg. What can be read: .*LinkedIn export"
    ):
        read(tmp_path)


def test_options_go_to_the_reader_and_unknown_ones_are_refused(write_export: WriteExport) -> None:
    folder = write_export()
    assert read(folder, owner=None, timezone=None).source == "linkedin"
    with pytest.raises(DesignError, match=r"LinkedIn export .*: no option 'timezone'; it takes owner, on_bad_row"):
        read(folder, timezone="Europe/Rome")

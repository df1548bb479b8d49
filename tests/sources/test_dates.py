"""Dates are read where they leave one reading, and refused elsewhere."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from etiquette_analysis.sources.dates import _MONTHS, MONTH_NUMBER, PLAUSIBLE_YEARS, read_day, read_instants


@pytest.mark.parametrize(
    "text",
    [
        "05 Jan 2024",
        "5 January 2024",
        "05 gen 2024",
        "5 gennaio 2024",
        "05 ene. 2024",
        "5 de enero de 2024",
        "5 janv. 2024",
        "5 janvier 2024",
        "5. Januar 2024",
        "05 Jan. 2024",
        "5 de jan. de 2024",
        "5 de janeiro de 2024",
        "5-Jan-24",
        "Jan 5, 2024",
        "2024-01-05",
        "01/05/24, 11:59 PM",
        "01/05/2024, 12:01\u202fAM",
    ],
)
def test_one_day_in_many_forms(text: str) -> None:
    assert read_day(text) == date(2024, 1, 5)


@pytest.mark.parametrize(
    ("text", "month"),
    [
        ("1 Mär 2024", 3),
        ("1 août 2024", 8),
        ("1 déc. 2024", 12),
        ("1 março 2024", 3),
        ("1 févr. 2024", 2),
        ("1 ago 2024", 8),
    ],
)
def test_accents_do_not_matter(text: str, month: int) -> None:
    day = read_day(text)
    assert day is not None
    assert day.month == month


def test_no_month_name_means_two_months() -> None:
    assert set(MONTH_NUMBER.values()) == set(range(1, 13))
    names = [name for month in _MONTHS for name in month.split()]
    assert len(names) == len(set(names)) == len(MONTH_NUMBER)


@pytest.mark.parametrize(
    "text",
    ["", "03/04/2024", "31/12/2024", "2024/01/05", "05.01.2024", "31 Feb 2024", "5 Foo 2024", "01 Jan 9999", "45296"],
)
def test_what_leaves_two_readings_or_none_is_refused(text: str) -> None:
    assert read_day(text) is None


@given(st.dates(date(PLAUSIBLE_YEARS[0], 1, 1), date(PLAUSIBLE_YEARS[1], 12, 31)))
def test_the_documented_form_reads_back_every_day(day: date) -> None:
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    assert read_day(f"{day.day:02d} {months[day.month - 1]} {day.year}") == day


def test_nanoseconds_and_old_years_stand_in_one_column() -> None:
    texts = pd.Series(["1823-07-18 11:00:00 UTC", "2024-01-01 00:00:00.123456789 UTC"])
    instants = read_instants(texts).instant
    assert instants.dt.year.tolist() == [1823, 2024]
    assert instants.dtype == "datetime64[us, UTC]"


@pytest.mark.parametrize(
    "text", ["24:00", "2024-01-01 25:00:00", "2024-13-01", "20240101", "2024-01", "1/29/26, 13:37 PM"]
)
def test_what_is_no_instant_is_bad(text: str) -> None:
    assert read_instants(pd.Series([text]), us_12_hour=True).bad.tolist() == [True]


@pytest.mark.parametrize("zone", ["Z", " UTC", "+00:00", " +0000", "+00", " GMT"])
def test_zones_are_recognised(zone: str) -> None:
    instants = read_instants(pd.Series([f"2024-02-28 09:15:00{zone}"]))
    assert instants.instant.tolist() == [pd.Timestamp("2024-02-28 09:15", tz="UTC")]
    assert instants.naive.tolist() == [False]


def test_american_noon_and_midnight() -> None:
    texts = pd.Series(["1/29/26, 12:00 PM", "1/29/26, 12:00 AM", "1/29/26, 2:37\u202fPM"])
    assert read_instants(texts, us_12_hour=True).instant.dt.hour.tolist() == [12, 0, 14]
    assert read_instants(texts).bad.all()

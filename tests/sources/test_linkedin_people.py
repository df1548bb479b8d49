"""Profile addresses and names: what is one person, and what is not."""

from __future__ import annotations

import pytest

from etiquette_analysis.sources.linkedin.people import People, normalise_url, split_urls

ZOE = "https://www.linkedin.com/in/zoë-brandt"


@pytest.mark.parametrize(
    "url",
    [
        "https://www.linkedin.com/in/zo%C3%AB-brandt",
        "https://www.linkedin.com/in/zoë-brandt/",
        "https://www.linkedin.com/in/zoe\u0308-brandt",
        "HTTPS://WWW.LINKEDIN.COM/IN/ZO%c3%ab-Brandt?trk=abc#top",
        "http://linkedin.com/in/zo%C3%AB-brandt/en",
        "de.linkedin.com/in/zoë-brandt/de-de/",
        "https://m.linkedin.com/in/zoë-brandt",
        "/in/zoë-brandt",
        "in/zoë-brandt",
    ],
)
def test_every_spelling_of_an_address_is_one_person(url: str) -> None:
    assert normalise_url(url) in {ZOE, ZOE.replace("/in/", "/IN/")}
    assert normalise_url(url) == ZOE


def test_old_addresses_stay_what_they_are() -> None:
    assert (
        normalise_url("http://www.linkedin.com/pub/jane-doe/1/2A/345")
        == "https://www.linkedin.com/pub/jane-doe/1/2a/345"
    )
    one, two = (normalise_url(f"https://www.linkedin.com/profile/view?trk=x&id={n}") for n in (1, 2))
    assert one != two
    assert one == "https://www.linkedin.com/profile/view?id=1"


@pytest.mark.parametrize(
    "text", ["", " ", "n/a", "unknown", "https://www.linkedin.com/", "https://www.linkedin.com/in/"]
)
def test_what_is_no_address_is_none(text: str) -> None:
    assert normalise_url(text) is None


def test_a_broken_percent_sign_is_kept() -> None:
    assert normalise_url("https://www.linkedin.com/in/zo%EB") == "https://www.linkedin.com/in/zo%eb"


@pytest.mark.parametrize("joint", [",", ";", ", ", "; ", ",;"])
def test_addresses_are_split_where_one_begins(joint: str) -> None:
    urls = ["https://www.linkedin.com/in/a", ZOE, "https://www.linkedin.com/in/c,d"]
    assert split_urls(joint.join(urls)) == urls
    assert split_urls(joint.join(urls) + joint) == urls


def test_known_names_tell_commas_in_names_from_commas_between_names() -> None:
    people = People()
    for name in ("Jane Doe, Ph.D.", "Marco Pavan", "Prince"):
        people.learn(name)
    assert people.split_names("Jane Doe, Ph.D.") == (["Jane Doe, Ph.D."], True)
    assert people.split_names("Marco Pavan, Jane Doe, Ph.D., Prince") == (
        ["Marco Pavan", "Jane Doe, Ph.D.", "Prince"],
        True,
    )
    assert people.split_names("LinkedIn Member, Marco Pavan") == (["LinkedIn Member", "Marco Pavan"], True)
    assert people.split_names("John Smith, PhD 🚀") == (["John Smith, PhD 🚀"], False)
    assert people.split_names("") == ([], True)


def test_a_name_joins_an_address_only_where_one_person_bears_it() -> None:
    people = People()
    people.learn("Anna Rossi", "https://www.linkedin.com/in/anna-1", "x")
    assert people.identify("ANNA  ROSSI", None, "y") == "https://www.linkedin.com/in/anna-1"
    people.learn("Anna Rossi", "https://www.linkedin.com/in/anna-2", "z")
    assert people.bearers("Anna Rossi") == 2
    assert people.identify("Anna Rossi", None, "y") == "Anna Rossi (conversation y)"
    assert people.identify("Anna Rossi", None, "z") == "https://www.linkedin.com/in/anna-2"
    assert people.ambiguous == {"Anna Rossi (conversation y)"}


def test_a_name_without_any_address_is_spelled_in_one_way() -> None:
    people = People()
    people.learn("Marco Pavan")
    assert people.identify("MARCO PAVAN", None, "x") == people.identify("Marco  Pavan", None, "y") == "Marco Pavan"

"""Both sides of every message, as identifiers.

A recipient list joins names with commas while names hold commas, and older exports give the recipient's name only.
So the export is read twice: first to learn who bears which name, then, once the owner is known, to name both sides.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import pandas as pd

from etiquette_analysis.sources.linkedin.people import People, is_hidden, name_key, normalise_url, split_urls

#: One recipient as the file gives it: name and normalised address.
Side = tuple[str, str | None]


@dataclass
class Sides:
    """Sender and recipients of each row, in row order.

    Attributes
    ----------
    thread : list of str
        Conversation id; where the file has none, one that is unique to the row.
    sender : list of str
    recipients : list of list of str
        Empty where the row names nobody and the thread does not tell.
    by_commas : list of bool
        True where several recipients were told apart by commas alone.
    from_thread : list of bool
        True where the row names no recipient and the thread told.
    """

    thread: list[str]
    sender: list[str]
    recipients: list[list[str]]
    by_commas: list[bool]
    from_thread: list[bool]


def learn_names(rows: pd.DataFrame, people: People) -> None:
    """Learn which name was seen with which address, from the messages themselves."""
    for conversation, name, url in _distinct(rows, "conversation", "from_name", "from_url"):
        people.learn(name, normalise_url(url), conversation)
    later = []
    for conversation, names, urls in _distinct(rows, "conversation", "to_names", "to_urls"):
        if ", " in names:
            later.append((conversation, names, urls))
        else:
            people.learn(names, _only(split_urls(urls)), conversation)
    learned = [(c, names, url) for c, names, urls in later for url in [_one_with_commas(names, urls, people)] if url]
    for conversation, names, url in learned:
        people.learn(names, url, conversation)


def _distinct(rows: pd.DataFrame, *columns: str) -> list[tuple[str, ...]]:
    """Return the distinct combinations of columns, in order of appearance."""
    distinct = rows[list(columns)].drop_duplicates()
    return list(zip(*(distinct[column].tolist() for column in columns), strict=True))


def _only(urls: list[str]) -> str | None:
    """Return the one address, None where there are none or several."""
    return urls[0] if len(urls) == 1 else None


def _one_with_commas(names: str, urls: str, people: People) -> str | None:
    """Return the address where a list with commas is one person: a single address, and not several known names."""
    found, sure = people.split_names(names)
    several = len(found) > 1 and (sure or any(is_hidden(name) for name in found))
    return None if several else _only(split_urls(urls))


def read_sides(rows: pd.DataFrame, people: People) -> Sides:
    """Name both sides of every row with what ``people`` knows by now."""
    ids, parts, lines = (rows[column].tolist() for column in ("conversation", "part", "line"))
    threads = [id_ or f"without id, row {part}.{line}" for id_, part, line in zip(ids, parts, lines, strict=True)]
    senders: dict[tuple[str, str, str], str] = {}
    listed: dict[tuple[str, str], tuple[list[Side], bool]] = {}
    named: dict[tuple[str, str, str, str], list[str]] = {}
    sides = Sides(threads, [], [], [], [False] * len(threads))
    columns = [rows[column].tolist() for column in ("from_name", "from_url", "to_names", "to_urls")]
    for thread, from_name, from_url, to_names, to_urls in zip(threads, *columns, strict=True):
        key = (thread, from_name, from_url)
        if key not in senders:
            senders[key] = people.identify(from_name, normalise_url(from_url), thread)
        if (to_names, to_urls) not in listed:
            listed[to_names, to_urls] = _listed(to_names, to_urls, people)
        recipients, by_commas = listed[to_names, to_urls]
        full_key = (thread, senders[key], to_names, to_urls)
        if full_key not in named:
            found = [people.identify(name, url, thread, other_side=senders[key]) for name, url in recipients]
            named[full_key] = list(dict.fromkeys(found))
        sides.sender.append(senders[key])
        sides.recipients.append(named[full_key])
        sides.by_commas.append(by_commas)
    _fill_from_thread(sides, people)
    return sides


def _listed(to_names: str, to_urls: str, people: People) -> tuple[list[Side], bool]:
    """Return the recipients as listed, and whether commas alone told several apart."""
    urls = split_urls(to_urls)
    names, sure = people.split_names(to_names)
    hidden: list[Side] = [(name, None) for name in names if is_hidden(name)]
    if not urls:
        return [(name, None) for name in names], not sure and len(names) > 1
    if len(urls) == 1 and not hidden and (len(names) <= 1 or not sure):
        return [(to_names, urls[0])], False
    with_url: list[Side] = [("", url) for url in urls]
    if sure and len(names) > len(urls) + len(hidden):
        rest = [
            name for name in names if not is_hidden(name) and people.urls.get(name_key(name), set()).isdisjoint(urls)
        ]
        return with_url + hidden + [(name, None) for name in rest], False
    if len(names) == 1 and hidden:
        return with_url, False
    return with_url + hidden, False


def _fill_from_thread(sides: Sides, people: People) -> None:
    """Where a row names no recipient: the one other person of its thread, or the owner for incoming mail."""
    missing = [row for row, recipients in enumerate(sides.recipients) if not recipients]
    if not missing:
        return
    taking_part: defaultdict[str, set[str]] = defaultdict(set)
    for thread, sender, recipients in zip(sides.thread, sides.sender, sides.recipients, strict=True):
        taking_part[thread].update([sender, *recipients])
    for row in missing:
        thread, sender = sides.thread[row], sides.sender[row]
        people_there = taking_part[thread]
        if len(people_there) == 2:
            sides.recipients[row] = [person for person in people_there if person != sender]
        elif people.owner and sender != people.owner:
            sides.recipients[row] = [people.owner]
        elif people.owner:
            sides.recipients[row] = [people.identify("", None, thread)]
        sides.from_thread[row] = bool(sides.recipients[row])

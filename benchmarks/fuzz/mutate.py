"""New cases out of old ones, knowing what exports are made of: cells, JSON values, lines, names, options.

A fuzzer that flips bytes spends its time in JSON and CSV syntax. Half of the mutations here keep the syntax and
change what it says: a date becomes "0000-00-00", a list stands where a text belongs, a line comes twice.
"""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Callable, Iterable
from typing import Any, Final

from cases import FORMS, Case, unpack

_TEXTS: Final = (
    *("", " ", "0", "-1", "NA", "None", "null", "nan", "NaN"),
    *("inf", "true", "x", ",", ";", '"', "'", "\\", "\t", "\r"),
    *("\n", "\r\n", "\x00", "\x1a", "\x1c", "\x85", "\u2028"),
    *("\u200e", "\u202f", "\ufeff", "\u0130", "ﬁ", "È", "E\u0301"),
    *("🚀", "\U0001d41b", "\ud800", "\udc80\ud800", "a" * 300, "(" * 200, "<" * 200, "> " * 60, "١٢", "²", "٣/٤/٢٤"),
    *("0000-00-00", "0001-01-01", "9999-12-31"),
    *("9999-12-31T23:59:59-23:59", "2024-02-30", "2024-13-01", "1700-01-01"),
    *("2024-03-31 02:30:00", "2024-10-27T02:30:00+02:00"),
    *("2024-03-04T25:00:00Z", "2024-03-04 09:00:00.123456789 UTC"),
    *("2024-03-04 09:00:00+99:99", "12/31/24, 0:61 PM"),
    *("99/99/99, 99:99", "31/12/24, 23:59", "Mon, 0 Jan 0000 00:00"),
    *("Mon, 31 Dec 9999 23:59:59 -9999", "Thu, 1 Jan 1970 00:00:00 +0000", "Mon, 4 Mar 2024 09:00:00 +999999999"),
    *("1e400", "-9223372036854775809", "18446744073709551616", "9" * 400),
    *("1709582770", "1709582770.5", "1e9", "0x10"),
    *("me@x.example", "a@b@c", "@", "<>", "<<a@b>"),
    *("a;b; c", "=?utf-8?b?////?=", "=?utf-7?q?+AAA?=", "=?x?b?=", "%ff%00"),
    *("https://www.linkedin.com/in/", "https://[::1", "http://a]b/in/x", "https://www.linkedin.com/in/%F0%9F%9A%80"),
    *("message", "group", "draft", "day", "second", "month", "Ada King", "Ben Low", "user1", "U1", "1", "2"),
    *("multipart/mixed", "text/html; charset=", "message/rfc822"),
    *("text/plain; charset*=x''%", "attachment; =", "base64"),
    *("From a@b Mon Jan  2 10:00:00 2023", "-----Original Message-----"),
    *("On 1 Jan 2024, at 10:00, Ada wrote:", "-- "),
    *("../x", "..", "/", "a/b", "con", "x.zip"),
    *("messages.csv", "<![CDATA[", "<!--", "<!x[", "</", "&#x110000;", "&#99999999999;"),
)
_VALUES: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, 1, -1, 2**31, 2**63),
    *(-(2**63) - 1, 2**64, 10**30, 10**400, 1.5, -0.0, 1e300, float("inf")),
    *(float("nan"), [], {}, [[]], [None]),
    *([{}], {"": {}}, {"text": 1}, {"text": None}, ["a", 1, None, {"text": ["x"]}]),
    *(1709582770, 1709582770.25, 253402300800, -62135596801, [1], {"id": "U1"}, "message", "personal_chat"),
)
#: Options that a caller may give to each reader; wrong ones are as welcome as right ones.
_ANY: Final = {"observed_until": [None, "2024-05-14", "x", 5, "0000", "9999-12-31T23:59:59-23:59", "1600-01-01"]}
_OWNER: Final = {"owner": [None, "Ada King", "ada king", "U1", "me@x.example", "", " ", "nobody", "user1"]}
_ROWS: Final = {"on_bad_row": ["error", "drop", "drop", "drop", "keep"]}
_ZONES: Final = {"timezone": [None, "UTC", "Europe/Rome", "Pacific/Apia", "x", "", "../x", "America/New_York"]}
_TABLE: Final = (
    _ANY
    | _ROWS
    | {"timezone": _ZONES["timezone"][1:], "owner": [*_OWNER["owner"], ["a", "b"], []]}
    | {
        "mapping": [
            None,
            {},
            {"sender": "From"},
            {"text": "sender"},
            {"x_1": "text"},
            {"sent_at": "sent_at"},
            {"z": "a"},
        ]
    }
)
OPTIONS: Final[dict[str, dict[str, list[Any]]]] = {
    "read": _ANY | _OWNER | _ROWS | _ZONES | {"none": [1]},
    "linkedin": _ANY | _OWNER | _ROWS,
    "telegram": _ANY | _OWNER,
    "whatsapp": _ANY | _OWNER | _ZONES | {"date_order": [None, "dmy", "mdy", "ymd", "x"]},
    "mbox": _ANY | {"owner": [*_OWNER["owner"], ["me@x.example", "ben@y.example"], []], "include_lists": [True, False]},
    "slack": _ANY | _OWNER,
    "convokit": _ANY,
    "lemlist": _ANY | _OWNER | _ROWS,
    "csv": _TABLE,
    "jsonl": _TABLE,
    "parquet": _TABLE,
    "frame": _TABLE | {"parquet": [True, False]},
    "mapping": _TABLE | {"mapping": []},
    "zip": _ANY | _OWNER,
}
NAMES: Final = (
    *("messages.csv", "Connections.csv", "Invitations.csv"),
    *("Profile.csv", "result.json", "messages.json", "_chat.txt"),
    *("WhatsApp Chat with Ben Low.txt", "mail.mbox", "mbox"),
    *("mail.txt", "users.json", "dms.json", "D1/2024-03-04.json"),
    *("channels.json", "utterances.jsonl", "corpus.json", "speakers.json", "activities.json", "activities.csv"),
    *("table.csv", "table.tsv", "table.jsonl", "table.parquet", "x.html", "messages.html", "x", "x.zip", "x.mbox.gz"),
)
_DTYPES: Final = (
    *("object", "str", "int64", "Int64", "float64", "bool", "boolean", "category", "timedelta64[s]", "datetime64[s]"),
    *("datetime64[us, UTC]", "datetime64[ns, Europe/Rome]", "int8", "uint64", "complex128", "string[pyarrow]"),
)


def mutate(data: bytes, reader: str, max_size: int, seed: int, flip: Callable[[bytes, int], bytes]) -> bytes:
    """Return a new case of at most ``max_size`` bytes.

    Parameters
    ----------
    flip : callable
        The fuzzer's own mutation of bytes.
    """
    chance = random.Random(seed)
    case = unpack(data)
    if case is None:
        return flip(data, max_size)
    for _ in range(chance.choice((1, 1, 2, 4))):
        _change(case, reader, chance, flip, max_size)
    packed = case.pack()
    return packed if len(packed) <= max_size else data


def _change(case: Case, reader: str, chance: random.Random, flip: Callable[[bytes, int], bytes], room: int) -> None:
    """Change one thing about a case, in place."""
    at = chance.randrange(len(case.files))
    name, data = case.files[at]
    what = chance.random()
    if what < 0.06:
        option = chance.choice(list(OPTIONS[reader]))
        values = OPTIONS[reader][option]
        case.options.pop(option, None)
        if values and chance.random() < 0.7:
            case.options[option] = chance.choice(values)
    elif what < 0.08:
        case.form = chance.choice(FORMS)
    elif what < 0.095:
        case.files[at] = (chance.choice(NAMES), data)
    elif what < 0.105 and len(case.files) > 1:
        del case.files[at]
    elif what < 0.115:
        case.files.append((chance.choice(NAMES), chance.choice(case.files)[1]))
    elif what < 0.30 and data:
        case.files[at] = (name, flip(data, max(room - len(case.pack()) + len(data), 1)))
    else:
        case.files[at] = (name, _within(name, data, chance))
    if len({name for name, _ in case.files}) < len(case.files):
        case.files = list(dict(case.files).items())


def _within(name: str, data: bytes, chance: random.Random) -> bytes:
    """Change a file, keeping the syntax that its content has."""
    text = data.decode("utf-8", "surrogateescape")
    start = text.lstrip("\ufeff \n\t\r")[:1]
    if start in "{[" and start:
        lines = text.splitlines()
        if name.endswith(("jsonl", "ndjson")) and lines:
            at = chance.randrange(len(lines))
            lines[at] = _json(lines[at], chance)
            new = "\n".join(lines)
        else:
            new = _json(text, chance)
    elif name.endswith(("csv", "tsv")) and chance.random() < 0.7:
        new = _cells(text, chance)
    else:
        new = _lines(text, chance)
    return new.encode("utf-8", "surrogatepass" if "\ud800" in new else "surrogateescape")


def _json(text: str, chance: random.Random) -> str:
    """Change one place of a JSON value."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return _lines(text, chance)
    places = list(_places(value))
    if places:
        holder, key = chance.choice(places)
        _change_place(holder, key, chance)
    return json.dumps(value)


def _places(value: Any) -> Iterable[tuple[Any, Any]]:
    """Yield every (holder, key) below a value."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])


def _change_place(holder: Any, key: Any, chance: random.Random) -> None:
    """Replace, remove, repeat or rename one entry."""
    what = chance.random()
    if what < 0.1:
        del holder[key]
    elif what < 0.2 and isinstance(holder, list):
        holder.insert(chance.randrange(len(holder) + 1), json.loads(json.dumps(holder[key])))
    elif what < 0.2:
        holder[chance.choice([*_TEXTS, *holder])] = holder[key]
    elif isinstance(holder[key], str) and holder[key] in _DTYPES:
        holder[key] = chance.choice(_DTYPES)
    elif what < 0.6:
        holder[key] = chance.choice(_VALUES)
    elif what < 0.85 or not isinstance(holder[key], str):
        holder[key] = chance.choice(_TEXTS)
    else:
        holder[key] = _spliced(holder[key], chance)


def _spliced(text: str, chance: random.Random) -> str:
    """Put an odd piece into a text, over some of it."""
    at = chance.randrange(len(text) + 1)
    return text[:at] + chance.choice(_TEXTS) + text[at + chance.choice((0, 0, 1, 3, 10)) :]


def _cells(text: str, chance: random.Random) -> str:
    """Change one cell, or a whole column's name, of delimited text."""
    delimiter = chance.choice([d for d in ",;\t|" if d in text] or [","])
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error:
        return _lines(text, chance)
    full = [row for row in rows if row]
    if not full:
        return _lines(text, chance)
    row = chance.choice(full)
    at = chance.randrange(len(row))
    what = chance.random()
    if what < 0.6:
        row[at] = chance.choice([*_TEXTS, *(other[at] for other in full if len(other) > at)])
    elif what < 0.8:
        row[at] = _spliced(row[at], chance)
    elif what < 0.87:
        rows.insert(chance.randrange(len(rows) + 1), list(row))
    elif what < 0.92:
        rows.remove(row)
    elif what < 0.96:
        for other in full:
            del other[at : at + 1]
    else:
        row.insert(at, chance.choice(_TEXTS))
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=chance.choice((delimiter, delimiter, delimiter, ";", "\t"))).writerows(rows)
    return out.getvalue()


def _lines(text: str, chance: random.Random) -> str:
    """Change the lines of a text."""
    lines = text.split("\n")
    at, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    what = chance.random()
    if what < 0.15:
        lines.insert(other, lines[at])
    elif what < 0.25:
        del lines[at]
    elif what < 0.32:
        lines[at], lines[other] = lines[other], lines[at]
    elif what < 0.36:
        lines = lines[: at + 1]
    elif what < 0.42:
        lines[min(at, other) : max(at, other)] = lines[min(at, other) : max(at, other)] * 2
    elif what < 0.50:
        lines.insert(at, chance.choice(_TEXTS))
    elif what < 0.60:
        head, colon, _ = lines[at].partition(":")
        lines[at] = head + colon + " " + chance.choice(_TEXTS)
    else:
        lines[at] = _spliced(lines[at], chance)
    return "\n".join(lines)

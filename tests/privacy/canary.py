"""An export salted with canaries, and the search for them in whatever was written."""

from __future__ import annotations

import base64
import csv
import html
import io
import json
import unicodedata
import zipfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pyarrow.parquet as pq

from etiquette_analysis.simulation import simulate, write_linkedin

OWNER = ("Quirquilla", "Zabadakìs")
CONTACT = ("Hövelmanda", "O'Brambleñuk")
URL = "https://www.linkedin.com/in/fictional-hovelmanda-obramblenuk-77ab"
OWNER_URL = "https://www.linkedin.com/in/fictional-quirquilla-zabadakis-12cd"
COMPANY = "Ghiribizzàr & Figli Srl"
POSITION = "Keeper of Zorblax Lanterns"
MAIL = "hovelmanda.secret@canary-birds.example"
PHONE = "+39 333 7654321"
LINK = "https://canary-birds.example/path/zorblax?id=4711"
IBAN = "IT60X0542811101000000123456"
PHRASE = "the walrus plays théremin at midnight"
TITLE = "Plumbago conspiracy"
SALT = f"{CONTACT[0]}, {PHRASE}. {MAIL} {PHONE} {LINK} {IBAN}"

CANARIES = {
    "owner's first name": OWNER[0],
    "owner's last name": OWNER[1],
    "contact's first name": CONTACT[0],
    "contact's last name": CONTACT[1],
    "profile address": "fictional-hovelmanda-obramblenuk",
    "owner's address": "fictional-quirquilla-zabadakis",
    "company": "Ghiribizzàr",
    "position": "Zorblax Lanterns",
    "mail": MAIL,
    "phone": PHONE,
    "phone without spaces": PHONE.replace(" ", ""),
    "link": "canary-birds.example",
    "iban": IBAN,
    "phrase": PHRASE,
    "title": TITLE,
}


def write_salted_export(folder: Path, *, n: int = 120) -> Path:
    """Write a LinkedIn export as a zip whose owner, one contact and some texts are canaries."""
    plain = write_linkedin(simulate("D", n=n, seed=5, texts=True), folder / "plain", clutter=True)
    names = _names(plain)
    out = folder / "export.zip"
    with zipfile.ZipFile(out, "w") as archive:
        for file in sorted(plain.iterdir()):
            archive.writestr(file.name, _salted(file, names))
    return out


def _lines(file: Path) -> io.StringIO:
    return io.StringIO(file.read_bytes().decode(), newline="")


def _names(plain: Path) -> dict[str, str]:
    """Return what to replace: the owner's and a much-written contact's names and addresses."""
    rows = list(csv.DictReader(_lines(plain / "messages.csv")))
    owner = next(row for row in rows if row["FROM"] == "Livia Ortensia")
    partners = [row for row in rows if row["FROM"] != "Livia Ortensia" and row["TO"] == "Livia Ortensia"]
    known = (plain / "Connections.csv").read_text(encoding="utf-8")
    contact = next(row for row in partners if row["SENDER PROFILE URL"] and row["SENDER PROFILE URL"] in known)
    return {
        owner["SENDER PROFILE URL"]: OWNER_URL,
        contact["SENDER PROFILE URL"]: URL,
        "Livia Ortensia": " ".join(OWNER),
        contact["FROM"]: " ".join(CONTACT),
        "Livia": OWNER[0],
        "Ortensia": OWNER[1],
    }


def _salted(file: Path, names: dict[str, str]) -> str:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    preamble, header = True, None
    for number, row in enumerate(csv.reader(_lines(file))):
        for old, new in names.items():
            row = [cell.replace(old, new) for cell in row]
        if file.name == "Connections.csv" and row[:1] == ["First Name"]:
            preamble, header = False, row
        elif file.name == "Connections.csv" and not preamble:
            if row[2] == URL:
                row = [*CONTACT, URL, MAIL, COMPANY, POSITION, row[6]]
        elif file.name in ("messages.csv", "Invitations.csv") and header is None:
            header = row
        elif header is not None:
            at = header.index("CONTENT" if file.name == "messages.csv" else "Message")
            if row[at] and number % 3 == 0:
                row[at] = f"{row[at]} {SALT}"
            if file.name == "messages.csv" and number % 4 == 0:
                row[header.index("CONVERSATION TITLE")] = TITLE
        writer.writerow(row)
    return buffer.getvalue()


def forms(canary: str) -> dict[str, str]:
    """Return the ways in which a canary may hide, in lower case, by what was done to it."""
    found = {
        "plain": canary,
        "composed otherwise": unicodedata.normalize("NFD", canary),
        "without accents": unicodedata.normalize("NFKD", canary).encode("ascii", "ignore").decode(),
        "percent-encoded": quote(canary),
        "plus-encoded": quote(canary).replace("%20", "+"),
        "HTML": html.escape(canary),
        "HTML, numbered": canary.encode("ascii", "xmlcharrefreplace").decode(),
        "JSON": json.dumps(canary)[1:-1],
        "JSON twice": json.dumps(json.dumps(canary))[3:-3],
        "Python": canary.encode("unicode_escape").decode(),
    }
    raw = canary.encode()
    for shift in range(3):  # base64 of a text that holds it somewhere, whole groups only
        whole = base64.b64encode(b"\0" * shift + raw).decode()
        found[f"base64, {shift}"] = whole[(4 if shift else 0) : len(whole) - 4]
    return {name: form.lower() for name, form in found.items() if len(form) >= 6}


def search(text: str, where: str) -> list[str]:
    """Return what was found of the canaries in a text, in any form."""
    lowered = text.lower()
    return [
        f"{where}: {what} ({form})"
        for what, canary in CANARIES.items()
        for form, needle in forms(canary).items()
        if needle in lowered
    ]


def search_files(folder: Path) -> list[str]:
    """Search every file below a folder, inside Parquet and zip too, and the names of the files."""
    found = []
    for file in sorted(folder.rglob("*")):
        found += search(file.name, f"name of {file.name}")
        if file.is_file():
            for part, text in contents(file.name, file.read_bytes()):
                found += search(text, part)
    return found


def contents(name: str, data: bytes) -> Iterator[tuple[str, str]]:
    """Yield the parts of a file as text: its bytes, and what is packed in it."""
    yield name, data.decode("utf-8", errors="replace")
    yield f"{name} (UTF-16)", data.decode("utf-16-le", errors="replace")
    if data[:4] == b"PAR1":
        table = pq.read_table(io.BytesIO(data))
        yield f"{name} (cells)", "\n".join(str(column.to_pylist()) for column in table.columns)
        yield f"{name} (about)", str(table.schema.metadata)
    if data[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.namelist():
                yield from contents(f"{name}/{member}", archive.read(member))

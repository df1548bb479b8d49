"""Errors, named by whose fault it is, so that a caller can tell a bad file from a bad question.

Every message says what was found, where, what was expected and what to do about it. A refusal to answer
(too few contacts, no overlap) is not an error: it is a result.
"""

import re


class EtiquetteError(Exception):
    """Root of every error that this package raises on purpose."""


class SourceError(EtiquetteError):
    """Your files: an export that cannot be read as what it claims to be."""


class SchemaError(EtiquetteError):
    """Your table: a column is missing, of the wrong type, or breaks a rule of the schema."""


class DesignError(EtiquetteError):
    """Your question: a plan or an option that cannot be carried out as asked."""


def as_shown(cell: str) -> str:
    """Return a cell as an error may quote it: a date, number or code as it stands, running text by its length only.

    A row that is out of step has somebody's words where its date should be, and errors end up in logs and mails.

    >>> as_shown("31/02/2024"), as_shown("Wed, 31 February 2024")
    ('31/02/2024', 'Wed, 31 February 2024')
    >>> as_shown("Dear Ann, I moved to 12 Elm Street"), as_shown("ann@sample.example")
    ('… (34 characters)', '… (18 characters)')
    """
    words = sum(len(word) > 1 for word in re.findall(r"[^\W\d_]+", cell))
    is_text = len(cell) > 40 or words > 3 or "@" in cell or (words > 0 and not any(map(str.isdigit, cell)))
    is_text = is_text and not re.fullmatch("[a-z]{1,7}|[A-Z]{1,4}", cell)  # "soon", "TBD"
    return f"… ({len(cell)} characters)" if is_text else cell

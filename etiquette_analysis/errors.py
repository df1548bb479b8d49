"""Errors, named by whose fault it is, so that a caller can tell a bad file from a bad question.

Every message says what was found, where, what was expected and what to do about it. A refusal to answer
(too few contacts, no overlap) is not an error: it is a result.
"""


class EtiquetteError(Exception):
    """Root of every error that this package raises on purpose."""


class SourceError(EtiquetteError):
    """Your files: an export that cannot be read as what it claims to be."""


class SchemaError(EtiquetteError):
    """Your table: a column is missing, of the wrong type, or breaks a rule of the schema."""


class DesignError(EtiquetteError):
    """Your question: a plan or an option that cannot be carried out as asked."""

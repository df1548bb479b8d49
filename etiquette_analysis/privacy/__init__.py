"""Other people's names and words: pseudonyms and their keys, redaction, coarse dates, small cells."""

from etiquette_analysis.privacy.dates import coarsen
from etiquette_analysis.privacy.keys import DEFAULT_PROJECT, key_path, load_key, require_key
from etiquette_analysis.privacy.pseudonyms import pseudonym, pseudonymise, pseudonymise_column
from etiquette_analysis.privacy.redaction import redact
from etiquette_analysis.privacy.suppression import SMALLEST_CELL, rare_values, suppress_small

__all__ = [
    "DEFAULT_PROJECT",
    "SMALLEST_CELL",
    "coarsen",
    "key_path",
    "load_key",
    "pseudonym",
    "pseudonymise",
    "pseudonymise_column",
    "rare_values",
    "redact",
    "require_key",
    "suppress_small",
]

"""Reading: every format becomes the same two tables, and every row that does not make it has a counted reason.

One module per format. Nothing else in the package opens a data file.
"""

from etiquette_analysis.sources.linkedin import read_linkedin
from etiquette_analysis.sources.recognise import read
from etiquette_analysis.sources.table import read_table

__all__ = ["read", "read_linkedin", "read_table"]

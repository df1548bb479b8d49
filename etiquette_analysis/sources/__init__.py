"""Reading: every format becomes the same two tables, and every row that does not make it has a counted reason.

One module per format. Nothing else in the package opens a data file.
"""

from etiquette_analysis.sources.convokit import read_convokit, write_convokit
from etiquette_analysis.sources.lemlist import read_lemlist
from etiquette_analysis.sources.linkedin import read_linkedin
from etiquette_analysis.sources.mbox import read_mbox
from etiquette_analysis.sources.recognise import read
from etiquette_analysis.sources.slack import read_slack
from etiquette_analysis.sources.table import read_table
from etiquette_analysis.sources.telegram import read_telegram
from etiquette_analysis.sources.whatsapp import read_whatsapp

__all__ = [
    "read",
    "read_convokit",
    "read_lemlist",
    "read_linkedin",
    "read_mbox",
    "read_slack",
    "read_table",
    "read_telegram",
    "read_whatsapp",
    "write_convokit",
]

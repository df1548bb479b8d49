"""The claim on public data: where it finds support, none, and perhaps the opposite.

Three studies that anybody can repeat: requests for pizza by people whom the forum has not seen before, the turn of the
first ask in talks about a gift, and first mails to help lists. The data are fetched by the reader; reading them is the
business of ``sources``, estimating that of ``analysis``, and this room is where the two meet.
"""

from etiquette_analysis.public.definitions import vary_definitions
from etiquette_analysis.public.help_lists import tabulate_posts
from etiquette_analysis.public.persuasion import ASKS, find_asks, tabulate_dialogues
from etiquette_analysis.public.published import beside_published
from etiquette_analysis.public.studies import STUDIES, Studies, read_studies

__all__ = [
    "ASKS",
    "STUDIES",
    "Studies",
    "beside_published",
    "find_asks",
    "read_studies",
    "tabulate_dialogues",
    "tabulate_posts",
    "vary_definitions",
]

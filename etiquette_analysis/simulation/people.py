"""Invented people: who stands behind an identifier of a simulated world.

A simulated contact is a number until a text greets somebody or an export needs a name. Then the identifier itself
decides, by a hash, on a first name that Italian and English share and on a surname taken from a plant or a colour, so
that nobody can be mistaken for a real person and the same identifier is the same person everywhere.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

_FIRST_NAMES: Final = (
    "Ada Alba Alma Amelia Anita Aurora Bianca Bruno Carla Cecilia Cora Dalia Dario Delia Diana Dora Edda Elettra "
    "Elio Elsa Emilia Enzo Ettore Eva Fabia Flavia Flora Fosco Gemma Gilda Greta Guido Iris Isa Ivo Lea Leo Lidia "
    "Lino Livia Lora Luce Mara Marina Mario Mia Milo Mirta Nadia Nives Nora Olga Orso Oscar Otto Pia Rea Remo "
    "Rita Romeo Sara Silvio Stella Tea Tina Ugo Vera Viola Vito Zeno Zoe"
)
_LAST_NAMES: Final = (
    "Acquamarina Agrifoglio Alabastro Amaranto Ametista Anemone Azalea Azzurrite Begonia Biancospino Bluebell "
    "Borragine Bramble Buttercup Calendula Camomilla Cardamomo Celandine Ciclamino Clematide Cobalto Coltsfoot "
    "Corbezzolo Cornflower Cowslip Crimson Dandelion Elderflower Eucalipto Fiordaliso Foxglove Fuchsia Genziana "
    "Ginepro Ginestra Girasole Glicine Harebell Hawthorn Hazelnut Hollyhock Honeysuckle Indaco Ippocastano "
    "Juniper Larkspur Lavanda Lichene Lillà Madreperla Magenta Malachite Malva Maroon Meadowsweet Melagrana "
    "Mimosa Mirtillo Mulberry Nasturtium Nespolo Ninfea Nontiscordardimé Ocher Oleandro Ortensia Passiflora "
    "Peonia Periwinkle Pervinca Pimpinella Pistachio Porpora Ribes Rosmarino Rowanberry Saffron Sambuco Samphire "
    "Scarlatto Snapdragon Snowdrop Sorrel Speedwell Tamerice Tangerine Tarassaco Thistledown Topazio Turchese "
    "Turmeric Verbena Vermiglio Viridian Wisteria Yarrow Zafferano Zaffiro Zinnia"
)
FIRST_NAMES: Final = tuple(_FIRST_NAMES.split())
LAST_NAMES: Final = tuple(_LAST_NAMES.split())
#: Credentials behind a surname hold a comma, as they do in real exports.
CREDENTIALS: Final = (", Ph.D.", ", MBA")
COMPANY_FORMS: Final = ("{} di Prova Srl", "Officine di Prova {}", "{} Sample Ltd", "{} Example, Inc.")
_ONE_IN_CREDENTIALS: Final = 60
_PLAIN: Final = str.maketrans("àéè", "aee")

#: The owner of the sample: the first sender of every world.
OWNER: Final = ("sender-00", "Livia", "Ortensia")


@dataclass(frozen=True)
class Person:
    """An invented person.

    Attributes
    ----------
    first, last : str
        Names; ``last`` may carry a credential (``Peonia, Ph.D.``).
    url : str
        Profile address, marked as fictional.
    company : str
        Where the person works.
    """

    first: str
    last: str
    url: str
    company: str

    @property
    def name(self) -> str:
        """First and last name, as a message shows them."""
        return f"{self.first} {self.last}"


def person(identifier: str) -> Person:
    """Return the person behind an identifier, the same one every time.

    Examples
    --------
    >>> person("sender-00").name
    'Livia Ortensia'
    >>> person("contact-0000001") == person("contact-0000001")
    True
    >>> person("contact-0000001").url.startswith("https://www.linkedin.com/in/fictional-")
    True
    """
    digest = hashlib.blake2b(identifier.encode(), digest_size=16).digest()
    draws = [int.from_bytes(digest[i : i + 4], "big") for i in (0, 4, 8)]
    first, last = FIRST_NAMES[draws[0] % len(FIRST_NAMES)], LAST_NAMES[draws[1] % len(LAST_NAMES)]
    credential = CREDENTIALS[draws[2] % len(CREDENTIALS)] if draws[2] % _ONE_IN_CREDENTIALS < len(CREDENTIALS) else ""
    if identifier == OWNER[0]:
        first, last, credential = OWNER[1], OWNER[2], ""
    slug = f"{first}-{last}".lower().translate(_PLAIN)
    form = COMPANY_FORMS[digest[12] % len(COMPANY_FORMS)]
    company = form.format(LAST_NAMES[digest[13] % len(LAST_NAMES)])
    url = f"https://www.linkedin.com/in/fictional-{slug}-{digest[8:11].hex()}"
    return Person(first, last + credential, url, company)


def address(text: str, *, sender: str, recipient: str) -> str:
    """Put first names for ``{name}`` (the recipient) and ``{me}`` (the sender) into a text of the bank.

    Examples
    --------
    >>> address("Ciao {name}, sono {me}.", sender="sender-00", recipient="sender-00")
    'Ciao Livia, sono Livia.'
    """
    if "{" not in text:
        return text
    return text.replace("{name}", person(recipient).first).replace("{me}", person(sender).first)

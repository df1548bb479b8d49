"""Contact details in running text: mail addresses, links, phone numbers, bank accounts, cards and tax codes.

What has a checksum (IBAN, card) is known by it; the rest by shape. ``phonenumbers`` was tried for the phone numbers and
left: it takes "20240301" and "2024 2025" for German numbers, whose plan is open, so shape and context had to decide
anyway. A number is left alone where money, a date, or a word such as "order" says what it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

Span = tuple[int, int, str]

_TLD: Final = (
    "com|org|net|edu|gov|int|info|biz|io|ai|co|app|dev|me|ly|gl|gle|be|tv|cc|so|to|gd|link|page|shop|store|online|site|"
    "web|tech|agency|cloud|team|work|works|studio|media|solutions|consulting|digital|blog|news|live|life|world|group|"
    "pro|expert|academy|email|xyz|club|it|de|es|fr|pt|br|uk|eu|us|ch|at|nl|ie|pl|se|no|dk|fi|ca|au|mx|ar|cl|ru|in|lu|"
    "example|test|invalid|localhost"
)
_AT: Final = r"at|chiocciola|ät|arroba|arobase|arrobase"
_DOT: Final = r"dot|punto|punkt|point|ponto"
_IN_BRACKETS: Final = r"\s*[(\[{{<]\s*(?:{})\s*[)\]}}>]\s*"

#: Each alternative starts where a run of such characters starts, so that a long run is looked at once.
_MAIL: Final = re.compile(
    r"(?<![\w.+%'-])(?:"
    r"[\w.+%'-]*[\w+%]@[\w-]+(?:\.[\w-]+)+"
    rf"|[\w.+-]+{_IN_BRACKETS.format(_AT + '|@')}"
    rf"[\w-]+(?:(?:\.|{_IN_BRACKETS.format(_DOT + '|[.]')}|\s+(?:{_DOT})\s+)[\w-]+)+"
    rf"|[\w.+-]+(?:\s[\w+-]+)?\s+(?:{_AT})\s+[\w-]+(?:\s+(?:{_DOT})\s+[\w-]+)*\s+(?:{_DOT})\s+(?:{_TLD})\b"
    r")",
    re.IGNORECASE,
)
_LINK: Final = re.compile(
    r"\b(?:https?|ftp)://[^\s<>\"«»]+"
    r"|\bwww\.[^\s<>\"«»]+"
    rf"|(?<![\w@.-])(?:[a-z0-9](?:[\w-]*[a-z0-9])?\.)+(?:(?:{_TLD})\b(?:[/?#:][^\s<>\"«»]*)?|[a-z]{{2,}}/[^\s<>\"«»]+)",
    re.IGNORECASE,
)
_TRAILING: Final = ".,;:!?)]}'’\"…"
_IBAN: Final = re.compile(r"(?<![A-Z0-9])[A-Z]{2}[ ]?\d[ ]?\d(?:[ .-]?[A-Z0-9]){11,30}(?![A-Z0-9])", re.IGNORECASE)
_IBAN_LENGTHS_TEXT: Final = (
    "15 NO|16 BE|18 DK FI NL|19 SI|20 AT EE LT LU XK|21 CH HR LI LV|22 BG DE GB IE ME|23 GI|24 AD CZ ES RO SE SK|25 PT|"
    "26 IS TR|27 FR GR IT MC SM|28 AL CY HU PL|29 BR|31 MT"
)
#: Characters of an IBAN by country (ISO 13616).
_IBAN_LENGTHS: Final = {
    country: int(part[:2]) for part in _IBAN_LENGTHS_TEXT.split("|") for country in part[3:].split()
}
_CARD: Final = re.compile(r"(?<![\d.,])\d(?:[ -]?\d){12,18}(?![\d.,]\d)")
_TAX_CODE: Final = re.compile(
    r"\b[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z]\b"  # Italy
    r"|\b(?:\d{8}|[XYZ]\d{7})-?[A-HJ-NP-TV-Z]\b"  # Spain
    r"|\b\d{3}\.\d{3}\.\d{3}-\d{2}\b",  # Brazil
    re.IGNORECASE,
)
_PHONE_WORD: Final = (
    r"tel|telefono|telephone|phone|ph|mobile|mobil|mob|cell|cellulare|handy|whatsapp|whats|wapp|zap|wa|sms|fax|"
    r"call me(?: on| at)?|text me(?: on| at)?|ring me(?: on| at)?|chiamami(?: al)?|chiamatemi(?: al)?|numero|recapito|"
    r"telefon|rufnummer|durchwahl|ruf|rufen|teléfono|móvil|llámame(?: al)?|téléphone|portable|appelez-moi au|"
    r"telefone|telemóvel|celular|ligue(?: para)?|contatto|contact|line"
)
_AFTER_PHONE_WORD: Final = re.compile(
    rf"\b(?:{_PHONE_WORD})\b[^\d\n+(]{{0,15}}(?P<number>[+(]?\d(?:[ ()./-]{{0,2}}\d){{5,14}})(?!\d)", re.IGNORECASE
)
_PHONE: Final = re.compile(
    r"(?<![\w.,/:=#-])(?:"
    r"(?:\+|00(?=[ ()./-]{0,2}(?:\d[ ().-]{0,2}){9}))[ ]?[1-9](?:[ ()./-]{0,2}\d){6,14}"  # international
    r"|\(?0\d{1,4}\)?(?:[ ./-]{0,2}\d){5,10}"  # trunk prefix 0
    r"|\(?[2-9]\d{2}\)?[ .-]\d{3}[ .-]\d{4}"  # North America
    r"|3\d{2}[ ./-]?\d{3}[ .-]?\d{3,4}"  # Italian mobile
    r"|[6-9]\d{2}(?:[ .-]?\d{3}){2}|[6-9]\d{2}(?:[ .-]\d{2}){3}|2\d{2}(?:[ ]\d{3}){2}"  # Spain, Portugal
    r"|\(?[1-9]\d\)?[ ]?9?\d{4}-\d{4}"  # Brazil
    r")(?![\d%€$£]|[.,:/-]\d)"
)
_SAYS_ELSE: Final = re.compile(
    r"(?:\b(?:order|ordine|bestell\w*|pedido|commande|encomenda|invoice|fattura|rechnung\w*|factura|facture|fatura|"
    r"reference|ref|rif|riferimento|ticket|codice|code|código|id|po|p\.?\s?iva|vat|iva|art|lot|serial|n|nr|no|nº|n°|num|"
    r"pratica|kundennummer|case|eur|euro|euros|usd|gbp)\b|[#€$£№°º])[\s.:#°ºn]{0,4}(?:nr?[.°º]?\s*)?$",
    re.IGNORECASE,
)
_MONEY_AFTER: Final = re.compile(r"\s?(?:€|\$|£|%|eur\b|euros?\b|usd\b|gbp\b|reais\b|dollars?\b|mila\b)", re.IGNORECASE)
_DATE: Final = re.compile(
    r"(?:\d{4}[./-]\d{1,2}[./-]\d{1,2}|\d{1,2}[./-]\d{1,2}[./-]\d{2,4})(?:\D+\d{1,2}[:.h]?\d{0,2})?$"
)


def find_contact_details(text: str) -> Iterator[Span]:
    """Yield (start, end, kind) of every contact detail; spans of different kinds may overlap, the first found counts.

    >>> text = "Call 020 7946 0123 or write to ann@sample.example, it is 1,250.00 EUR"
    >>> [(text[start:end], kind) for start, end, kind in find_contact_details(text)]
    [('ann@sample.example', 'mail'), ('020 7946 0123', 'phone')]
    """
    for match in _MAIL.finditer(text):
        yield *match.span(), "mail"
    if "." in text or "://" in text:
        for match in _LINK.finditer(text):
            end = match.start() + len(match[0].rstrip(_TRAILING))
            yield match.start(), end, "link"
    if any(map(str.isdigit, text)):
        yield from _find_numbers(text)


def _find_numbers(text: str) -> Iterator[Span]:
    for match in _IBAN.finditer(text):
        if length := iban_length(match[0]):
            yield match.start(), match.start() + length, "iban"
    for match in _TAX_CODE.finditer(text):
        yield *match.span(), "number"
    for match in _CARD.finditer(text):
        if passes_luhn(match[0]):
            yield *match.span(), "number"
    for match in _AFTER_PHONE_WORD.finditer(text):
        start, end = match.span("number")
        if not _is_something_else(text, start, end):
            yield start, end, "phone"
    for match in _PHONE.finditer(text):
        if not _is_something_else(text, *match.span()):
            yield *match.span(), "phone"


def _is_something_else(text: str, start: int, end: int) -> bool:
    """Return whether a number that looks like a phone number is a date, an amount or an order number."""
    number = text[start:end]
    if _MONEY_AFTER.match(text, end) or _DATE.match(number):
        return True
    return not number.startswith("+") and _SAYS_ELSE.search(text, max(0, start - 24), start) is not None


def iban_length(candidate: str) -> int:
    """Return how many characters of a candidate, spaces counted, form an IBAN whose check digits hold; 0 where none do.

    >>> iban_length("GB82 WEST 1234 5698 7654 32 please"), iban_length("GB82 WEST 1234 5698 7654 33")
    (27, 0)
    """
    code = re.sub(r"[ .-]", "", candidate).upper()
    length = _IBAN_LENGTHS.get(code[:2], 0)
    if not length or len(code) < length or not _is_iban(code[:length]):
        return 0
    places = [at for at, character in enumerate(candidate) if character.isalnum()]
    return places[length - 1] + 1


def _is_iban(code: str) -> bool:
    """Check the two digits of ISO 7064, mod 97-10: letters count from 10, the head goes to the end."""
    digits = "".join(str(int(c, 36)) for c in code[4:] + code[:4])
    return int(digits) % 97 == 1


def passes_luhn(number: str) -> bool:
    """Return whether the last digit is the check digit of ISO/IEC 7812.

    >>> passes_luhn("4111 1111 1111 1111"), passes_luhn("4111 1111 1111 1112")
    (True, False)
    """
    digits = [int(c) for c in reversed(number) if c.isdigit()]
    return (sum(digits[::2]) + sum(sum(divmod(2 * d, 10)) for d in digits[1::2])) % 10 == 0

r"""Half of a sign: what is left where a program cuts a text by length between the two halves of an emoji.

JSON writes such signs as two escapes ("\ud83d\ude80"), and Python takes either half alone for a character that no file
and no Arrow table can hold. It is shown as U+FFFD, as browsers do, wherever values come in.
"""

from __future__ import annotations

import re
from typing import Any, Final

_HALF: Final = re.compile("[\ud800-\udfff]")


def without_halves(value: Any) -> Any:
    r"""Return a value whose texts, those inside lists and objects included, show U+FFFD for half a sign.

    >>> without_halves({"a": ["\ud83d", 1]})
    {'a': ['\ufffd', 1]}
    """
    if isinstance(value, str):
        return _HALF.sub("\ufffd", value)
    if isinstance(value, list):
        return [without_halves(item) for item in value]
    if isinstance(value, dict):
        return {without_halves(key): without_halves(item) for key, item in value.items()}
    return value

"""Random Acts of Pizza: people ask strangers for a pizza, some in their very first post on the forum.

Every request asks for the same thing, so what differs is who asks, how and when. The paper's regression (Althoff,
Danescu-Niculescu-Mizil and Jurafsky, ICWSM 2014, table 3) is rebuilt from the requests. Of its columns seven need no
words or one plain pattern; the five narratives use the paper's word lists, cut at the median share of words. The two
sentiments cannot be rebuilt as published (Stanford CoreNLP and LIWC): a short list of affect words stands in, so they
are a weaker check.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

NARRATIVES: Final = {
    "Craving": "friend girlfriend craving birthday boyfriend celebrate party game games movie date drunk beer "
    "celebrating invited drinks crave wasted invite",
    "Family": "family mom wife parents mother husband dad son daughter father parent mum children",
    "Job": "work job paycheck unemployment interview fired employment hired hire",
    "Money": "money now broke week until time last day when today tonight paid next first night after tomorrow month "
    "while account before long friday rent buy bank still bills bill ago cash due soon past never paycheck check spent "
    "years poor till yesterday morning dollars financial hour evening credit budget loan bucks deposit dollar current "
    "payed",
    "Student": "college student school roommate studying university finals semester class study project dorm tuition",
}
POSITIVE: Final = (
    "love loved great good happy awesome amazing best nice wonderful glad excited lucky hope fun thankful grateful "
    "perfect beautiful kind generous fantastic enjoy smile better cool sweet delicious bless blessed super cheer"
)
NEGATIVE: Final = (
    "bad sad hate worst terrible horrible awful depressed depressing hurt pain sucks suck sucked shitty crappy cry "
    "crying alone lonely stressed stressful miserable sorry worse angry mad upset worried scared ashamed embarrassed "
    "annoying stupid ugly damn fuck fucking shit hell"
)
GRATITUDE: Final = "thank|appreciat|advance"
IMAGE: Final = r"imgur|\.jpe?g|\.png|\.gif|flickr|photobucket"
RECIPROCITY: Final = r"pay(?:ing|ed)? (?:it |this )?(?:forward|foward|back)|return(?:ing)? the favou?r|repay"

#: The column on which the claim turns.
POSTED_BEFORE: Final = "Posted in RAOP before (Binary)"
#: Table 3 as published: coefficient and standard error, in log odds.
TABLE_3: Final = {
    "Intercept": (-2.02, 0.14),
    "Community Age (Decile)": (-0.13, 0.01),
    "First Half of Month (Binary)": (0.22, 0.08),
    "Gratitude (Binary)": (0.27, 0.08),
    "Including Image (Binary)": (0.81, 0.17),
    "Reciprocity (Binary)": (0.32, 0.10),
    "Strong Positive Sentiment (Binary)": (0.14, 0.08),
    "Strong Negative Sentiment (Binary)": (-0.07, 0.08),
    "Length (in 100 Words)": (0.30, 0.05),
    "Karma (Decile)": (0.13, 0.02),
    POSTED_BEFORE: (1.34, 0.16),
    "Narrative Craving (Binary)": (-0.34, 0.09),
    "Narrative Family (Binary)": (0.22, 0.09),
    "Narrative Job (Binary)": (0.26, 0.09),
    "Narrative Money (Binary)": (0.19, 0.08),
    "Narrative Student (Binary)": (0.09, 0.09),
}
COLUMNS: Final = tuple(name for name in TABLE_3 if name != "Intercept")
#: What is held equal when first posts are compared with others.
TRAITS: Final = tuple(name for name in COLUMNS if name != POSTED_BEFORE)


def tabulate_requests(requests: pd.DataFrame) -> pd.DataFrame:
    """Return the requests without their words: what the comparison and the paper's regression need.

    Parameters
    ----------
    requests : DataFrame
        As of :func:`etiquette_analysis.sources.public.read_pizza_requests`.

    Returns
    -------
    DataFrame
        One row per request: ``at_once`` (the first post on the forum is this request), ``answered`` (pizza received),
        and ``COLUMNS``, the paper's regressors under its own names.

    Examples
    --------
    >>> requests = pd.DataFrame({"title": ["Hungry", "Broke student"], "text": ["Thanks in advance!", "I will repay"],
    ...     "sent_at": pd.to_datetime(["2012-03-02", "2012-03-20"], utc=True), "karma": [3, 90],
    ...     "n_posts_before": [0, 2], "answered": [False, True]})
    >>> table = tabulate_requests(requests)
    >>> table[["at_once", "answered", "Gratitude (Binary)", "Reciprocity (Binary)", "Karma (Decile)"]]
       at_once  answered  Gratitude (Binary)  Reciprocity (Binary)  Karma (Decile)
    0     True     False                 1.0                   0.0             5.0
    1    False      True                 0.0                   1.0            10.0
    """
    text = (requests["title"] + " " + requests["text"]).str.lower()
    words = text.str.findall(r"[a-z']+")
    columns: dict[str, ArrayLike] = {
        "Community Age (Decile)": _decile(requests["sent_at"].astype("int64")),
        "First Half of Month (Binary)": requests["sent_at"].dt.day <= 15,
        "Gratitude (Binary)": text.str.contains(GRATITUDE),
        "Including Image (Binary)": text.str.contains(IMAGE),
        "Reciprocity (Binary)": text.str.contains(RECIPROCITY),
        "Strong Positive Sentiment (Binary)": _is_above_median(words, POSITIVE),
        "Strong Negative Sentiment (Binary)": _is_above_median(words, NEGATIVE),
        "Length (in 100 Words)": words.map(len) / 100,
        "Karma (Decile)": _decile(requests["karma"]),
        POSTED_BEFORE: requests["n_posts_before"] > 0,
    }
    columns |= {f"Narrative {name} (Binary)": _is_above_median(words, listed) for name, listed in NARRATIVES.items()}
    features = pd.DataFrame(columns, index=requests.index).astype("float64")
    features.insert(0, "at_once", requests["n_posts_before"] == 0)
    features.insert(1, "answered", requests["answered"])
    return features


def _decile(values: pd.Series) -> Floats:
    """Return the tenth of the ranking, 1 to 10, in which each value falls."""
    return np.ceil(values.rank(pct=True).to_numpy() * 10)


def _is_above_median(words: pd.Series, listed: str) -> NDArray[np.bool_]:
    """Tell which texts have more than the median share of the listed words."""
    wanted = set(listed.split())
    share = np.array([sum(word in wanted for word in row) / max(len(row), 1) for row in words])
    return np.asarray(share > np.median(share))

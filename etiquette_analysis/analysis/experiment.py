"""The honest way out: decide by coin flip when to pitch, and then simply count.

Past behaviour can only be corrected for what it recorded. If a coin decides who is pitched at once and who after a
wait, nothing needs correcting: the two groups differ by chance alone, and two rates with Newcombe's interval are the
whole analysis. This module draws the allocation, says how many contacts an effect of interest needs, and reads the
result: by whom the coin chose, not by what was then done (intention to treat).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import pandas as pd
from scipy import stats

from etiquette_analysis.analysis.intervals import newcombe, wilson
from etiquette_analysis.errors import DesignError, SchemaError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Method = Literal["coin", "blocked"]

NOW: Final = "NOW"
LATER: Final = "LATER"
#: Allocations drawn for the permutation test; its p-value is then known to within half a percentage point.
N_PERMUTATIONS: Final = 10_000


def n_per_arm(*, base_rate: float, sesoi: float, power: float = 0.8, alpha: float = 0.05) -> int:
    """Return how many contacts each arm needs to find a difference of ``sesoi`` below or above ``base_rate``.

    Two-sided test of two proportions, normal approximation with separate variances; of the two directions the one that
    needs more.

    Examples
    --------
    >>> n_per_arm(base_rate=0.15, sesoi=0.05)
    903
    """
    if not (0 < base_rate < 1 and 0 < sesoi < 1 and 0 < power < 1 and 0 < alpha < 1):
        msg = (
            f"base_rate={base_rate}, sesoi={sesoi}, power={power}, alpha={alpha}: "
            "each is a share and has to lie between 0 and 1"
        )
        raise DesignError(msg)
    z = stats.norm.ppf(1 - alpha / 2) + stats.norm.ppf(power)
    others = [p for p in (base_rate - sesoi, base_rate + sesoi) if 0 <= p <= 1]
    if not others:
        msg = f"a difference of {sesoi} from a rate of {base_rate} leaves the range 0 to 1; choose a smaller sesoi"
        raise DesignError(msg)
    variance = max(base_rate * (1 - base_rate) + p * (1 - p) for p in others)
    return int(np.ceil(z**2 * variance / sesoi**2))


@dataclass(frozen=True)
class Allocation:
    """Who is pitched when, decided by chance.

    Attributes
    ----------
    frame : DataFrame
        ``contact`` and ``arm`` (NOW or LATER), in the order given.
    seed : int
        Gives the same allocation again.
    method : {"coin", "blocked"}
        Independent flips, or blocks with equal numbers of both.
    sesoi, base_rate : float
        Effect of interest and the reply rate assumed, as fractions.
    n_per_arm : int
        Contacts needed in each arm to find it with 80 % power.
    """

    frame: pd.DataFrame
    seed: int
    method: Method
    sesoi: float
    base_rate: float
    n_per_arm: int

    def text(self, language: Literal["en", "it"] = "en") -> str:
        """Return the instructions, in English or Italian."""
        counts = self.frame["arm"].value_counts()
        return _PLAN[language].format(
            now=int(counts.get(NOW, 0)),
            later=int(counts.get(LATER, 0)),
            seed=self.seed,
            n=self.n_per_arm,
            sesoi=_number(100 * self.sesoi, language),
            rate=_number(100 * self.base_rate, language),
        )


def randomise(
    contacts: Sequence[object] | pd.Series | NDArray[np.generic],
    *,
    seed: int,
    sesoi: float = 0.05,
    base_rate: float = 0.15,
    method: Method = "coin",
    block_size: int = 4,
    strata: ArrayLike | None = None,
) -> Allocation:
    """Allocate contacts to a pitch at once (NOW) or after a wait (LATER) by chance.

    Parameters
    ----------
    contacts : sequence
        Identifiers, each once.
    seed : int
        The same seed gives the same allocation.
    sesoi : float
        Smallest difference of interest, as a fraction.
    base_rate : float
        Reply rate expected without a difference, for the number of contacts needed.
    method : {"coin", "blocked"}
        ``coin``: each contact by a flip of its own. ``blocked``: equal numbers in every block, in the order given.
    block_size : int
        Even; of ``blocked``.
    strata : array_like, optional
        One label per contact; blocks are then filled within strata.

    Returns
    -------
    Allocation
        ``.frame``, ``.text("en" | "it")``, ``.n_per_arm``.

    Examples
    --------
    >>> plan = randomise(["a", "b", "c", "d"], seed=7, method="blocked")
    >>> sorted(plan.frame["arm"]), plan.n_per_arm
    (['LATER', 'LATER', 'NOW', 'NOW'], 903)
    """
    people = pd.Series(contacts).reset_index(drop=True)
    if people.duplicated().any():
        msg = f"{int(people.duplicated().sum())} contacts occur more than once; each can be allocated only once"
        raise SchemaError(msg)
    if method not in ("coin", "blocked"):
        msg = f"method={method!r}: expected 'coin' or 'blocked'"
        raise DesignError(msg)
    if block_size < 2 or block_size % 2:
        msg = f"block_size={block_size}: expected an even number, 2 or more"
        raise DesignError(msg)
    rng = np.random.default_rng(seed)
    n = len(people)
    if method == "coin":
        is_now = rng.random(n) < 0.5
    else:
        labels = np.zeros(n, dtype=np.int64) if strata is None else pd.factorize(np.asarray(strata))[0]
        if len(labels) != n:
            msg = f"{len(labels)} strata for {n} contacts; expected one label per contact"
            raise SchemaError(msg)
        is_now = _blocked(labels, block_size, rng)
    frame = pd.DataFrame({"contact": people, "arm": np.where(is_now, NOW, LATER)}).astype({"arm": "str"})
    return Allocation(frame, seed, method, sesoi, base_rate, n_per_arm(base_rate=base_rate, sesoi=sesoi))


def _blocked(strata: NDArray[np.int64], block_size: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    is_now = np.zeros(len(strata), dtype=bool)
    for label in np.unique(strata):
        rows = np.flatnonzero(strata == label)
        for start in range(0, len(rows), block_size):
            half = np.repeat([True, False], block_size // 2)
            is_now[rows[start : start + block_size]] = rng.permutation(half)[: len(rows) - start]
    return is_now


@dataclass(frozen=True)
class ExperimentResult:
    """What the experiment found, by allocation.

    Attributes
    ----------
    rd, low, high : float
        Reply rate NOW minus LATER and Newcombe's interval, as fractions.
    rate_now, rate_later : float
        Reply rates.
    n_now, n_later : int
        Contacts allocated whose outcome is known.
    p_value : float
        Two-sided permutation test of no effect on anybody.
    frame : DataFrame
        Arms and difference with intervals.
    """

    rd: float
    low: float
    high: float
    rate_now: float
    rate_later: float
    n_now: int
    n_later: int
    p_value: float
    frame: pd.DataFrame

    def text(self, language: Literal["en", "it"] = "en") -> str:
        """Return the finding in one paragraph, in English or Italian."""
        n = {k: _number(100 * getattr(self, k), language) for k in ("rate_now", "rate_later", "low", "high")}
        return _FINDING[language].format(
            **n,
            rd=_number(100 * self.rd, language, signed=True),
            n_now=self.n_now,
            n_later=self.n_later,
            p="< 0.001".replace(".", "," if language == "it" else ".")
            if self.p_value < 0.001
            else "= " + _number(self.p_value, language, digits=3),
        )


def analyse_experiment(
    arm: ArrayLike,
    replied: ArrayLike,
    *,
    strata: ArrayLike | None = None,
    conf_level: float = 0.95,
    rng: np.random.Generator | None = None,
) -> ExperimentResult:
    """Compare the arms as allocated.

    Parameters
    ----------
    arm : array_like of str
        NOW or LATER: what the coin said, whatever was then done. Contacts who were not pitched in the end stay in.
    replied : array_like of bool
        Whether a human reply came; a contact never pitched has none.
    strata : array_like, optional
        Strata of a blocked allocation; the permutation test then shuffles within them.
    conf_level : float
        Of the intervals.
    rng : Generator, optional
        For the permutation test; a fixed one where not given, so that the same data give the same p-value.

    Examples
    --------
    >>> replied = [True] * 56 + [False] * 14 + [True] * 48 + [False] * 32
    >>> result = analyse_experiment(["NOW"] * 70 + ["LATER"] * 80, replied)
    >>> round(result.rd, 2), round(result.low, 4), round(result.high, 4)
    (0.2, 0.0524, 0.3339)
    """
    arms, y = np.asarray(arm), np.asarray(replied).astype(np.int64)
    strange = sorted(set(arms.tolist()) - {NOW, LATER})
    if strange or arms.shape != y.shape:
        msg = f"arms {strange or arms.shape} with {y.shape} replies; expected NOW or LATER and one reply flag for each"
        raise SchemaError(msg)
    is_now = arms == NOW
    n1, n0 = int(is_now.sum()), int((~is_now).sum())
    if not n1 or not n0:
        msg = f"{n1} contacts in NOW and {n0} in LATER; both arms are needed to compare"
        raise DesignError(msg)
    x1, x0 = int(y[is_now].sum()), int(y[~is_now].sum())
    low, high = newcombe(x1, n1, x0, n0, conf_level=conf_level)
    rows = []
    for name, x, n in (("rate_now", x1, n1), ("rate_later", x0, n0)):
        limits = wilson(x, n, conf_level=conf_level)
        rows.append((name, "wilson", x / n, float(limits.low), float(limits.high), n))
    rows.append(("rd", "newcombe", x1 / n1 - x0 / n0, float(low), float(high), n1 + n0))
    frame = pd.DataFrame(rows, columns=["estimand", "method", "estimate", "low", "high", "n"])
    labels = np.zeros(len(y), dtype=np.int64) if strata is None else pd.factorize(np.asarray(strata))[0]
    p = _permutation_p(is_now, y, labels, np.random.default_rng(20_240_601) if rng is None else rng)
    return ExperimentResult(x1 / n1 - x0 / n0, float(low), float(high), x1 / n1, x0 / n0, n1, n0, p, frame)


def _permutation_p(
    is_now: NDArray[np.bool_], y: NDArray[np.int64], strata: NDArray[np.int64], rng: np.random.Generator
) -> float:
    """Shuffle the allocation within strata; with binary replies a shuffle is one hypergeometric draw per stratum."""
    drawn = np.zeros(N_PERMUTATIONS)
    for label in np.unique(strata):
        rows = strata == label
        replies, n_now = int(y[rows].sum()), int(is_now[rows].sum())
        drawn += rng.hypergeometric(replies, int(rows.sum()) - replies, n_now, N_PERMUTATIONS)
    n1, total = is_now.sum(), y.sum()

    def difference(x1: NDArray[np.float64] | float) -> NDArray[np.float64]:
        return np.asarray(x1 / n1 - (total - x1) / (len(y) - n1))

    # Under stratified shuffling the expected difference need not be 0: distances are taken from it.
    centre = float(difference(drawn).mean()) if len(np.unique(strata)) > 1 else 0.0
    seen = abs(float(difference(float(y[is_now].sum()))) - centre)
    return float((np.sum(np.abs(difference(drawn) - centre) >= seen - 1e-12) + 1) / (N_PERMUTATIONS + 1))


def _number(value: float, language: str, *, digits: int = 1, signed: bool = False) -> str:
    text = f"{value:{'+' if signed else ''}.{digits}f}"
    return text.replace(".", ",") if language == "it" else text


_PLAN: Final = {
    "en": (
        "By coin flip (seed {seed}): {now} contacts NOW (pitch on the day you connect or the next), {later} "
        "contacts LATER "
        "(no pitch before day 7, then one by day 30). Write this list down before you begin, keep to it, send "
        "everybody "
        "the same kind of pitch, and count by this list whatever you end up doing. Nobody is dropped. To find a "
        "difference "
        "of {sesoi} percentage points at a reply rate of {rate}% with 80% power you need 2 x {n} contacts; with "
        "fewer, a "
        "finding of no difference means little."
    ),
    "it": (
        "A testa o croce (seme {seed}): {now} contatti NOW (proposta il giorno del collegamento o quello dopo), "
        "{later} "
        "contatti LATER (nessuna proposta prima del giorno 7, poi una entro il giorno 30). Metti da parte questo "
        "elenco "
        "prima di cominciare, rispettalo, manda a tutti lo stesso genere di proposta e conta secondo l'elenco, "
        "qualunque "
        "cosa tu abbia poi fatto. Nessuno va tolto. Per trovare una differenza di {sesoi} punti percentuali con un "
        "tasso "
        "di risposta del {rate}% e una potenza dell'80% servono 2 x {n} contatti; con meno, non trovare differenze "
        "dice "
        "poco."
    ),
}
_FINDING: Final = {
    "en": (
        "Of {n_now} contacts allotted to an immediate pitch {rate_now}% replied, of {n_later} allotted to waiting "
        "{rate_later}%: a difference of {rd} percentage points (interval {low} to {high}; permutation test p {p}). "
        "A coin "
        "decided, so the two groups differ by chance and by timing only. Counted by allocation, whatever was then done."
    ),
    "it": (
        "Dei {n_now} contatti destinati a una proposta immediata ha risposto il {rate_now}%, dei {n_later} destinati "
        "all'attesa il {rate_later}%: una differenza di {rd} punti percentuali (intervallo da {low} a {high}; test di "
        "permutazione p {p}). Ha deciso la sorte, perciò i due gruppi differiscono solo per caso e per i tempi. Si "
        "conta "
        "secondo il sorteggio, qualunque cosa si sia poi fatta."
    ),
}

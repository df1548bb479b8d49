"""Reference values for tests/analysis/test_survival.py, written once with lifelines 0.30 and pandas 2.

Run ``python tests/analysis/reference/lifelines_reference.py`` in an environment that has lifelines (the project's own
does not need it); it writes the CSV of the same name beside itself. Waits come from a small congruential generator, so
that they depend on no library's random numbers. ``hours`` are distinct (lifelines breaks ties at random in its
Aalen-Johansen), ``hours_tied`` are the same waits rounded up to whole days.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd


def waits(n: int = 160) -> pd.DataFrame:
    state, rows = 20240601, []
    for k in range(n):
        draws = []
        for _ in range(3):
            state = (1103515245 * state + 12345) % 2**31
            draws.append(state / 2**31)
        hours = round(1 + 330 * draws[0] ** 2 + k / 1000, 3)
        event = 0 if draws[1] < 0.3 else 1 if draws[1] < 0.75 else 2
        rows.append((hours, event, "now" if draws[2] < 0.5 else "later"))
    return pd.DataFrame(rows, columns=["hours", "event", "group"])


def main() -> None:
    from lifelines import AalenJohansenFitter, KaplanMeierFitter
    from lifelines.statistics import logrank_test

    d = waits()
    d["hours_tied"] = np.ceil(d["hours"] / 24) * 24
    km = KaplanMeierFitter().fit(d["hours_tied"], d["event"] > 0)
    for name, table in (("survival", km.survival_function_), ("limits", km.confidence_interval_)):
        values = table.loc[d["hours_tied"]].to_numpy()
        d[[name] if values.shape[1] == 1 else ["survival_low", "survival_high"]] = values
    for kind in (1, 2):
        aj = AalenJohansenFitter(seed=0).fit(d["hours"], d["event"], event_of_interest=kind)
        d[f"incidence_{kind}"] = aj.cumulative_density_.loc[d["hours"]].to_numpy()
        d[f"incidence_variance_{kind}"] = aj.variance_.loc[d["hours"]].to_numpy()
        d[[f"incidence_low_{kind}", f"incidence_high_{kind}"]] = aj.confidence_interval_.loc[d["hours"]].to_numpy()
    now = d["group"] == "now"
    test = logrank_test(d["hours_tied"][now], d["hours_tied"][~now], d["event"][now] > 0, d["event"][~now] > 0)
    d["logrank_statistic"] = test.test_statistic
    d["logrank_p_value"] = test.p_value
    d.to_csv(Path(__file__).with_suffix(".csv"), index=False, float_format="%.12g")


if __name__ == "__main__":
    main()

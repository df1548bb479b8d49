"""Files through DuckDB give what tables in memory give, row for row."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from etiquette_analysis.engine.embedded import message_labels, turns
from etiquette_analysis.engine.files import label_files
from etiquette_analysis.engine.tables import MESSAGE_LABELS, TURNS, to_frame
from etiquette_analysis.labels.structure import LabelOptions
from tests.labels.worlds import connection_frame, message_frame, random_options, random_world


def read_labels(path, schema):
    return to_frame(pq.read_table(path).cast(schema).to_batches(), schema)


def random_tables(seed):
    rng = np.random.default_rng(seed)
    messages, connections = random_world(rng, n=int(rng.integers(1, 120)))
    options = random_options(rng)
    observed_until = options.pop("observed_until", None)
    return message_frame(messages), connection_frame(connections), observed_until, LabelOptions(**options)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_files_and_memory_agree(seed, suffix, tmp_path):
    messages, connections, observed_until, options = random_tables(seed)
    if suffix == ".csv":  # an empty cell is a null there
        messages = messages[(messages["sender"] != "") & (messages["recipient"] != "")]
        connections = connections[(connections["person_a"] != "") & (connections["person_b"] != "")]
    for table, name in ((messages, "messages"), (connections, "connections")):
        path = tmp_path / f"{name}{suffix}"
        table.to_parquet(path, index=False) if suffix == ".parquet" else table.to_csv(path, index=False)
    keywords = {"observed_until": observed_until, "options": options, "batch_rows": 7}

    def label(what):
        return label_files(
            tmp_path / f"messages{suffix}",
            tmp_path / f"connections{suffix}",
            tmp_path / f"{what}.parquet",
            what=what,
            threads=1,
            **keywords,
        )

    labelled = label("turns")
    expected = turns(messages, connections, **keywords)
    pd.testing.assert_frame_equal(read_labels(labelled.path, TURNS), expected)
    assert labelled.n_rows == len(expected)

    labelled = label("messages")
    expected = message_labels(messages, connections, **keywords).sort_values("message_id", ignore_index=True)
    found = read_labels(labelled.path, MESSAGE_LABELS)
    pd.testing.assert_frame_equal(found.sort_values("message_id", ignore_index=True), expected)

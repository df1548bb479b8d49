"""The stream: how its input is cut does not matter, and no text is in it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from etiquette_analysis.engine.embedded import _Columns, message_labels, turns
from etiquette_analysis.engine.stream import label_stream
from etiquette_analysis.engine.tables import MESSAGE_LABELS, SORTED, TURNS, to_frame
from etiquette_analysis.labels.structure import LabelOptions
from tests.labels.worlds import connection_frame, message_frame, random_world

SCHEMAS = {"turns": TURNS, "messages": MESSAGE_LABELS}


def world(seed=5, n=150):
    messages, connections = random_world(np.random.default_rng(seed), n=n)
    return message_frame(messages), connection_frame(connections)


def sorted_batches(messages, connections, batch_rows):
    _, batches = _Columns(messages).sort(connections, np.arange(len(messages)), batch_rows)
    return list(batches)


def label(batches, what="turns"):
    stream = label_stream(batches, observed_until=1_710_000_000_000_000, options=LabelOptions(), what=what)
    return to_frame(stream, SCHEMAS[what])


@pytest.mark.parametrize("what", ["turns", "messages"])
@pytest.mark.parametrize("batch_rows", [1, 2, 7, 64])
def test_labels_do_not_depend_on_how_the_input_is_cut(what, batch_rows):
    tables = world()
    whole, cut = (label(sorted_batches(*tables, rows), what) for rows in (1000, batch_rows))
    pd.testing.assert_frame_equal(cut, whole)


def test_empty_batches_make_no_difference():
    batches = sorted_batches(*world(), 10)
    with_empty = [part for batch in batches for part in (batch.slice(0, 0), batch)]
    pd.testing.assert_frame_equal(label(with_empty), label(batches))
    assert label([]).empty
    assert label([batches[0].slice(0, 0)]).empty


def test_people_as_strings_and_as_dictionary_indices_are_the_same():
    batches = sorted_batches(*world(), 10)
    assert pa.types.is_dictionary(batches[0].schema.field("low").type)
    for what in SCHEMAS:
        pd.testing.assert_frame_equal(label([batch.cast(SORTED) for batch in batches], what), label(batches, what))


def test_memory_is_a_batch_and_the_unfinished_dyad():
    """A dyad is handed out as soon as the next one has begun."""
    pulled = 0

    def counted():
        nonlocal pulled
        for batch in sorted_batches(*world(), 1):
            pulled += 1
            yield batch

    stream = label_stream(counted(), observed_until=0, options=LabelOptions(), what="messages")
    labelled = 0
    for batch in stream:
        labelled += batch.num_rows
        assert pulled <= labelled + 1
    assert labelled == pulled


def test_no_text_is_in_what_is_sorted_or_comes_out():
    messages, connections = world()
    secret = "the text of a message"
    messages = messages.assign(text=secret, conversation_id=secret, channel=secret)
    batches = sorted_batches(messages, connections, 50)
    assert batches[0].schema.names == SORTED.names
    assert all(secret not in str(batch.to_pydict()) for batch in batches)
    for table in (turns(messages, connections), message_labels(messages, connections)):
        assert not {"text", "conversation_id", "channel"} & set(table.columns)
        assert not table.astype("str").isin([secret]).any(axis=None)

"""Where the rooms meet: the public functions that take a dataset through labels to dyads and to a report.

Data goes one way: messages are scored and flagged, sorted into turns by an engine, and reduced to one row per
connection. What is handed to the analysis holds no text, so nothing after this room can leak one.
"""

from etiquette_analysis.pipeline.dyads import build_dyads
from etiquette_analysis.pipeline.files import build_dyads_file, label_files
from etiquette_analysis.pipeline.hand_coding import coded_dyads, coding_session
from etiquette_analysis.pipeline.labelling import audit_of, audit_turns, label_messages, label_turns, score_messages
from etiquette_analysis.pipeline.origins import read_dyads
from etiquette_analysis.pipeline.package_data import bundled, load_sample
from etiquette_analysis.pipeline.reporting import prepare_report, prepare_report_on_dyads, write_report
from etiquette_analysis.pipeline.tables import write_table

__all__ = [
    "audit_of",
    "audit_turns",
    "build_dyads",
    "build_dyads_file",
    "bundled",
    "coded_dyads",
    "coding_session",
    "label_files",
    "label_messages",
    "label_turns",
    "load_sample",
    "prepare_report",
    "prepare_report_on_dyads",
    "read_dyads",
    "score_messages",
    "write_report",
    "write_table",
]

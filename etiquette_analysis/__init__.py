"""Does pitching right after connecting cost you replies? Labels for outreach messages, and an honest test.

>>> import etiquette_analysis as ea
>>> ea.explain_pitch("20% off until Friday, book your demo here").level
'hard'

Names are imported when they are first used (PEP 562), so that a user who only labels does not pay for statistics.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as in typing, which would cost more than all the rest of this module
if TYPE_CHECKING:
    from typing import Any

__version__ = "0.1.0"

#: Public name -> the module that defines it (DESIGN.md, "Public names").
_HOME = {
    "load_sample": "pipeline",
    "read": "sources",
    "read_linkedin": "sources",
    "read_telegram": "sources",
    "read_whatsapp": "sources",
    "read_slack": "sources",
    "read_mbox": "sources",
    "read_lemlist": "sources",
    "read_convokit": "sources",
    "write_convokit": "sources",
    "read_table": "sources",
    "label_timing": "labels.timing",
    "label_pitch": "labels.pitch",
    "explain_pitch": "labels.pitch",
    "label_turns": "pipeline",
    "label_messages": "pipeline",
    "label_files": "pipeline",
    "reliability": "labels.reliability",
    "Plan": "analysis.plan",
    "build_dyads": "pipeline",
    "build_dyads_file": "pipeline",
    "check_design": "analysis.design",
    "compare": "analysis.comparison",
    "describe": "analysis.describe",
    "secondary": "analysis.secondary",
    "robustness": "analysis.robustness",
    "sensitivity": "analysis.sensitivity",
    "placebo": "analysis.placebo",
    "power": "analysis.power",
    "debias": "analysis.debias",
    "heterogeneity": "analysis.heterogeneity",
    "sample_dyads": "analysis.debias",
    "randomise": "analysis.experiment",
    "analyse_experiment": "analysis.experiment",
    "simulate": "simulation",
    "pseudonymise": "privacy",
    "write_report": "pipeline",
    "Dataset": "schema",
    "EtiquetteError": "errors",
    "SourceError": "errors",
    "SchemaError": "errors",
    "DesignError": "errors",
}

__all__ = ["__version__", *_HOME]


def __getattr__(name: str) -> Any:
    """Import a public name from its room when it is first used; ``spark`` is the module of the distributed engine."""
    import importlib

    if name == "spark":
        return importlib.import_module("etiquette_analysis.engine.spark")
    if name not in _HOME:
        msg = f"module 'etiquette_analysis' has no attribute {name!r}; its public names are {', '.join(_HOME)}"
        raise AttributeError(msg)
    value = getattr(importlib.import_module(f"etiquette_analysis.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)

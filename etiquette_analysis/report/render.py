"""Run the report notebook on prepared tables and turn what it displayed into the files of the report."""

from __future__ import annotations

import json
import platform
import tempfile
import time
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from etiquette_analysis.report.inputs import write_inputs
from etiquette_analysis.report.kernel import run_notebook
from etiquette_analysis.report.page import assemble, displayed

if TYPE_CHECKING:
    from etiquette_analysis.report.inputs import ReportInputs

#: Environment variables by which the notebook is told what to do.
INPUTS_VARIABLE: Final = "ETIQUETTE_REPORT_INPUTS"
LANGUAGE_VARIABLE: Final = "ETIQUETTE_REPORT_LANGUAGE"
PACKAGES: Final = ("etiquette-analysis", "numpy", "pandas", "scipy", "statsmodels", "matplotlib", "duckdb", "pyarrow")


def render(inputs: ReportInputs, notebook: Path, folder: Path, *, language: str) -> None:
    """Write ``index.html``, ``report.ipynb``, ``results.json`` and ``provenance.json`` into ``folder``.

    Parameters
    ----------
    inputs : ReportInputs
        What the report is about.
    notebook : Path
        ``06_report.ipynb``.
    folder : Path
        An existing folder.
    language : {"en", "it"}
        Of the page.
    """
    import nbformat

    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix=".inputs-", dir=folder) as name:
        scratch = Path(name)
        write_inputs(inputs, scratch)
        settings = {INPUTS_VARIABLE: str(scratch), LANGUAGE_VARIABLE: language}
        executed = run_notebook(notebook, settings=settings, folder=scratch)
        results = (scratch / "results.json").read_text(encoding="utf-8")
    nbformat.write(executed, folder / "report.ipynb")  # type: ignore[no-untyped-call]
    (folder / "results.json").write_text(results, encoding="utf-8", newline="\n")
    page = assemble(displayed(executed), language=language, version=metadata.version(PACKAGES[0]))
    (folder / "index.html").write_text(page, encoding="utf-8", newline="\n")
    provenance = json.dumps(_provenance(inputs, time.monotonic() - began), indent=1)
    (folder / "provenance.json").write_text(provenance + "\n", encoding="utf-8")


def _provenance(inputs: ReportInputs, seconds: float) -> dict[str, Any]:
    return {
        "plan_hash": inputs.plan.hash,
        "data_fingerprint": inputs.fingerprint,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": {name: metadata.version(name) for name in PACKAGES},
        "written_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "notebook_seconds": round(seconds, 2),
    }

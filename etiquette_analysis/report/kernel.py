"""Run a notebook in a fresh kernel of this very Python, touching nobody's Jupyter settings.

The kernel is started from ``sys.executable``, whatever kernelspecs the user has or lacks; its connection file,
history and settings live in a folder that is thrown away. Kernel and client talk over the loopback interface only.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from etiquette_analysis.errors import EtiquetteError

if TYPE_CHECKING:
    from collections.abc import Mapping

TIMEOUT_SECONDS: Final = 1800
#: Where Jupyter and IPython keep what they write; all of it goes to the throw-away folder.
_HOMES: Final = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")

#: One thread each: on matrices this small more threads only wait for one another, and they add in another order, which
#: changes the last digits of results.
_THREADS: Final = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def run_notebook(path: Path, *, settings: Mapping[str, str] | None = None, folder: Path | None = None) -> Any:
    """Run every cell of a notebook and return it with its outputs; the file itself is not touched.

    Parameters
    ----------
    path : Path
        The ``.ipynb`` file.
    settings : mapping, optional
        Environment variables for the kernel.
    folder : Path, optional
        Where the notebook runs; a throw-away folder where not given.

    Returns
    -------
    NotebookNode
        With outputs.

    Raises
    ------
    EtiquetteError
        Where a cell fails or the kernel dies, saying which.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, DeadKernelError

    notebook: Any = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    with tempfile.TemporaryDirectory(prefix="etiquette-kernel-", dir=folder) as scratch:
        given = dict.fromkeys(_HOMES, scratch) | dict.fromkeys(_THREADS, "1") | dict(settings or {})
        client = NotebookClient(
            notebook,
            km=_this_interpreter(Path(scratch)),
            timeout=TIMEOUT_SECONDS,
            resources={"metadata": {"path": str(folder or scratch)}},
            store_widget_state=False,
            record_timing=False,
        )
        try:
            client.execute(cleanup_kc=True, env=os.environ | given)
        except CellExecutionError as error:
            msg = f"{path.name}: a cell failed with {error.ename}: {error.evalue}. Nothing was written."
            raise EtiquetteError(msg) from error
        except DeadKernelError as error:
            msg = f"{path.name}: the kernel died, usually for want of memory; close other programs and try again."
            raise EtiquetteError(msg) from error
        except RuntimeError as error:
            msg = f"{path.name}: the kernel did not start ({error}); build the environment anew, e.g. with make env"
            raise EtiquetteError(msg) from error
    return notebook


def _this_interpreter(scratch: Path) -> Any:
    """Return a kernel manager that starts ``sys.executable``."""
    import zmq
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager

    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--HistoryManager.enabled=False"]
    manager = AsyncKernelManager(connection_file=str(scratch / "kernel.json"), transport="tcp")
    manager._kernel_spec = KernelSpec(argv=argv, display_name="this Python", language="python")
    if hasattr(manager, "curve_publickey") and zmq.has("curve"):
        # Other users of this machine can read what goes over the loopback interface; so it is encrypted.
        manager.curve_publickey, manager.curve_secretkey = zmq.curve_keypair()
    return manager

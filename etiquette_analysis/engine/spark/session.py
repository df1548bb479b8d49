"""The Spark session that labels files: found or opened, given this package, and what it lets us do with folders."""

from __future__ import annotations

import atexit
import io
import json
import os
import shutil
import sys
import tempfile
import zipfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import etiquette_analysis
from etiquette_analysis.engine.work import ABOUT
from etiquette_analysis.errors import DesignError, SourceError

try:
    from pyspark.errors import AnalysisException
    from pyspark.sql import SparkSession
except ImportError:  # find_session says what to do
    AnalysisException = SparkSession = None

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from pyspark.sql import DataFrame

#: Where renaming a folder is one step; object stores copy every file instead, and get it from Spark's own committer.
_RENAMES: Final = ("file", "hdfs", "viewfs", "abfs", "abfss")
_SHIPPED: Final = (".py", ".toml", ".npz")


def find_session(master: str | None, remote: str | None) -> SparkSession:
    """Return the session that runs already, or open one, and see to it that its workers have this package.

    Parameters
    ----------
    master : str or None
        Where a new session runs: ``local[4]``, ``spark://host:7077``, ``yarn``. None: as the surroundings say
        (``spark-submit``, a notebook of Databricks), else on all cores of this machine.
    remote : str or None
        A Spark Connect server, ``sc://host:15002``.

    Raises
    ------
    DesignError
        Where pyspark or Java is missing, or no session can be opened.
    """
    if SparkSession is None:
        msg = "pyspark is not installed; install it with: pip install 'etiquette-analysis[spark]' (and Java 17)"
        raise DesignError(msg)
    if master is not None and remote is not None:
        msg = f"master is {master!r} and remote is {remote!r}; give one: remote is for Spark Connect"
        raise DesignError(msg)
    builder = SparkSession.builder.appName("etiquette_analysis")
    builder = builder.remote(remote) if remote else builder.master(master) if master else builder
    try:
        session = builder.getOrCreate()
    except Exception as error:
        where = remote or master or "this machine"
        msg = (
            f"no Spark session on {where}: {first_line(error)}. Check the address, and Java 17 where Spark starts here"
        )
        raise DesignError(msg) from error
    _ship(session)
    return session


def first_line(error: Exception) -> str:
    """Return the first line of what Spark says, which may go on with its plan and with rows."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")


def is_connect(session: SparkSession) -> bool:
    """Return whether the session is a client of Spark Connect, which has no JVM to talk to."""
    return "connect" in type(session).__module__


def _ship(session: SparkSession) -> None:
    """Send this package to the workers, unless they share this machine's, or it was itself sent here."""
    package = Path(etiquette_analysis.__file__).parent
    if not is_connect(session) and session.sparkContext.master.split("[")[0] == "local":
        session.sparkContext.pythonExec = os.environ.get("PYSPARK_PYTHON", sys.executable)  # not any python3 there is
        return
    if not package.is_dir() or getattr(session, "_etiquette_analysis", False):
        return
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)  # executors that start late fetch it from there
    shipped = Path(folder) / f"etiquette_analysis-{etiquette_analysis.__version__}.zip"
    shipped.write_bytes(zip_package(package))
    session.addArtifacts(str(shipped), pyfile=True)
    session._etiquette_analysis = True  # sent once per session


def zip_package(package: Path) -> bytes:
    """Return a package as a zip that Python can import from, the same bytes for the same files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(package.rglob("*")):
            if path.suffix in _SHIPPED and not any(part.startswith("_sample") for part in path.parts):
                entry = zipfile.ZipInfo(str(path.relative_to(package.parent)))
                archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


class Place:
    """Where a folder of labels goes, and how much of whole-or-not-at-all the file system gives.

    On the file systems of ``_RENAMES`` the labels are written beside the place and renamed when they are whole. On
    object stores, and through Spark Connect, Spark's committer moves the finished files and writes ``_SUCCESS`` last.

    Raises
    ------
    SourceError
        Where something is there that is not a folder of labels.
    """

    def __init__(self, session: SparkSession, out: str) -> None:
        self.session, self.out = session, out
        self.jvm = None if is_connect(session) else session._jvm
        if self.jvm is None:
            if _is_there(session, out):
                msg = f"{out} is there; through Spark Connect nothing is replaced, so choose a new name"
                raise SourceError(msg)
            return
        given = self._path(out)
        self.files = given.getFileSystem(session._jsc.hadoopConfiguration())
        self.path = self.files.makeQualified(given)
        if self.files.exists(self.path) and not self.files.exists(self._path(f"{self.path}/{ABOUT}")):
            is_folder = self.files.getFileStatus(self.path).isDirectory()
            if not is_folder or len(self.files.listStatus(self.path)):
                msg = f"{out} is there and is no folder of labels; choose a new name"
                raise SourceError(msg)

    def _path(self, name: str) -> Any:
        return self.jvm.org.apache.hadoop.fs.Path(name)  # type: ignore[union-attr]

    def write(self, labels: DataFrame, about: Callable[[int], Mapping[str, Any]]) -> int:
        """Write labels as Parquet, and what ``about`` says of so many rows; return their number.

        What was there before gives way when the new labels are whole.
        """
        if self.jvm is None:
            return self._write(labels, self.out, mode="error")
        if self.files.getUri().getScheme() not in _RENAMES:
            n_rows = self._write(labels, self.out, mode="overwrite")
            self._say(self.path, about(n_rows))
            return n_rows
        parent, name = self.path.getParent(), self.path.getName()
        new, old = (self._path(f"{parent}/.{name}.{kind}-{uuid4().hex[:8]}") for kind in ("part", "old"))
        try:
            n_rows = self._write(labels, new.toString(), mode="error")
            self._say(new, about(n_rows))
            if self.files.exists(self.path):
                self.files.rename(self.path, old)
            if not self.files.rename(new, self.path):
                msg = f"{self.out} cannot be written: the labels were made beside it, but could not be renamed"
                raise SourceError(msg)
        finally:
            for left in (new, old):
                self.files.delete(left, True)
        return n_rows

    def _write(self, labels: DataFrame, path: str, *, mode: str) -> int:
        try:
            labels.write.mode(mode).parquet(path)
        except AnalysisException as error:
            msg = f"{self.out} cannot be written: {first_line(error)}"
            raise SourceError(msg) from error
        return int(self.session.read.parquet(path).count())

    def _say(self, folder: Any, about: Mapping[str, Any]) -> None:
        stream = self.files.create(self._path(f"{folder.toString()}/{ABOUT}"))
        stream.write(bytearray(json.dumps(about, indent=1).encode() + b"\n"))
        stream.close()


def _is_there(session: SparkSession, path: str) -> bool:
    """Return whether a file or folder exists, as far as Spark can tell without a JVM at hand."""
    try:
        session.read.format("binaryFile").load(path).columns  # noqa: B018 -- makes Spark look
    except AnalysisException:
        return False
    return True


@contextmanager
def settings(session: SparkSession, wanted: Mapping[str, str]) -> Iterator[None]:
    """Run the block under some settings of the session, and put back those that were."""
    before = {name: session.conf.get(name, None) for name in wanted}
    for name, value in wanted.items():
        session.conf.set(name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            session.conf.unset(name) if value is None else session.conf.set(name, value)

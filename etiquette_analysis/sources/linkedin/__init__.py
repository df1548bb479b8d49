"""LinkedIn's data export, in every layout from 2017 to 2026.

The export is the only record most people have of their outreach: whom they met on which day, and what was written
afterwards. Its layout changed six times, and each change broke readers without an error. Here every row read is a
row kept or a row counted with its reason, and the evidence of whose export it is travels with the data.
"""

from __future__ import annotations

import pandas as pd

from etiquette_analysis.schema import NOTE_STAGE, AuditLog, Dataset
from etiquette_analysis.sources.archive import MAX_BYTES, ExportPath, Member, list_members
from etiquette_analysis.sources.dates import as_observed_until
from etiquette_analysis.sources.deliver import deliver
from etiquette_analysis.sources.linkedin.assemble import assemble
from etiquette_analysis.sources.linkedin.connections import (
    join_connections,
    learn_connections,
    read_connection_rows,
)
from etiquette_analysis.sources.linkedin.files import CONNECTIONS, INVITATIONS, MESSAGES, PROFILE, pick_files
from etiquette_analysis.sources.linkedin.invitations import (
    add_invitations,
    drop_repeats,
    learn_invitations,
    name_invitations,
    read_invitation_rows,
)
from etiquette_analysis.sources.linkedin.kinds import find_kinds
from etiquette_analysis.sources.linkedin.messages import read_message_rows
from etiquette_analysis.sources.linkedin.owner import find_owner, profile_name
from etiquette_analysis.sources.linkedin.people import People
from etiquette_analysis.sources.linkedin.sides import learn_names, read_sides
from etiquette_analysis.sources.progress import expecting
from etiquette_analysis.sources.rows import OnBadRow, check_on_bad_row, log_kept

__all__ = ["read_linkedin"]


def read_linkedin(
    path: ExportPath,
    *,
    owner: str | None = None,
    on_bad_row: OnBadRow = "error",
    observed_until: object = None,
    max_bytes: int = MAX_BYTES,
) -> Dataset:
    r"""Read a LinkedIn data export.

    Parameters
    ----------
    path : path or list of paths
        The zip, the unpacked folder, a single ``messages.csv``, or a list of the parts of one export.
    owner : str, optional
        Name or profile address of the person whose export it is; found from the export where not given.
    on_bad_row : {"error", "drop"}
        Whether a date that cannot be read, or broken quoting, stops the reading or is left out and counted.
    observed_until : date-like, optional
        Until when replies could be seen; by default the latest dated row of the messages, drafts and spam included.
    max_bytes : int
        Largest unpacked size of one file in a zip.

    Returns
    -------
    Dataset
        ``messages`` in time order with ``channel`` "linkedin"; a person is the normalised profile address, else the
        full name, ``linkedin-member:<conversation>`` where the account is deleted or hidden, ``<name>
        (conversation <id>)`` where several people bear the name, and recipients of a group joined by ``"; "``.
        ``connections`` at resolution ``day`` with the owner as ``person_a``, and ``invited_by``, ``invited_at``,
        ``position``, ``company`` where known. ``audit`` examples are line numbers of the file.

    Raises
    ------
    SourceError
        Where the path is no such export, a row cannot be read, or nothing tells the owner.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = pathlib.Path(folder, "messages.csv").write_text(
    ...         "CONVERSATION ID,FROM,TO,DATE,CONTENT\n"
    ...         "1,Ada,Ben,2024-03-02 09:00:00 UTC,Hello\n"
    ...         "2,Cleo,Ada,2024-03-01 09:00:00 UTC,None\n")
    ...     dataset = read_linkedin(folder)
    >>> dataset.messages[["sender", "recipient", "text", "kind"]]
      sender recipient   text     kind
    0   Cleo       Ada   None  message
    1    Ada       Ben  Hello  message
    >>> dataset.evidence
    'the one person in 2 of 2 conversations who is no connection'
    """
    check_on_bad_row(on_bad_row)
    given_until = as_observed_until(observed_until)
    picked = pick_files(list_members(path, max_bytes=max_bytes))
    return _read(picked, owner, on_bad_row, given_until)


def _read(
    picked: dict[str, list[Member]], owner: str | None, on_bad_row: OnBadRow, given_until: pd.Timestamp | None
) -> Dataset:
    """Read the files, find out who is who, and put the tables together."""
    log = AuditLog()
    with expecting(picked[MESSAGES]):
        rows = read_message_rows(picked[MESSAGES], log, on_bad_row)
    latest = rows["sent_at"].max()
    rows = rows[rows["named"]].reset_index(drop=True)
    contacts = read_connection_rows(picked[CONNECTIONS], log, on_bad_row)
    invited = read_invitation_rows(picked[INVITATIONS], log, on_bad_row)
    people = People()
    learn_connections(contacts, people)
    learn_invitations(invited, people)
    learn_names(rows, people)
    ego, evidence = find_owner(
        owner, rows=rows, people=people, contacts=contacts, invitations=invited, profile=profile_name(picked[PROFILE])
    )
    people.learn_owner(ego)
    connections = join_connections(contacts, people, log)
    invited = drop_repeats(name_invitations(invited, people), log)
    connections = add_invitations(connections, invited, ego)
    sides = read_sides(rows, people)
    days = dict(zip(connections["person_b"], connections["connected_at"], strict=True)) if picked[CONNECTIONS] else None
    kinds = find_kinds(rows, sides, days, people.ambiguous, log)
    messages = assemble(rows, sides, kinds, invited, people, log)
    log_kept(log, CONNECTIONS, len(connections))
    if not picked[CONNECTIONS]:
        log.add(NOTE_STAGE, f"{CONNECTIONS}: not in the export, so no day of connection is known", 1)
    until = max(latest, messages["sent_at"].max()) if given_until is None else given_until
    return deliver(messages, connections, log, observed_until=until, ego=ego, source="linkedin", evidence=evidence)

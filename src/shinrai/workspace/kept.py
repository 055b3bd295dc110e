"""The kept copies of what was brought into a workspace."""

from __future__ import annotations

from pathlib import Path

from shinrai.errors import TamperedError
from shinrai.i18n import _
from shinrai.records import Attestation, Import, Labels, ObservedTable, digest_file


def kept_copy(root: Path, evidence: Attestation | Import | Labels | ObservedTable) -> Path:
    """Give the kept copy of a document, a log or a table, whole and as it was when it was brought in.

    Parameters
    ----------
    root : Path
        Folder of the workspace.
    evidence : Attestation, Import, Labels or ObservedTable
        As the ledger holds it.

    Returns
    -------
    Path

    Raises
    ------
    TamperedError
        If the copy is gone or was changed.
    """
    path = root / evidence.file
    if not path.is_file() or digest_file(path) != evidence.file_digest:
        raise TamperedError(
            "workspace.evidence-changed",
            _("The kept copy {file} of {name} is gone or was changed").format(file=evidence.file, name=evidence.name),
            hint=_("Put the file back from a backup, or bring it in again"),
        )
    return path

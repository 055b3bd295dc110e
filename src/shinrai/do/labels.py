"""Labels that people gave, kept as they came."""

from __future__ import annotations

from shinrai.do.keeping import keep
from shinrai.do.naming import require_role
from shinrai.ledger import Ledger
from shinrai.records import Commitment, EvidenceBrought, Labels, Role
from shinrai.workspace import Workspace


def bring_labels(  # noqa: PLR0913 - one argument for each thing that is kept of labels
    ledger: Ledger,
    workspace: Workspace,
    commitment: Commitment,
    content: bytes,
    *,
    name: str,
    by: Role,
    rows: int,
) -> Labels:
    """Bring in what a person said about replies. Bringing the very same again changes nothing.

    Parameters
    ----------
    ledger : Ledger
        Opened for writing.
    workspace : Workspace
        As loaded.
    commitment : Commitment
        Whose replies they are.
    content : bytes
        A file that `shinrai.check.labels.read_labels` has read.
    name : str
        File name as it came.
    by : Role
        Who labelled.
    rows : int
        How many replies.

    Returns
    -------
    Labels

    Raises
    ------
    UsageError
        If nobody has that role.
    StoreError
        If the copy cannot be kept.
    """
    require_role(by, workspace)
    file, digest = keep(workspace.root, content, name)
    evidence = Labels(
        commitment=commitment.content_digest,
        claim=commitment.claim,
        system=commitment.system,
        by=by,
        name=name,
        file=file,
        file_digest=digest,
        rows=rows,
    )
    if all(known != evidence for _entry, known in ledger.state().evidence):
        ledger.append(EvidenceBrought(evidence=evidence))
    return evidence

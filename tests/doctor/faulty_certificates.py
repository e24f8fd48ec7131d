"""Certificates with a fault: an authority, an intermediate authority, and a site's."""

import datetime as dt
from pathlib import Path

from deploy.self_signed import create_certificate, write_key_pair


def write_certificate(
    folder: Path, *, name: str = "localhost", days: float = 90, since: float = -2, has_intermediate: bool = True
) -> Path:
    """Make the folder and leave fullchain.pem and privkey.pem in it.

    Args:
        folder: does not exist yet.
        name: the site's name.
        days: end of the validity, in days from now.
        since: its beginning, in days from now.
        has_intermediate: whether the chain is complete.

    Returns:
        The authority's file, for --ca.
    """
    folder.mkdir()
    validity = {"valid_from": dt.timedelta(days=since), "valid_until": dt.timedelta(days=days)}
    root = create_certificate("root", is_authority=True)
    intermediate = create_certificate("intermediate", issuer=root, is_authority=True)
    site = create_certificate(name, names=[name], issuer=intermediate, **validity)
    write_key_pair(folder, site, intermediates=[intermediate] if has_intermediate else [])
    (folder / "root.pem").write_bytes(root.certificate_pem)
    return folder / "root.pem"

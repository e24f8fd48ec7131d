"""The causes: one function for each fault. A hop's causes are checked in the order of these imports."""

from deploy.doctor.causes import network, upstream, pages, upgrade_probe, handshake, application, idle  # noqa: I001

__all__ = ["application", "handshake", "idle", "network", "pages", "upgrade_probe", "upstream"]

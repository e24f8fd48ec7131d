"""One function for each thing that goes wrong. The order of imports is the order in which a hop's causes are tried."""

from deploy.doctor.causes import edge, behind, site, upstream, socket, application, life  # noqa: I001  the order decides

__all__ = ["application", "behind", "edge", "life", "site", "socket", "upstream"]

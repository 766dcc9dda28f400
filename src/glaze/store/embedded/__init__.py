"""A private PostgreSQL server in a data folder, shared by every process that holds a lease on it."""

from glaze.store.embedded.lease import Lease, ensure_server

__all__ = ["Lease", "ensure_server"]

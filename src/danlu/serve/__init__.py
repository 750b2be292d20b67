"""Floor 3: the local dashboard, read-only routes over the store."""

from danlu.serve.run import Dashboard, open_dashboard, view

__all__ = ["Dashboard", "open_dashboard", "view"]

"""Know what a container image will weigh and what the next build will redo, before building it."""

from stagewright._native import __version__

__all__ = ["__version__"]

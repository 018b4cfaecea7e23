"""The commands of ``graft``: a module each, over the package's own classes."""

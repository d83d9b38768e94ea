"""Paths in, paths out: the rooms strung together."""

"""Architectures by name (torch)."""

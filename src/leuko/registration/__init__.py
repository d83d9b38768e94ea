"""Bringing one image into the space of another: transforms, methods, how well it went."""

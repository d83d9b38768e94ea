"""Lesions measured, one by one and together."""

"""Tissues, hemispheres and regions."""

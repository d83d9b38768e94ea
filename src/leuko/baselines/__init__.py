"""Segmentation without deep learning: what a network has to beat."""

"""Folders of images and masks as training data."""

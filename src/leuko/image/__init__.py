"""Voxels and where they lie: grids, images, resampling."""

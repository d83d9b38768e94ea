"""What changed between two visits of one person: half-way space, classes, repeatability."""

"""A prepared scan in, class probabilities on its own grid out."""

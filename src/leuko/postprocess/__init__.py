"""From probabilities to a clean mask."""

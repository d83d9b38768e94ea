"""Binary masks: components, distances, morphology."""

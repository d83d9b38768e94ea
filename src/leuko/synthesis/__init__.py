"""From a label map to a head MRI with white matter hyperintensities and known truth."""

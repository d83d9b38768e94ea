"""DICOM series in; segmentations, reports and documents out; deidentification."""

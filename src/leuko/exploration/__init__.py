"""What a data set holds, case by case: geometry, intensities, labels, what is unusual."""

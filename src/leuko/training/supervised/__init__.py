"""Training on images with truth: any data set, any network of the catalogue."""

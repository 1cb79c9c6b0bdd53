"""What a convolution does, shown on pictures; the steps are data, apart from printing."""

"""Studies: a grid of recipes and seeds, trained row by row, that can be stopped and believed."""

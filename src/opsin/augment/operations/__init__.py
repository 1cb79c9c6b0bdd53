"""One operation a file; the file name is the word in a chain."""

"""Grids of recipes with seeds: run them, compare them, and say what they allow to be said."""

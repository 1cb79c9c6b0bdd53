"""Several models made into one: who takes part, how much each counts, and what it gains."""

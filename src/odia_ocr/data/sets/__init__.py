"""Data sets in and out: one value for a labelled line, and one table of formats around it."""

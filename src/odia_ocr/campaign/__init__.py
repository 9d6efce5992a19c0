"""The improvement campaign: run techniques on a set, measure, rank. Nothing is built here yet."""

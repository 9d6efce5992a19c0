"""Emissions become hypotheses."""

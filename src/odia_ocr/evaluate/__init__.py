"""Measuring: error rates with intervals, comparisons, reports."""

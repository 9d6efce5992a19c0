"""Data sets in and out, the held-out rule, rendering of lines and degradation."""

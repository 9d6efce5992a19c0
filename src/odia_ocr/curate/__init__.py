"""Learning from a user's own lines: which to label, rounds of labelling, the worst of a report."""

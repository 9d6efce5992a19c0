"""Candidates become Readings: calibration of confidence."""

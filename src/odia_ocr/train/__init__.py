"""Training: the CTC recognizer, checkpoints, calibration and export."""

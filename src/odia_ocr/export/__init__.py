"""Pages become files."""

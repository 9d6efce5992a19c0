"""Files become page pictures, page pictures become line pictures."""

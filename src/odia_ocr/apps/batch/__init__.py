"""Large collections: read by several processes, resumable, page by page."""

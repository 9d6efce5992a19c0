"""The server: an API that reads documents, and a page on which people review what was read."""

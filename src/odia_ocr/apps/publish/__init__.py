"""A model goes to the model hub: what belongs there, its card, the upload, and a page to try it."""

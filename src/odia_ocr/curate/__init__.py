"""Choosing and importing training data: active learning.

Nothing is built here yet."""

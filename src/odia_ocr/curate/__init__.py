"""Choosing and importing training data: active learning, pseudo-labels. Nothing is built here yet."""

"""Candidates -> Candidates: voting, reranking, ensembles. Nothing is built here yet."""

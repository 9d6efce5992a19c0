"""Candidates -> Candidates: votes, minimum risk, pooling and reranking. Knows no recognizer."""

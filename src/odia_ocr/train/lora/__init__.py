"""Low-rank adapters of a vision-language model: configuration, samples, preflight, the run."""

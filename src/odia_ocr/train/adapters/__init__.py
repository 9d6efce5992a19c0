"""LoRA adapters as files: looked at, grown, averaged, merged into their model, made ready to serve.

All steps but the check of a merged model work on the stored tensors; no model is built.
"""

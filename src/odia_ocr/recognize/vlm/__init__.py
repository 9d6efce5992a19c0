"""Qwen2.5-VL as a recognizer: settings, inputs, model and adapters, decoding, ensembles.

The only modules below `train` that import torch and transformers; reached by name.
"""

"""One module per step of a call. None imports another; `pipeline.py` is their only caller."""

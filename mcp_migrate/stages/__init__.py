"""One module per step of a call. None imports another; `pipeline` is their only caller."""

"""What can be handed to somebody who has neither the ledger nor the server, so that they can check one apply?

``collecting`` (which entries tell of it), ``telling`` (what they say), ``envelope`` (how it is signed), ``making`` (one
file of all this) and ``checking`` (is that file true?).
"""

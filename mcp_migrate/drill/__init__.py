"""Would tampering be found? A copy of the ledger is altered in every way that is known, and verified each time.

``copies`` (what is altered, never the ledger itself), ``forging`` (what a forger makes of the rows), ``alterations``
(the ways), ``running`` (each tried, and what found it).
"""

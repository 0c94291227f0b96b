"""How do people outside come to hold the ledger's head, and is the ledger still what they hold?

``keys`` (what signs a checkpoint), ``keeper`` (which checkpoint is due, and who has it), ``witnesses`` (where they go),
``decisions`` (does each signature on the record hold?), ``audit`` (all of it, held against the ledger).
"""

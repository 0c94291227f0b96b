"""The review pages: what waits for people, what exactly they are asked, and where their signature is taken.

`serving` opens the port, `guard` says which requests are heard at all, `app` which pages there are, `desk` what all of
them know. A page decides nothing: only a signature of an enrolled key does, and `approvals.deciding` checks it.
"""

"""Who calls, by an access token (OAuth 2.1, RFC 6750)? The configuration says whose tokens are believed.

verifying   does a token hold: signed by the issuer (JWT), or known to it (introspection)
keys        the issuer's keys, as they change
claims      whom a token that holds speaks of, and what it stands for
asking      how the issuer is asked, with bounds
"""

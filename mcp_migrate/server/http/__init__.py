"""How is a team served over HTTP? In both protocol eras, without sessions: any replica takes any request.

serving   the socket, and how the process ends
app       which paths there are
guard     which requests are heard at all
body      how much, and how slowly, somebody may send
hops      from where a request came
bearer    whose token, or whose certificate, came with a request
certificate   whom a client certificate names that a proxy verified
xfcc      which certificate Envoy names
health    is this server alive, and may calls be sent to it
"""

"""What stands around a call, beside what people decide, that may refuse it. None of it ever allows more.

scoping          does a scope cover it?
delegation       was it handed on, and is it within that?
separation       does another person have to take this step?  alone: who could do it all?
proving          does what proves the caller's name hold, and is it enough?
launches         who vouches for the caller's name on standard input?
revoking         was what it acts by taken back?
freezing         is the target kept as it is?  signals: what do files and addresses outside say?
stopped_tools    was a tool stopped that asked for more than it had declared?
tempo            how often was it done lately, and does somebody keep trying?  running: what runs right now?
policy           does somebody vouch for the configuration itself?
circumstances    all of it as one value, which `stages/authorise` judges
"""

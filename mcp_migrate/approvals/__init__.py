"""What is known of people's approval: what policy demands, what was asked and decided, what was denied.

`demands` reads the policy, `standing` one request, `denials` and `changes` what may not be asked again, `limits` how
much may be asked at once, `deciding` is how every decision gets on the record.
"""

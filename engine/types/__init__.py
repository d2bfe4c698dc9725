"""The values that cross boundaries: frozen, keyword-only, made of plain Python types.

Seconds and bytes unless a name says otherwise. Probabilities are in [0, 1], strengths γ and
weights θ are dimensionless, utilities are in nats.
"""

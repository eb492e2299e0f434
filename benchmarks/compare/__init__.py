"""Martlet beside its peers: the same data, the same questions, in turn, on one machine."""

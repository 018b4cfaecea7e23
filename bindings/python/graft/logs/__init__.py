"""Callbacks of a trainer that write down how a training goes."""

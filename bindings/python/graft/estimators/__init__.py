"""Estimators as scikit-learn's: what they are told when they are made is kept as it is, and what
they learn is kept under names that end in an underscore.

They need no scikit-learn; where a program has it, its functions take them as its own.
"""

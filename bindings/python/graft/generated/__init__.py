"""Measures of texts that a model wrote, beside those that people wrote."""

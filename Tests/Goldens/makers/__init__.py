"""The makers of the golden files: one module per folder of goldens."""

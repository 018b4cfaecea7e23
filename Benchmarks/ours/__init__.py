"""Graft in the benchmarks, through its Python binding."""

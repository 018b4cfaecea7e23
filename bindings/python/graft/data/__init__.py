"""Data before it is tokens: files and tables of texts, their splits, and what to know of them."""

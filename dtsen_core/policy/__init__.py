"""What the ranking is used for: poverty and inequality measures, coverage, summaries."""

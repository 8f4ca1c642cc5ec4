"""What is known about the quality of a dataset: reading, matching, disagreement, completeness, freshness, coverage."""

"""Runs the whole chain once, aside, and swaps the finished dataset in."""

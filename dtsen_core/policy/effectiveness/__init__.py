"""Effectiveness of a programme on one dataset: who is reached, who benefits, what it changes."""

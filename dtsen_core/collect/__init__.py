"""Readers for each source as really delivered, and the simulated population behind the demonstration."""

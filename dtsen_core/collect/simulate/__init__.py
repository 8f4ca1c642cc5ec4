"""The calibrated population, survey, programmes and source registers of the demonstration dataset."""

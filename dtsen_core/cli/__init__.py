"""The command line of the data holder."""

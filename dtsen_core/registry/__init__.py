"""The contract: one field dictionary from which DDL, validation, labels and docs derive; datasets on disk."""

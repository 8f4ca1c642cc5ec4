"""The contract: one field dictionary from which DDL, validation, labels and documentation are derived; datasets on disk."""

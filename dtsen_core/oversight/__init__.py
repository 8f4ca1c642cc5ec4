"""The one exit for numbers about people: disclosure control."""

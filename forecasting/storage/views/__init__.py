"""Reading what is stored, by subject."""

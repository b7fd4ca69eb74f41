"""Charts and pages for people; nothing here reads a database or trains a network."""

"""What people look at: charts, pages, words; nothing here reads a database or trains a network."""

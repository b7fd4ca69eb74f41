"""What people look at: charts from arrays; nothing here reads a database or trains a network."""

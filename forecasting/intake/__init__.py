"""How observations come in: files and databases are read, rows are judged, a load is stored."""

"""SQLAlchemy lives here and nowhere else: the tables and every statement that reads or writes them."""

"""What a recipe is and does: its networks are trained, stored as plain numbers, and forecast."""

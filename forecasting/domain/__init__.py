"""Values and rules: what a month, a panel, a recipe and a decision are. Nothing here reads or writes."""

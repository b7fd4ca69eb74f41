"""Work on runs from outside: they are judged, verified, shown and corrected."""

"""Numbers: agreement, trends and the split of a gain -> tables, figures, report."""

"""Speed, as ratios within one run: A B A B, medians."""

"""What is remembered from one run to the next: what is done, by what, and by whom."""

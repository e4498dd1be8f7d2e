"""The lines that may be typed: one module for each subcommand, with its options."""

"""The proof: commands that hide, ways to end them, and a count of what is left."""

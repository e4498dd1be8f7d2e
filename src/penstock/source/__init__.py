"""Where the values of jobs come from: read as they are needed, and not before."""

"""Definition text to jobs: pure, opens nothing and starts nothing."""

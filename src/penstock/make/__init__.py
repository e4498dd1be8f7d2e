"""GNU make: its recipes, its jobserver, its flags. Runs nothing."""

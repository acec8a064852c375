"""The model that ships with the program: it finds and quotes; it cannot reason."""

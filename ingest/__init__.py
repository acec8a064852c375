"""Files in, documents out: readers, blocks with anchors, passages. Knows no models."""

"""What several tests of readers begin with."""

import pymupdf
import pytest


@pytest.fixture
def pdf() -> "pymupdf.Document":
    """A PDF without pages."""
    return pymupdf.open()

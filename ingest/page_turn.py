"""Text that does not run from left to right: boxes turned into the frame in which it does, and back.

A turn is how many degrees clockwise a page has to be turned until its text is upright: 0, 90, 180 or 270.
"""

from unabridged.ingest.document import Box

TURNS = (0, 90, 180, 270)
OBLIQUE = 45  # stamps and watermarks: no turn by a right angle sets them upright


def turn_of(dx: float, dy: float) -> int:
    """The turn for text that is written in the direction (dx, dy), y pointing down; OBLIQUE for what runs across."""
    if max(abs(dx), abs(dy)) < 0.9:
        return OBLIQUE
    if abs(dx) >= abs(dy):
        return 0 if dx > 0 else 180
    return 90 if dy < 0 else 270


def turned(box: Box, turn: int, width: float, height: float) -> Box:
    """Where a box of a page of this size lies when the page is turned clockwise."""
    match turn:
        case 90:
            return Box(height - box.y1, box.x0, height - box.y0, box.x1)
        case 180:
            return Box(width - box.x1, height - box.y1, width - box.x0, height - box.y0)
        case 270:
            return Box(box.y0, width - box.x1, box.y1, width - box.x0)
    return box


def turned_back(box: Box, turn: int, width: float, height: float) -> Box:
    """The inverse; `width` and `height` are still those of the page as it is shown."""
    if turn in (90, 270):
        width, height = height, width
    return turned(box, (360 - turn) % 360, width, height)

"""Scans that lie on their side or upside down: a page in doubt is looked at turned, and read the way it says most.

Works with any recogniser. Boxes come back on the page as it lies, each run with the turn that sets it upright.
"""

from dataclasses import replace

import numpy as np
from unabridged.ingest.ocr import POINTS_PER_PIXEL, Picture, Recognised, Recogniser
from unabridged.ingest.page_turn import turned_back

_SURE = 0.9  # confidence from which an upright page is not looked at again
_HOPELESS = 0.6  # below it every turn is tried
_BETTER = 1.1  # times as much has to be made out on the turned page
_LONG = 3  # code points from which a box taller than wide is a line on its side
_TALL = 1.5


def upright(recogniser: Recogniser) -> Recogniser:
    """The same recogniser, for pages that lie any way."""
    return Recogniser(recogniser.name, lambda picture: _read(recogniser, picture))


def _read(recogniser: Recogniser, picture: Picture) -> Recognised:
    first = recogniser.read(picture)
    if not first.runs:
        return first
    if _is_sideways(first):
        # Recognisers set single lines on their side upright: much is made out as it lies, but the lines are in no order.
        found = max((_turned(recogniser, picture, turn) for turn in (90, 270)), key=lambda read: read.weight)
        return found if found.weight * _BETTER > first.weight else first
    if first.confidence >= _SURE:
        return first
    best = max(first, _turned(recogniser, picture, 180), key=lambda read: read.weight)
    if best.confidence < _HOPELESS:
        best = max(best, *(_turned(recogniser, picture, turn) for turn in (90, 270)), key=lambda read: read.weight)
    return best if best.weight > _BETTER * first.weight else first


def _turned(recogniser: Recogniser, picture: Picture, turn: int) -> Recognised:
    """What is made out on the picture turned clockwise by so many degrees, placed on the picture as it lies."""
    read = recogniser.read(np.ascontiguousarray(np.rot90(picture, -(turn // 90))))
    height, width = picture.shape[0] * POINTS_PER_PIXEL, picture.shape[1] * POINTS_PER_PIXEL
    runs = (replace(run, box=turned_back(run.box, turn, width, height), turn=turn) for run in read.runs)
    return Recognised(tuple(runs), read.confidence)


def _is_sideways(read: Recognised) -> bool:
    tall = sum(len(r.text) for r in read.runs if len(r.text) >= _LONG and r.height > _TALL * (r.box.x1 - r.box.x0))
    return tall > 0.5 * sum(len(run.text) for run in read.runs)

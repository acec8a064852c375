"""How a passage is named in running text: [12], [3, 4], 【7】. The one pattern for all who write, read or disarm such marks."""

import re

MARKER = re.compile(r"[\[【]\s*(\d{1,7}(?:\s*[,，、;]\s*\[?\d{1,7})*)\s*[\]】]")

"""llama.cpp as a library: started once per process, its log kept and never printed. Knows no models.

`llama_*.py` are the only files that import llama_cpp. What would make llama.cpp abort the process is checked there first.
"""

import ctypes
import re
from collections import deque

from llama_cpp import llama_cpp as lib

LIBRARY_VERSION = "0.3.36"
REPORT = "Report this as a bug."

log: deque[str] = deque(maxlen=4000)  # what llama.cpp said last; it never prints document text

_errors: deque[str] = deque(maxlen=40)
_DEBUG, _ERROR = 1, 4  # GGML_LOG_LEVEL_…


@lib.llama_log_callback  # type: ignore[untyped-decorator]
def _keep_log(level: int, text: bytes, user_data: object) -> None:
    del user_data
    if level == _DEBUG:  # a line for every tensor
        return
    if level == _ERROR and text.strip():
        _errors.append(text.decode("utf-8", "replace").strip().rstrip("."))
    log.append(text.decode("utf-8", "replace").rstrip("\n"))


def complaint() -> str:
    """The first error since the log was cleared: the later ones only repeat that something failed."""
    return _errors[0] if _errors else "llama.cpp gave no reason"


def forget_log() -> None:
    log.clear()
    _errors.clear()


def start_backend() -> None:
    """Once per process, before any model."""
    lib.llama_log_set(_keep_log, ctypes.c_void_p(0))
    lib.llama_backend_init()


def gpu_is_usable() -> bool:
    return bool(lib.llama_supports_gpu_offload())


def device_name() -> str:
    """What the model that was loaded last runs on."""
    found = [match[1] for line in log if (match := re.search(r"using device \S+ \((.+?)\)", line))]
    return found[-1] if found else "GPU"

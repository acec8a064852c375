"""llama.cpp as a library: started once per process, its log kept and never printed. Knows no models.

`llama_*.py` are the only files that import llama_cpp. What would make llama.cpp abort the process is checked there first.
"""

import ctypes
import os
from collections import deque
from dataclasses import dataclass

from llama_cpp import llama_cpp as lib
from llama_cpp._ggml import libggml

LIBRARY_VERSION = "0.3.36"
REPORT = "Report this as a bug."

log: deque[str] = deque(maxlen=4000)  # what llama.cpp said last; it never prints document text

_errors: deque[str] = deque(maxlen=40)
_DEBUG, _ERROR = 1, 4  # GGML_LOG_LEVEL_…
_KEPT_BY_GPU = 512 << 20  # the driver's and llama.cpp's own small buffers
_GPU = 1  # GGML_BACKEND_DEVICE_TYPE_GPU


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


def usable_cores() -> int:
    """Cores that this process may use, which in a container are fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Gpu:
    """One device that llama.cpp can put layers on, and its memory at this moment."""

    name: str
    free_bytes: int
    total_bytes: int


def gpus() -> list[Gpu]:
    """Empty where llama.cpp was built for the CPU alone, or finds no card. ggml's own functions: the binding has none."""
    handle, size = ctypes.c_void_p, ctypes.c_size_t
    libggml.ggml_backend_dev_count.restype = size
    libggml.ggml_backend_dev_get.restype, libggml.ggml_backend_dev_get.argtypes = handle, [size]
    for name, result in (("type", ctypes.c_int), ("description", ctypes.c_char_p)):
        function = getattr(libggml, f"ggml_backend_dev_{name}")
        function.restype, function.argtypes = result, [handle]
    libggml.ggml_backend_dev_memory.argtypes = [handle, ctypes.POINTER(size), ctypes.POINTER(size)]
    libggml.ggml_backend_dev_memory.restype = None
    found = []
    for index in range(libggml.ggml_backend_dev_count()):
        device = libggml.ggml_backend_dev_get(index)
        if libggml.ggml_backend_dev_type(device) == _GPU:
            free, total = size(), size()
            libggml.ggml_backend_dev_memory(device, ctypes.byref(free), ctypes.byref(total))
            name = libggml.ggml_backend_dev_description(device).decode("utf-8", "replace")
            found.append(Gpu(name, free.value, total.value))
    return found


def gpu_free_bytes() -> int:
    """Of all cards together, less what each keeps for itself."""
    return sum(max(0, gpu.free_bytes - _KEPT_BY_GPU) for gpu in gpus())


def host_buffers() -> int:
    """The buffer type of plain host memory, for tensors that are kept off the GPU."""
    libggml.ggml_backend_cpu_buffer_type.restype = ctypes.c_void_p
    return int(libggml.ggml_backend_cpu_buffer_type())

"""Windows longer than a model was trained for: which ways a file allows, and the smallest factor that is enough.

Linear scaling squeezes all positions (S. Chen 2023); YaRN only the slow dimensions, and sharpens attention (B. Peng 2023);
LongRoPE files bring factors of their own for long windows (Y. Ding 2024). All change every key in the cache, so they are part
of the fingerprint, and all cost some accuracy, more with a larger factor.
"""

from dataclasses import dataclass

from unabridged.errors import UsageError
from unabridged.models.gguf_header import GgufHeader

LARGEST_FACTOR = 8.0
SMALLEST_STEP = 256  # llama.cpp rounds windows up to a multiple of it
_STEP = 4  # factors are quarters, so that a slightly longer document does not change all keys


@dataclass(frozen=True, slots=True)
class Rope:
    """How positions are stretched `factor` times beyond the trained window; factor 0: as the file says."""

    scaling: str = ""
    factor: float = 0.0
    original_window: int = 0


AS_TRAINED = Rope()


@dataclass(frozen=True, slots=True)
class Extension:
    """`window`: tokens that may be used; `least`: tokens that must be opened, or the file would use its short factors."""

    rope: Rope
    window: int
    least: int = 0


def factor_for(tokens: int, trained: int) -> float:
    """The smallest quarter that is enough."""
    return max(1.0, -(-tokens * _STEP // trained) / _STEP)


def extension(header: GgufHeader, *, scaling: str, factor: float, window: int = 0) -> Extension:
    """For a `window` of so many tokens, 0 if that is not known yet. Raises UsageError for a way that the file does not allow.

    A LongRoPE file has two sets of factors, for windows up to the original one and for longer ones. A reading that was begun
    with one cannot go on with the other, so it is the long ones unless a window that is short enough was asked for.
    """
    trained = int(header.value("context_length", 0))
    long_factors = any(tensor.name.startswith("rope_factors_long") for tensor in header.tensors)
    original = int(header.value("rope.scaling.original_context_length", 0)) or trained
    if scaling == "longrope" and (not long_factors or factor):
        raise UsageError("This model has no LongRoPE factors of that kind.", hint="Choose yarn or linear, with a factor.")
    if scaling == "longrope" or (long_factors and not scaling and not factor):
        if original >= trained or (0 < window <= original and not scaling):
            return Extension(AS_TRAINED, min(trained, original))
        return Extension(Rope("longrope"), trained, least=min(original + SMALLEST_STEP, trained))
    if not scaling and not factor:
        return Extension(AS_TRAINED, trained)
    if scaling not in ("linear", "yarn") or not 1 < factor <= LARGEST_FACTOR:
        raise UsageError(
            f"A window cannot be extended {factor:g} times by {scaling or 'nothing'!r}.",
            hint=f"Choose yarn or linear, and a factor above 1 and up to {LARGEST_FACTOR:g}.",
        )
    if not can_stretch(header):
        raise UsageError("This model's positions cannot be stretched.", hint="Choose a model with a longer window.")
    return Extension(Rope(scaling, factor, original), int(trained * factor))


def can_stretch(header: GgufHeader) -> bool:
    """Plain rotary positions, not scaled by the file already."""
    scaled = header.value("rope.scaling.type", "none") not in ("none", "")
    return bool(header.value("rope.freq_base")) and not scaled and not any("rope_factors" in t.name for t in header.tensors)

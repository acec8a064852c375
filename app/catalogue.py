"""The models that can answer: the starter that ships with the program, and GGUF files on this machine. Loads none of them."""

from dataclasses import dataclass, replace
from pathlib import Path

from unabridged.errors import ModelFileError, UsageError
from unabridged.models.starter import starter_path
from unabridged.settings import Settings

STARTER = "starter"
GGUF_MAGIC = b"GGUF"  # https://github.com/ggml-org/ggml/blob/master/docs/gguf.md


@dataclass(frozen=True, slots=True)
class Model:
    """`missing` when a file that was used before is gone."""

    name: str
    path: Path
    size_bytes: int
    used: bool

    @property
    def missing(self) -> bool:
        return self.size_bytes == 0


def models(settings: Settings) -> list[Model]:
    paths = [(STARTER, starter_path()), *((Path(path).name, Path(path)) for path in settings.local_models)]
    used = model_path(settings)
    return [Model(name, path, path.stat().st_size if path.is_file() else 0, path == used) for name, path in paths]


def model_path(settings: Settings) -> Path:
    """The file of the chosen model."""
    return _path_of(settings, settings.model)


def use(settings: Settings, words: str) -> Settings:
    """The settings with another model, given as a listed name or the path of a GGUF. Raises ModelFileError if it is none."""
    path = _path_of(settings, words)
    check(path)
    if words == STARTER:
        return replace(settings, model=STARTER)
    kept = str(path)
    others = tuple(other for other in settings.local_models if other != kept)
    return replace(settings, model=kept, local_models=(kept, *others))


def check(path: Path) -> None:
    """A readable file that begins as a GGUF does; the engine looks at the rest when it loads it."""
    try:
        with path.open("rb") as file:
            magic = file.read(len(GGUF_MAGIC))
    except OSError as error:
        raise ModelFileError(f"The model file {path} cannot be opened: {error.strerror}.", hint="Check the path.") from error
    if magic != GGUF_MAGIC:
        raise ModelFileError(f"{path} is not a GGUF file.", hint="Unabridged runs models in llama.cpp's GGUF format.")


def _path_of(settings: Settings, words: str) -> Path:
    if not words.strip():
        raise UsageError("The name of the model is empty.", hint="See unabridged models list.")
    if words == STARTER:
        return starter_path()
    for path in settings.local_models:
        if words in (path, Path(path).name):
            return Path(path)
    return Path(words).expanduser().absolute()

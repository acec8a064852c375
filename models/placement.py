"""Which part of a model lies in which memory: weights and KV cache by layer, on GPUs and host. Arithmetic, no llama.cpp.

llama.cpp puts the output layer on a GPU first, then the layers from the last to the first; the embeddings of the input stay
with the host. The cache of a layer lies where the layer does. The expert matrices of a mixture can be held back on the host,
which costs less speed than whole layers do, because few experts are used for a token. Several GPUs share the layers in
proportion to their free memory, so they are counted as one that keeps a graph and a mask of its own on each.
"""

from dataclasses import dataclass

from unabridged.models.footprint import Footprint
from unabridged.models.gguf_header import GgufHeader
from unabridged.models.kv_size import kv_bytes_by_layer, kv_rows

WINDOW_TO_HOLD = 65_536  # tokens that the layers on a GPU leave room for, where no window is asked for
EXPERTS = "_exps."  # in the names of the expert matrices of a layer


@dataclass(frozen=True, slots=True)
class Share:
    """Bytes of one memory: weights, scratch (graph, logits), recurrent state, and what each token of the window adds."""

    weights_bytes: int
    scratch_bytes: int
    state_bytes: int
    kv_bytes_per_token: int
    scratch_bytes_per_token: int

    @property
    def bytes_per_token(self) -> int:
        return self.kv_bytes_per_token + self.scratch_bytes_per_token

    @property
    def cache_bytes(self) -> int:
        """Without the weights, of a window of no tokens."""
        return self.scratch_bytes + self.state_bytes

    def total_bytes(self, window: int) -> int:
        return self.weights_bytes + self.cache_bytes + window * self.bytes_per_token

    def largest_window(self, free_bytes: int) -> int:
        return max(0, free_bytes - self.total_bytes(0)) // max(self.bytes_per_token, 1)


NOTHING = Share(0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Placement:
    """`gpu_layers` counts the output layer, as llama.cpp does; without a GPU it is 0 and `gpu` is empty."""

    gpu_layers: int
    experts_on_host: bool
    host: Share
    gpu: Share

    def largest_window(self, *, host_bytes: int, gpu_bytes: int) -> int:
        """Tokens for which both memories suffice."""
        on_host = self.host.largest_window(host_bytes)
        return min(on_host, self.gpu.largest_window(gpu_bytes)) if self.gpu_layers else on_host


def place(
    header: GgufHeader, footprint: Footprint, *, gpu_layers: int, experts_on_host: bool = False, gpus: int = 1
) -> Placement:
    """What lies where with that many layers on the GPUs."""
    layers = int(header.value("block_count", 0))
    first = layers + 1 - min(gpu_layers, layers + 1)  # this layer and all after it
    gpu_weights = 0
    output = _sizes(header, "output.") or _sizes(header, "token_embd.")  # tied: llama.cpp makes a second copy
    for tensor in header.tensors:
        layer = _layer_of(tensor.name)
        if layer is not None and layer >= first and not (experts_on_host and EXPERTS in tensor.name):
            gpu_weights += tensor.size_bytes
    kv = kv_bytes_by_layer(header, footprint.kv_type)
    rows = kv_rows(header)
    on_gpu = gpu_layers > 0
    all_there = on_gpu and first == 0 and not experts_on_host
    # More than two tokens at once are evaluated on K and V in f16, so a quantised cache of one layer is unpacked beside it.
    unpacked = max((2 * sum(row) for row in rows), default=0) if on_gpu and footprint.kv_type not in ("f16", "f32") else 0
    total = footprint.weights_bytes
    gpu_kv = sum(kv[first:])
    return Placement(
        gpu_layers=gpu_layers,
        experts_on_host=experts_on_host,
        host=Share(
            weights_bytes=total - gpu_weights - (_sizes(header, "output.") if on_gpu else 0),
            scratch_bytes=0 if all_there else footprint.scratch_bytes,
            state_bytes=0 if on_gpu else footprint.state_bytes,
            kv_bytes_per_token=footprint.kv_bytes_per_token - gpu_kv,
            scratch_bytes_per_token=footprint.scratch_bytes_per_token if not all_there else 0,
        ),
        gpu=Share(
            weights_bytes=gpu_weights + output,
            scratch_bytes=gpus * footprint.scratch_bytes,
            state_bytes=footprint.state_bytes,
            kv_bytes_per_token=gpu_kv,
            scratch_bytes_per_token=gpus * (footprint.scratch_bytes_per_token + unpacked),
        )
        if on_gpu
        else NOTHING,
    )


def best_placement(
    header: GgufHeader, footprint: Footprint, *, window: int, host_bytes: int, gpu_bytes: int, gpus: int
) -> Placement:
    """The fastest one that holds `window` tokens; the one on the host alone where none does.

    In order: everything on the GPU; a mixture's experts on the host; then as many layers as fit.
    """
    layers = int(header.value("block_count", 0)) + 1
    if gpus:
        mixture = any(EXPERTS in tensor.name for tensor in header.tensors)
        for count in range(layers, 0, -1):
            for experts_on_host in (False, True) if mixture else (False,):
                found = place(header, footprint, gpu_layers=count, experts_on_host=experts_on_host, gpus=gpus)
                if found.largest_window(host_bytes=host_bytes, gpu_bytes=gpu_bytes) >= window:
                    return found
    return place(header, footprint, gpu_layers=0)


def kv_types(wanted: str, *, has_card: bool) -> tuple[str, ...]:
    """What "auto" stands for: the first one with which layers are on a card, else the last one."""
    if wanted != "auto":
        return (wanted,)
    return ("q8_0", "f16") if has_card else ("f16",)


def _layer_of(name: str) -> int | None:
    number = name.split(".")[1] if name.startswith("blk.") else ""
    return int(number) if number.isdigit() else None


def _sizes(header: GgufHeader, prefix: str) -> int:
    return sum(tensor.size_bytes for tensor in header.tensors if tensor.name.startswith(prefix))

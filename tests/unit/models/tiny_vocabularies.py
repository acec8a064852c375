"""Vocabularies without weights, made so that every mistake in cutting text shows in the tokens."""

import itertools
import re
from pathlib import Path

import gguf

from tests.unit.models.tiny_models import WORDS_FROM, vocabulary

SCRIPTS = (
    "aZbé ÉñçЖжΑα中文国。，、「」・゠゛ーかカ한국ㄱ①②²½ⅷ٣१019  \n\n\r\t\u3000\u2003\u00a0\u0085'’sTlLſ!?.,;:-_/\\()[]{}$+<=>^~"
    "|`\"#%&*@€£°©→∑🏳️😀\u200b\u200d\ufeff\u0301\u0323नमस्तेสวัשלוםمر،؟۔।…“”ǅʼª\u0e33\x00\x1c\x7f\x0b\u3040\ufffd\ue000ꙮᏣაＡ１！ﷺ𐐀𝟘𠀀"
)


def write_pairs(path: Path, pre_tokenizer: str) -> Path:
    """Byte-level BPE that joins any two bytes of `SCRIPTS`, so that a word cut elsewhere is joined otherwise."""
    spelling = vocabulary(0)[0]
    bytes_there = sorted(set(SCRIPTS.encode()))
    pairs = list(itertools.product((spelling[byte] for byte in bytes_there), repeat=2))
    writer = _writer(path, "gpt2", [*spelling, *(left + right for left, right in pairs)])
    writer.add_tokenizer_pre(pre_tokenizer)
    writer.add_token_merges([f"{left} {right}" for left, right in pairs])
    writer.add_token_types([gguf.TokenType.NORMAL] * (len(spelling) + len(pairs)))
    return _written(writer, path)


def write_sentencepiece(
    path: Path, *, space_prefix: bool = True, model: str = "llama", user_defined: tuple[str, ...] = ("<think>", "\n\n")
) -> Path:
    """SentencePiece's BPE: all pieces of up to six characters of a page of text, the longer the better. Or as "gemma4"."""
    words = re.findall(r"▁*[^▁]+", WORDS_FROM.replace(" ", "▁"))
    parts = {word[i:j] for word in words for i in range(len(word)) for j in range(i + 1, min(i + 6, len(word)) + 1)}
    parts |= {"▁▁", "▁▁▁", "▁▁▁▁", "e▁", "e▁t", "。第", "\n\n\n"}
    normal = sorted(parts - set(user_defined), key=lambda part: (-len(part), part))
    tokens = ["<unk>", "<s>", "</s>", *user_defined, *(f"<0x{byte:02X}>" for byte in range(256)), *normal]
    kind = gguf.TokenType
    types = [kind.UNKNOWN, kind.CONTROL, kind.CONTROL, *[kind.USER_DEFINED] * len(user_defined), *[kind.BYTE] * 256]
    writer = _writer(path, model, tokens)
    if model == "gemma4":
        writer.add_token_merges([f"{part[:-1]} {part[-1]}" for part in normal if len(part) > 1])
    writer.add_token_types(types + [kind.NORMAL] * len(normal))
    writer.add_token_scores([0.0] * len(types) + [-float(rank) for rank in range(len(normal))])
    writer.add_add_space_prefix(space_prefix)
    return _written(writer, path)


def _writer(path: Path, model: str, tokens: list[str]) -> gguf.GGUFWriter:
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(128)
    writer.add_embedding_length(32)
    writer.add_block_count(1)
    writer.add_feed_forward_length(32)
    writer.add_head_count(1)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model(model)
    writer.add_token_list(tokens)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    return writer


def _written(writer: gguf.GGUFWriter, path: Path) -> Path:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path

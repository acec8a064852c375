"""How byte-level BPE vocabularies cut text into words before merging, by the name in `tokenizer.ggml.pre`.

The ids must be llama.cpp's, so the patterns say what llama.cpp does (src/llama-vocab.cpp), not what the original
tokenizer.json says where the two differ: it does not tell upper from lower case beyond ASCII, and it cuts in several passes,
each within the pieces of the one before. Here several passes are one expression: what a later pass would cut again is
taken apart at once, and white space looks ahead to where the piece would have ended. What no pass matches is a piece too,
because tiktoken would drop it. A wrong pattern costs speed, never correctness: `tokenizer.py` compares at load.

Not here, so llama.cpp's own tokenizer is used: pieces that are right-aligned groups of digits (tiny_aya, cohere2moe, afmoe,
superbpe), whole lines of raw UTF-8 (gemma4, sarvam-moe, whitespace), kimi-k2, youtu, chameleon, and encoders.
"""

_CONTRACTION = "(?:'(?:[sStTmMdD]|[rR][eE]|[vV][eE]|[lL][lL]))"
_LINES = r"\s*[\r\n]+"
_BLANKS = r"\s+(?!\S)|\s+"
_TAIL = rf"{_LINES}|{_BLANKS}"
_UPPER, _LOWER = r"[\p{L}--[a-z]]", r"[\p{L}--[A-Z]]"


def _words(digits: str) -> str:
    return rf"{_CONTRACTION}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|{digits}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|{_TAIL}"


def _cased(digits: str, *, contraction: str = "") -> str:
    return (
        rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}*{_LOWER}+{contraction}|[^\r\n\p{{L}}\p{{N}}]?{_UPPER}+{_LOWER}*{contraction}"
        rf"|{digits}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{_TAIL}"
    )


_GPT2 = rf"'s|'t|'re|'ve|'m|'ll|'d| ?\p{{L}}+| ?\p{{N}}+| ?[^\s\p{{L}}\p{{N}}]+|{_BLANKS}"
_GPT2_SINGLE_DIGITS = rf"\p{{N}}|'s|'t|'re|'ve|'m|'ll|'d| ?\p{{L}}+| ?[^\s\p{{L}}\p{{N}}]+|\s+(?=\p{{N}})|{_BLANKS}"
_LLAMA3 = _words(r"\p{N}{1,3}")
_QWEN2 = _words(r"\p{N}")
_QWEN35 = (
    rf"{_CONTRACTION}|[^\r\n\p{{L}}\p{{N}}]?[\p{{L}}\p{{M}}]+|\p{{N}}| ?[^\s\p{{L}}\p{{M}}\p{{N}}]+[\r\n]*|{_TAIL}"
)
_MINICPM5 = (
    rf"{_CONTRACTION}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*"
    rf"|{_LINES}|\s+(?=\p{{N}})|{_BLANKS}"
)
_LAGUNA = (
    rf"{_CONTRACTION}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}| ?[^\s\p{{L}}\p{{N}}]+\r*"
    r"|\n+|[\s--\n]*\r+|[\s--\n]+(?!\S)|[\s--\n]+"
)
_JAIS2 = (
    _words(r"\p{N}{1,3}").removesuffix(_BLANKS)
    + "|".join(rf"\s{{{count}}}(?!\S)" for count in ("512", "256", "128", "64", "32", "16", "8", "4", "1,2"))
    + r"|\s"
)

# Digits first, then runs of kana and ideographs, then words: the kana that are signs (・ ゠ ゛) fall apart in the last pass.
_KANA = r"[一-龥\u3040-ゟ゠-ヿ]"
_LETTERS, _SIGNS = r"[\p{L}\p{M}]", r"[\p{P}\p{S}]"
_NEITHER = r"[^\p{L}\p{M}\p{P}\p{S}\p{N}\s]"
_DEEPSEEK3_HEAD = (
    rf"[{_KANA}&&{_NEITHER}]?[{_KANA}&&{_LETTERS}]+|[{_KANA}&&{_SIGNS}]+|[{_KANA}&&{_NEITHER}]+(?![{_KANA}&&{_LETTERS}])"
    rf"|[!-/:-@\[-`{{-~][A-Za-z]+|[[^\r\n\p{{L}}\p{{P}}\p{{S}}\p{{N}}]--{_KANA}]?[{_LETTERS}--{_KANA}]+"
)
_DEEPSEEK3_END = rf"\s+(?=[\p{{N}}{_KANA}])|{_BLANKS}|[{_NEITHER}--{_KANA}]+(?![{_LETTERS}--{_KANA}])|(?s:.)"
_DEEPSEEK3_SIGNS = rf" ?[{_SIGNS}--{_KANA}]+"
_DEEPSEEK3 = rf"\p{{N}}{{1,3}}|{_DEEPSEEK3_HEAD}|{_DEEPSEEK3_SIGNS}[\r\n]*|{_LINES}|{_DEEPSEEK3_END}"
_SPARK = rf"\p{{N}}|{_DEEPSEEK3_HEAD}|{_DEEPSEEK3_SIGNS}|[\r\n]|{_DEEPSEEK3_END}"

# Signs first, then words, then digits in threes from the left.
_FALCON = (
    r"[\p{P}$+<=>^~|`]+|[0-9]{3}| ?(?:(?![0-9]{3})\p{N})+| (?=[0-9]{3})| ?\p{L}+"
    r"| ?[^\s\p{L}\p{N}\p{P}$+<=>^~|`]+|\s+(?=[\p{P}$+<=>^~|`])|" + _BLANKS
)
_DEFAULT = (
    r"[\p{P}$+<=>^~|]+|[0-9]{3}|(?:(?![0-9]{3})\p{N})+| (?=\p{N})| ?\p{L}+"
    r"| ?[^\s\p{L}\p{N}\p{P}$+<=>^~|]+|\s+(?=[\p{P}$+<=>^~|])|" + _BLANKS
)

_BLOOM_SIGNS = r"(\s|.,!?…。，、।۔،)"
_BLOOM = rf" ?[^{_BLOOM_SIGNS}]+|(?:[[{_BLOOM_SIGNS}]--[ ]]| (?![^{_BLOOM_SIGNS}]))+"
_VIKING = rf"\p{{N}}| ?[^{_BLOOM_SIGNS}\p{{N}}]+| (?=\p{{N}})|(?:[[{_BLOOM_SIGNS}]--[ ]]| (?![^{_BLOOM_SIGNS}]))+"

# Asian scripts are cut out of the words and signs that the passes before have found.
_ASIAN = "一-龥\u0800-一가-\ud7ff"
_BLANK = r"[\s--[\r\n]]"
_LETTER, _SIGN = r"\p{L}", r"\p{P}"


def _led(letters: str) -> str:
    """Runs of these, with the blank before them, cut where Asian scripts begin and end."""
    asian, other = rf"[[{letters}&&[{_ASIAN}]]--\s]", rf"[{letters}--[{_ASIAN}]]"
    return rf"{_BLANK}?{other}+|{_BLANK}(?={asian})|{asian}+"


_CODER_REST = r"[^\p{L}\p{P}\p{N}\r\n]"
_DEEPSEEK_CODER = (
    rf"[\r\n]|\p{{N}}|{_led(_LETTER)}|{_led(_SIGN)}"
    rf"|[[{_CODER_REST}&&[{_ASIAN}]]--\s]+|(?:[[{_CODER_REST}--[{_ASIAN}]]--\s]|{_BLANK}(?![\p{{L}}\p{{P}}]))+"
)

# Cased letters, then signs (which are ASCII letters too, so that "café" falls apart), blanks at the end of a piece, Asian
# scripts, digits. White space is none of these, whatever ranges it lies in.
_CASED = (
    "A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-ΊΌΎ-ΡΣ-ϵϷ-ҁҊ-ԯԱ-ՖႠ-ჅᎠ-Ᏽᏸ-ᏽᲐ-ᲺᲽ-Ჿᴀ-ᴫᵫ-ᵷᵹ-ᶚḀ-ἕἘ-Ἕἠ-ὅ"
    "Ὀ-Ὅὐ-ὗὙὛὝὟ-\u1f7dᾀ-ᾴᾶ-ᾼ\u1fbeῂ-ῄῆ-ῌῐ-\u1fd3ῖ-\u1fdbῠ-Ῥῲ-ῴῶ-ῼℂℇℊ-ℓℕℙ-ℝℤ\u2126ℨ\u212a-ℭℯ-ℴ"
    "ℹℼ-ℿⅅ-ⅉⅎↃↄⰀ-ⱻⱾ-ⳤⳫ-ⳮⳲⳳꙀ-ꙭꚀ-ꚛꜢ-ꝯꝱ-ꞇꞋ-ꞎꭰ-ꮿﬀ-ﬆﬓ-ﬗＡ-Ｚａ-ｚ𐐀-𐑏𐒰-𐓓𐓘-𐓻𐲀-𐲲𐳀-𐳲𑢠-𑣟𞤀-𞥃"
)
_WIDE_SIGNS = r"[!-/:-~！-／：-～‘-‟　-。--\s]"
_FREE = rf"[^\s{_CASED}!-/:-~！-／：-～‘-‟　-。]"
_TAKEN = rf"[{_CASED}{_WIDE_SIGNS}]"

_DEEPSEEK_LLM = (
    rf"[\r\n]|{_led(f'[[{_CASED}]--{_WIDE_SIGNS}]')}|{_led(f'[[{_CASED}]&&{_WIDE_SIGNS}]')}|{_led(f'[{_WIDE_SIGNS}--[{_CASED}]]')}"
    rf"|[[\p{{N}}&&{_FREE}]--[{_ASIAN}]]+|[\p{{N}}&&{_FREE}&&[{_ASIAN}]]+|[[{_FREE}&&[{_ASIAN}]]--\p{{N}}]+"
    rf"|(?:[[{_FREE}--[{_ASIAN}]]--\p{{N}}]+|{_BLANK}+(?={_FREE}))+|{_BLANK}+(?={_BLANK}{_TAKEN})|{_BLANK}+"
)

_FAMILIES = {
    _GPT2: "gpt-2 phi-2 jina-es jina-de gigachat a.x-4.0 mellum modern-bert exaone4 mpt olmo jais trillion granite-docling",
    _GPT2_SINGLE_DIGITS: "starcoder refact command-r smollm codeshell exaone minerva-7b mellum2",
    _LLAMA3: "llama3 llama-v3 llama-bpe falcon3 falcon-h1 pixtral midm-2.0 lfm2 dbrx smaug-bpe chatglm-bpe glm4 glm5",
    _JAIS2: "jais-2",
    _QWEN2: "qwen2 deepseek-r1-qwen kormo f2llmv2 stablelm2 megrez hunyuan solar-open grok-2",
    _QWEN35: "qwen35",
    _MINICPM5: "minicpm5",
    _LAGUNA: "laguna",
    _cased(r"\p{N}"): "tekken",
    _cased(r"\p{N}{1,3}", contraction=f"{_CONTRACTION}?"): "gpt-4o llama4 kanana2 talkie minimax-m2",
    rf"{_CONTRACTION}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}| ?[^\s\p{{L}}\p{{N}}\r\n]+|{_TAIL}": "seed-coder",
    rf"[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|{_TAIL}": "ufakzeka",
    rf"{_CONTRACTION}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|\p{{N}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|\s*[\r\n]|{_BLANKS}": (
        "bailingmoe bailingmoe2 llada-moe"
    ),
    rf"{_CONTRACTION}|[^\r\n\p{{L}}\p{{N}}]?(?:\p{{L}}\p{{M}}*(?: \p{{L}}\p{{M}}*)*)+|\p{{N}}"
    rf"| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]?|\s*[\r\n]|{_BLANKS}": "exaone-moe",
    _DEEPSEEK3: "deepseek-v3 hunyuan-dense joyai-llm hy_v4",
    _SPARK: "spark2_5",
    _DEEPSEEK_LLM: "deepseek-llm",
    _DEEPSEEK_CODER: "deepseek-coder",
    _FALCON: "falcon",
    _DEFAULT: "default",
    _BLOOM: "bloom poro-chat gpt3-finnish",
    _VIKING: "viking",
}
_PATTERNS = {name: pattern for pattern, names in _FAMILIES.items() for name in names.split()}

IGNORES_MERGES = frozenset(
    name for name in [*_FAMILIES[_LLAMA3].split(), "tekken", "minicpm5"] if name not in ("dbrx", "smaug-bpe", "chatglm-bpe")
)
PRE_TOKENIZERS = tuple(_PATTERNS)


def split_pattern(pre_tokenizer: str) -> str | None:
    """None for a pre-tokenizer that is not expressed here; a file that names none has the default one."""
    return _PATTERNS.get(pre_tokenizer or "default")

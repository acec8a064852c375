"""Which words of a question say what it is about, in English and Chinese, and under which forms a text may have them."""

import re
import unicodedata

# Words that ask or join and name nothing. Common function words of English; of Chinese, those that stand around a question.
_FUNCTION_WORDS = """
about according after all also am an and any are as at be because been before being between both but by can could did do does
document documents each few file find for from give had has have having he her here hers him his how if in into is it its
just know long many may me might more most much must my no nor not of off on once only or other our out over own please said
same say says shall she should so some such tell than that the their them then there these they this those through to too
under until up upon us very was we were what when where whether which while who whom whose why will with would you your
"""
_ENGLISH = frozenset(("a", "i", *_FUNCTION_WORDS.split()))
_CHINESE = re.compile(
    "请问|请告诉我|什么情况下?|什么条件下?|什么人|哪些人|何人|告诉我|根据|按照|关于|文件|文档|什么时候|什么|怎么样|怎么|怎样|如何|为什么|为何|多少|多久|多长|哪些|哪个|哪里|哪儿|几个|是否|有没有|能不能"
    "|可不可以|应该|应当|可以|需要|以及|或者|如果|因为|所以|但是|这个|那个|这些|那些|我们|你们|他们|一下"
    "|[的地得了着过吗呢吧啊呀是为在有和与或及就都也还把被让向从到对于由其之谁哪几何第您你我他她它这那某个些]"
)
_HAN = r"\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
_PIECES = re.compile(rf"\d+[年月日号条款项章节页届]|[{_HAN}]+|[^\W_{_HAN}](?:[^\W{_HAN}'’.-]|['’.-](?=[^\W_{_HAN}]))*")
_WEB = re.compile(
    r"\b(?:search|look|check|find|browse|consult)\b[^.?!]{0,40}\b(?:web|internet|online)\b|\b(?:google|web search)\b"
    r"|(?:上网|网上|网络上|互联网|联网)[^。？！]{0,8}(?:查|搜|找|看)|(?:查|搜)[^。？！]{0,4}(?:网上|互联网)"
)
_SHORT_FORM = re.compile("(?:n['’]t|['’](?:s|re|ve|d|ll|m))$")  # who's, isn't, they've
_ENDINGS = ("'s", "’s", "ies", "ing", "ed", "es", "s", "e", "y")
_SHORTEST_STEM = 4


def normal(text: str) -> str:
    """Full-width forms, ligatures and case made equal."""
    return unicodedata.normalize("NFKC", text).casefold()


def one_line(text: str) -> str:
    """Without line ends, control characters and characters that nobody sees, white space made single."""
    seen = "".join(character for character in text if unicodedata.category(character) != "Cf")
    return " ".join("".join(character if character.isprintable() else " " for character in seen).split())


def is_chinese(text: str) -> bool:
    return any("\u3400" <= character <= "\u9fff" for character in text)


def content_words(question: str) -> list[str]:
    """The words that the question is about, as written, in order, each once."""
    found: dict[str, str] = {}
    for piece in _PIECES.findall(unicodedata.normalize("NFKC", question)):
        for word in _CHINESE.split(piece) if is_chinese(piece) else [piece]:
            if word and _SHORT_FORM.sub("", word.casefold()) not in _ENGLISH:
                found.setdefault(word.casefold(), word)
    return list(found.values())


def asks_for_web(question: str) -> bool:
    """Whether the question itself says to look outside: "search the web for …", "上网查一下…"."""
    return _WEB.search(normal(question)) is not None


def question_query(question: str) -> str:
    """A search query of the question's own words; the question itself where it has no others."""
    return " ".join(content_words(question)) or " ".join(question.split())


def search_words(query: str) -> list[str]:
    """What to look for in a text whose case does not matter: the beginnings that the forms of each word share."""
    return [form for word in content_words(query) for form in forms(word)]


def forms(word: str) -> list[str]:
    """The stem of an English word; a Chinese word of three or more characters also by its ends, which texts tend to part."""
    plain = normal(word)
    if is_chinese(plain):
        return [plain] if len(plain) < 3 or plain[0].isdigit() else [plain, plain[:2], plain[-2:]]
    for ending in _ENDINGS:
        if plain.endswith(ending) and len(plain) - len(ending) >= _SHORTEST_STEM:
            return [plain[: -len(ending)]]
    return [plain]


def times(word: str, text: str) -> int:
    """How often a normalised text has the word in one of its forms: whole, or where an English word begins."""
    return max(len(re.findall(_pattern(form), text)) for form in forms(word))


def _pattern(form: str) -> str:
    if is_chinese(form):
        return r"\s*".join(map(re.escape, form))  # printed lines break inside Chinese words
    return r"(?<!\w)" + re.escape(form)

"""StringNormalizer, StringConcat, StringSplit and RegexFullMatch, against ONNX Runtime."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from single_node import agree, node_model, onnxruntime, ours, reference, same

from tensorlite.errors import OnnxError

SHAPES = [(), (0,), (3,), (2, 0), (2, 1, 3)]


def words(*items: Any, shape: Any = None) -> Any:
    array = np.empty(len(items), object)
    array[:] = items
    return array if shape is None else array.reshape(shape)


def numbered(shape: tuple[int, ...], items: list[str]) -> Any:
    size = int(np.prod(shape))
    return words(*[items[i % len(items)] for i in range(size)], shape=shape)


def node(op_type: str, *inputs: Any, outputs: int = 1, device: Any = "cpu", **kwargs: Any) -> Any:
    return ours(node_model(op_type, list(inputs), outputs, **kwargs), list(inputs), device)


CASES = {"LOWER": str.lower, "UPPER": str.upper, "NONE": str}


@pytest.mark.parametrize("stopwords", [None, ["monday", "TUESDAY"], ["friday"]])
@pytest.mark.parametrize("sensitive", [0, 1])
@pytest.mark.parametrize("case", CASES)
def test_string_normalizer(case: str, sensitive: int, stopwords: Any, device: Any) -> None:
    x = words("Monday", "tuesday", "MONDAY", "TUESDAY", "")
    attributes: dict[str, Any] = {"case_change_action": case, "is_case_sensitive": sensitive}
    if stopwords:
        attributes["stopwords"] = stopwords
    agree("StringNormalizer", x, opset=10, device=device, locale="C", **attributes)
    row = x.reshape(1, -1)
    (have,) = node("StringNormalizer", row, opset=10, device=device, **attributes)
    (flat,) = node("StringNormalizer", x, opset=10, device=device, **attributes)
    assert have.tolist() == [flat.tolist()]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("shape", [(4,), (1, 4), (0,), (1, 0)])
def test_string_normalizer_of_rows(case: str, shape: Any, device: Any) -> None:
    x = numbered(shape, ["Monday", "tuesday", "MONDAY", "x"])
    if x.size:
        agree("StringNormalizer", x, opset=10, key=reference, case_change_action=case)
    else:
        (have,) = node("StringNormalizer", x, opset=10, case_change_action=case)
        assert have.shape == (*shape[:-1], 1) and have.reshape(-1)[0] == ""


@pytest.mark.parametrize("case", CASES)
def test_string_normalizer_follows_unicode(case: str, device: Any) -> None:
    x = words("Ärger", "ΑΣ", "ß", "ǅ", "ЖУК")
    (have,) = node("StringNormalizer", x, opset=10, device=device, case_change_action=case)
    assert have.tolist() == [CASES[case](word) for word in x]


@pytest.mark.parametrize("shape", [(2,), (1, 2)])
def test_string_normalizer_leaves_one_empty_string(shape: Any, device: Any) -> None:
    x = words("a", "b", shape=shape)
    attributes = {"stopwords": ["a", "b"], "is_case_sensitive": 1}
    (have,) = node("StringNormalizer", x, opset=10, device=device, **attributes)
    assert have.tolist() == words("", shape=(*shape[:-1], 1)).tolist()
    if len(shape) == 1:
        agree("StringNormalizer", x, opset=10, device=device, **attributes)


@pytest.mark.parametrize(
    ("locale", "lower", "upper"),
    [
        ("en_US", ["title", "ili"], ["TITLE", "ILI"]),
        ("tr_TR", ["tıtle", "ılı"], ["TİTLE", "İLİ"]),
        ("az-Latn", ["tıtle", "ılı"], ["TİTLE", "İLİ"]),
        ("trv_TW", ["title", "ili"], ["TITLE", "ILI"]),
    ],
)
def test_string_normalizer_of_a_locale(locale: str, lower: Any, upper: Any) -> None:
    capital, small = words("TITLE", "ILI"), words("title", "ili")
    (have,) = node("StringNormalizer", capital, case_change_action="LOWER", locale=locale)
    assert have.tolist() == lower
    (have,) = node("StringNormalizer", small, case_change_action="UPPER", locale=locale)
    assert have.tolist() == upper


@pytest.mark.parametrize(
    ("x", "attributes", "message"),
    [
        (words("a", shape=()), {}, r"expected an input \[C\] or \[1, C\], got string \(\)"),
        (words("a", "b", shape=(2, 1)), {}, r"got string \(2, 1\)"),
        (np.zeros(2), {}, "of dtype string, got float64"),
        (words("a"), {"case_change_action": "TITLE"}, "one of LOWER, UPPER, NONE, got 'TITLE'"),
    ],
)
def test_string_normalizer_refuses(x: Any, attributes: Any, message: str) -> None:
    with pytest.raises(OnnxError, match=f"StringNormalizer_0.*{message}"):
        node("StringNormalizer", x, **attributes)


@pytest.mark.parametrize("right", [(), (3,), (2, 1, 1), (2, 1, 3)])
@pytest.mark.parametrize("left", [(), (1,), (2, 1, 3)])
def test_string_concat(left: Any, right: Any, device: Any) -> None:
    x, y = numbered(left, ["a", "", "ü"]), numbered(right, ["x", "yz", ""])
    agree("StringConcat", x, y, opset=20, device=device)


def test_string_concat_of_nothing(device: Any) -> None:
    x, y = words(shape=(2, 0)), words("a", shape=(1,))
    agree("StringConcat", x, y, opset=20, device=device)


def test_string_concat_refuses_shapes_that_do_not_broadcast() -> None:
    with pytest.raises(OnnxError, match=r"StringConcat_0.*\(2,\).*\(3,\)"):
        node("StringConcat", words("a", "b"), words("a", "b", "c"), opset=20)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("maxsplit", [None, 0, 1, 2])
@pytest.mark.parametrize("delimiter", [None, "", ",", "--"])
def test_string_split(shape: Any, maxsplit: Any, delimiter: Any, device: Any) -> None:
    items = ["a,b", " a  b c ", "a--b---c", ",", "a,,b ", "x"]
    attributes: dict[str, Any] = {"maxsplit": maxsplit, "delimiter": delimiter}
    attributes = {name: value for name, value in attributes.items() if value is not None}
    agree("StringSplit", numbered(shape, items), outputs=2, opset=20, device=device, **attributes)


def test_string_split_of_an_empty_string(device: Any) -> None:
    x = words("", "a,b")
    agree("StringSplit", x, outputs=2, opset=20, key=reference, delimiter=",", device=device)
    agree("StringSplit", x, outputs=2, opset=20, device=device)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.text("ab, ", max_size=8), max_size=5),
    st.sampled_from([None, ",", ", ", "ab"]),
    st.integers(0, 4),
)
def test_string_split_as_python_does(texts: list[str], delimiter: Any, most: int) -> None:
    attributes = {"maxsplit": most} | ({"delimiter": delimiter} if delimiter else {})
    parts, counts = node("StringSplit", words(*texts), outputs=2, opset=20, **attributes)
    want = [(t if delimiter else t.strip()).split(delimiter, most) for t in texts]
    assert counts.tolist() == [len(w) for w in want]
    assert parts.shape == (len(texts), max(map(len, want), default=0))
    assert [row[:n].tolist() for row, n in zip(parts, counts, strict=True)] == want
    assert all(rest == "" for row, n in zip(parts, counts, strict=True) for rest in row[n:])


# Every form of RE2's grammar, and strings that tell them apart.
PATTERNS = r"""
    a b. ^ab$ a$ (?m)^a$ a|b (a|b)*c \d+ \D \w+ \W \s \S+ \bab\b a\B. \b \B \z \A
    [[:alpha:]]+ [[:^alpha:]]+ [^[:digit:]] [\d\s]+ [\D] [^\D] []a] [^]a] [\d-z] [a-] [-a] [a-b-c]
    [--a] [[:alpha] [[.a.]] [a&&b] [[a] [é-ü] [[:word:]]+ [[:space:]]+ [^\x00-\x{10FFFF}]
    [\x{10FFFF}] [\pL\d]+ [^\pL]+ \pL+ \p{Greek}+ \p{^Greek} \P{Lu}+ \p{^Lu} \pN \p{Any} \pC
    \p{Latin}+ \p{Han} \pZ (?i)k (?i)[a-z]+ (?i)\W+ (?i)[^k]+ (?i)\P{Lu}+ (?i)s (?i)ß+ (?i)ſ (?i)µ
    (?i)İ (?i)ı (?i)Σ (?i)[\W]+ (?i)[[:^upper:]]+ (?i)\x{1E9E} (?im)^A$ (?mi-s:^a.$) a(?i)b|c
    (?i:a)b (?s). . (?-s). (?U)a+ (?) a{2} a{2,} a{2,3}? a*?b a?? a{,2} {a} a{} x{01} a{1000} .*
    (a*)* () (|a)* a|| | ^* \b+ (?:^)* a(?i)* (?P<n>a) (?<n>a) (?P<n>a)(?P<n>b) (?P<é>a) \12 \01 \0
    \08 \x41 \x{1F600} \x{0041} \Qa.b\E \Qa.b \Q \_ \- \@ é+ \v \a
""".split()
NO_PATTERNS = r"""
    a** a*+ a++ a{2}{3} *a |* a{1001} (a{1000}){1000} x{2,1} ( ) (?i (?-) (?-:a) (?x)a (?=a) (?<=a)
    (?#c) (?>a) (?P=n) (?P<>a) \1 \8 \Z \q \é \E a\ \ \x4 \x{} \x{110000} [ [a [] [b-a] [a-\d]
    [[:foo:]] [\Qa\E] [\b] \p \p{L \p{Lu \p{Foo} \p{Cn}
""".split()
TEXTS = """
    a b ab abc aa aaa aab 1 12 A B A1 c ac aB AB Ω α K k \u212a s ſ S é ü ß ẞ µ μ Σ ς σ İ I i ı
    _ - ] [ {a} a{} a{,2} x{01} 😀 a.b 中 ٣ @ x & \ue000 8 \\ a\\ b- a&b ( E : \U0010ffff ]k-a
""".split() + ["", "\n", "a\n", "a b", " ", "\t", "\v", "\0", "\1", "\f", "\n\n", "\x85", "\u2028",
               "\a", "b\na", "bba K1"]  # fmt: skip


@pytest.mark.parametrize("pattern", PATTERNS)
def test_regex_full_match(pattern: str, device: Any) -> None:
    agree("RegexFullMatch", words(*TEXTS), opset=20, device=device, pattern=pattern)


@pytest.mark.parametrize("pattern", NO_PATTERNS)
def test_regex_full_match_refuses(pattern: str) -> None:
    model = node_model("RegexFullMatch", [words("a")], opset=20, pattern=pattern)
    with pytest.raises(Exception, match="Invalid regex|re_"):
        onnxruntime(model, [words("a")])
    with pytest.raises(OnnxError, match="RegexFullMatch_0.*no regular expression in RE2's syntax"):
        ours(model, [words("a")])


PIECES = ["a", "b", "B", ".", "\\w", "\\D", "[ab]", "[^b]", "(", "(?i:", "(?i)", ")", "|", "*", "+",
          "?", "{2}", "{1,2}", "^", "$", "\\b", "\\pL", "[[:upper:]]"]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.sampled_from(PIECES), max_size=7).map("".join),
    st.lists(st.text("abBK\n \u212a", max_size=4), min_size=1, max_size=12),
)
def test_regex_full_match_of_any_pattern(pattern: str, texts: list[str]) -> None:
    x = words(*texts)
    model = node_model("RegexFullMatch", [x], opset=20, pattern=pattern)
    try:
        want = onnxruntime(model, [x])
    except Exception:
        with pytest.raises(OnnxError, match="is no regular expression"):
            ours(model, [x])
        return
    same(ours(model, [x]), want)


@pytest.mark.parametrize("shape", SHAPES)
def test_regex_full_match_of_shapes(shape: Any, device: Any) -> None:
    x = numbered(shape, ["www.a.com", "b.com"])
    agree("RegexFullMatch", x, opset=20, device=device, pattern=r"www\.[\w.-]+\.com")


def test_regex_full_match_needs_a_pattern() -> None:
    with pytest.raises(OnnxError, match="RegexFullMatch_0.*the attribute pattern"):
        node("RegexFullMatch", words("a"), opset=20)


@pytest.mark.parametrize("x", [["a", "b"], np.array([b"a", b"b"]), np.array([b"a", "b"], object)])
def test_text_may_come_as_bytes(x: Any) -> None:
    model = node_model("StringConcat", [words("a", "b")] * 2, opset=20)
    same(ours(model, [np.asarray(x), words("1", "2")]), [words("a1", "b2")])

"""Tokenizer, MurmurHash3 and NGramRepeatBlock against ONNX Runtime and scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from microsoft_node import agree, run
from single_node import same

from tensorlite.errors import OnnxError


def texts(*values: Any) -> Any:
    return np.array(values, object)


TOKENIZERS: list[Any] = [
    (texts("Hello World", "I love  computer science !"), {"separators": [" "]}),
    (texts("Hello World", "I"), {"separators": [" ", "l"]}),
    (texts("ab", "c", "\xe9\u20ac"), {"separators": [""]}),
    (texts("ab\xe9"), {"tokenexp": "."}),
    (texts("ab1c22", " "), {"tokenexp": "[a-z]+"}),
    (texts("foo bar_1 2.5"), {"tokenexp": r"\w+"}),
    (texts("a\tb  c\n"), {"separators": [r"\s+"]}),
    (texts("a-b+c"), {"separators": ["[-+]"]}),
    (texts("aXXb"), {"separators": ["X|XX"]}),
    (texts("aaab"), {"tokenexp": "a|aa"}),
    (texts("xaay"), {"tokenexp": "a*"}),
    (texts("ab."), {"separators": ["."]}),
    (texts("\xe9a bb c"), {"separators": [" "]}),
    (texts("", ""), {"separators": [" "]}),
    (texts("  "), {"separators": [" "]}),
    (texts(["a b", "c"], ["d", "e f g"]), {"separators": [" "]}),
    (np.empty(0, object), {"separators": [" "]}),
    (np.empty((2, 0), object), {"separators": [" "]}),
]


@pytest.mark.parametrize("x, attributes", TOKENIZERS)
@pytest.mark.parametrize("mark", [0, 1])
@pytest.mark.parametrize("least", [1, 2])
def test_tokenizer(x: Any, attributes: dict[str, Any], mark: int, least: int) -> None:
    if attributes in ({"separators": [""]}, {"tokenexp": "."}):
        least = 1  # single characters are never longer
    agree("Tokenizer", x, mark=mark, mincharnum=least, pad_value="#", **attributes)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.text("ab -", max_size=8), min_size=1, max_size=4),
    st.sampled_from(
        [
            {"separators": [" "]},
            {"separators": ["-", " "]},
            {"separators": ["a|ab"]},
            {"tokenexp": "a+|b"},
            {"tokenexp": "a|ab|abb"},
            {"separators": [" +", "[a-]"]},
        ]
    ),
    st.integers(1, 3),
    st.booleans(),
)
def test_tokenizer_of_any_text(lines: list[str], attributes: Any, least: int, mark: bool) -> None:
    agree("Tokenizer", texts(*lines), mincharnum=least, mark=int(mark), pad_value="", **attributes)


def test_tokenizer_passes_over_matches_of_nothing() -> None:
    """ONNX Runtime gives up at one; they separate nothing."""
    options = {"mark": 0, "mincharnum": 1, "pad_value": ""}
    (y,) = run("Tokenizer", texts("aab"), separators=["a*"], **options)
    assert y.tolist() == [["b"]]


NUMBERS = [np.int32, np.uint32, np.int64, np.uint64, np.float32, np.float64]


@pytest.mark.parametrize("dtype", NUMBERS)
@pytest.mark.parametrize("attributes", [{}, {"seed": 42}, {"positive": 0}])
def test_murmur_hash_of_numbers(dtype: Any, attributes: Any, device: Any) -> None:
    x = np.array([[0, 1, 2], [3, 250, 1000]]).astype(dtype)
    agree("MurmurHash3", x, device=device, **attributes)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=9), min_size=1, max_size=5), st.integers(0, 2**31 - 1))
def test_murmur_hash_of_strings(items: list[str], seed: int) -> None:
    items = [item.replace("\0", "") for item in items]
    agree("MurmurHash3", texts(*items), seed=seed)


def test_murmur_hash_against_scikit_learn(device: Any) -> None:
    utils = pytest.importorskip("sklearn.utils", reason="scikit-learn is not installed")
    items = ["", "a", "ab", "abc", "abcd", "hello world", "\xe9\u20ac"]
    want = [utils.murmurhash3_32(item, seed=7) for item in items]
    have = run("MurmurHash3", texts(*items), seed=7, positive=0, device=device)
    same(have, [np.array(want, np.int32)])


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 3), st.integers(1, 8), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_n_gram_repeat_block(batch: int, length: int, size: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    ids = random.integers(0, 3, (batch, length))
    scores = random.standard_normal((batch, 5)).astype(np.float32)
    agree("NGramRepeatBlock", ids, scores, ngram_size=size)


def test_n_gram_repeat_block_blocks(device: Any) -> None:
    ids = np.array([[1, 2, 3, 1, 2], [0, 0, 0, 0, 0]])
    (y,) = agree("NGramRepeatBlock", ids, np.zeros((2, 4), np.float32), ngram_size=3, device=device)
    assert np.isinf(y).tolist() == [[False, False, False, True], [True, False, False, False]]


def test_errors() -> None:
    def refuses(name: str, message: str, *inputs: Any, **attributes: Any) -> None:
        with pytest.raises(OnnxError, match=message):
            run(name, *inputs, **attributes)

    x, usual = texts("a"), {"mark": 0, "pad_value": "", "mincharnum": 1}
    refuses("Tokenizer", "one of the attributes", x, **usual)
    refuses("Tokenizer", "one of the attributes", x, separators=[" "], tokenexp="a", **usual)
    refuses("Tokenizer", "mincharnum above 0", x, separators=[" "], **{**usual, "mincharnum": 0})
    refuses("Tokenizer", "mincharnum 1", x, separators=[""], **{**usual, "mincharnum": 2})
    refuses("Tokenizer", "not empty", x, separators=["", " "], **usual)
    refuses("Tokenizer", "no regular expression", x, tokenexp="(", **usual)
    deep = np.full((1, 1, 1), "a", object)
    refuses("Tokenizer", r"\[C\] or \[N, C\]", deep, tokenexp="a", **usual)
    refuses("MurmurHash3", "X of dtype", np.ones(2, np.float16))
    refuses("MurmurHash3", "unsigned 32-bit", x, seed=-1)
    ids, scores = np.array([[7, 7]]), np.zeros((1, 3), np.float32)
    refuses("NGramRepeatBlock", "ngram_size above 0", ids, scores, ngram_size=0)
    refuses("NGramRepeatBlock", "from 0 to 2", ids, scores, ngram_size=1)

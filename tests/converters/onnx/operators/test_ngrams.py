"""TfIdfVectorizer, against ONNX Runtime, the specification's examples and scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from single_node import agree, node_model, ours, same

from tensorlite.errors import OnnxError

NODE: dict[str, Any] = {
    "mode": "TF", "min_gram_length": 1, "max_gram_length": 2, "max_skip_count": 0,
    "ngram_counts": [0, 2], "ngram_indexes": [0, 1, 2, 3], "pool_int64s": [1, 2, 1, 2, 2, 2],
}  # fmt: skip


def names(values: Any) -> Any:
    array = np.empty(np.size(values), object)
    array[:] = [f"w{v}" for v in np.reshape(values, -1)]
    return array.reshape(np.shape(values))


def vectorized(x: Any, device: Any = "cpu", **attributes: Any) -> Any:
    return ours(node_model("TfIdfVectorizer", [x], opset=9, **attributes), [x], device)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Any, dict[str, Any]]:
    """An input and the attributes of a node, of integers."""
    tokens, longest = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    token = st.integers(0, tokens)
    grams = [
        draw(st.lists(st.tuples(*[token] * n), unique=True, max_size=5))
        for n in range(1, longest + 1)
    ]
    grams[0] = grams[0] or [(0,)]
    lengths = [len(g) * n for n, g in enumerate(grams, 1)]
    count = sum(map(len, grams))
    shortest = draw(st.integers(1, longest))
    in_order = list(range(count))
    mode = draw(st.sampled_from(["TF", "IDF", "TFIDF"]))
    attributes = {
        "mode": mode,
        "min_gram_length": shortest,
        "max_gram_length": draw(st.integers(shortest, longest)),
        "max_skip_count": draw(st.integers(0, 3)),
        "ngram_counts": [sum(lengths[:i]) for i in range(longest)],
        # ONNX Runtime takes weights by coordinate, the specification by n-gram
        "ngram_indexes": draw(st.permutations(in_order)) if mode == "TF" else in_order,
        "pool_int64s": [t for level in grams for gram in level for t in gram],
    }
    if draw(st.booleans()):
        attributes["weights"] = draw(
            st.lists(st.floats(0.5, 2, width=16), min_size=count, max_size=count)
        )
    shape = draw(st.sampled_from([(0,), (1,), (9,), (1, 6), (3, 8), (2, 0)]))
    x = draw(st.lists(token, min_size=int(np.prod(shape)), max_size=int(np.prod(shape))))
    return np.reshape(np.array(x, np.int64), shape), attributes


@settings(max_examples=150, deadline=None)
@given(cases(), st.booleans())
def test_numbers(case: Any, small: bool) -> None:
    x, attributes = case
    agree("TfIdfVectorizer", x.astype(np.int32 if small else np.int64), opset=9, **attributes)


@settings(max_examples=100, deadline=None)
@given(cases())
def test_strings(case: Any) -> None:
    x, attributes = case
    pool = attributes.pop("pool_int64s")
    agree("TfIdfVectorizer", names(x), opset=9, pool_strings=names(pool).tolist(), **attributes)


@pytest.mark.parametrize("mode", ["TF", "IDF", "TFIDF"])
@pytest.mark.parametrize("of_strings", [False, True])
def test_on_a_device(mode: str, of_strings: bool, device: Any) -> None:
    x = np.random.default_rng(0).integers(0, 4, (5, 30))
    attributes = {**NODE, "mode": mode, "max_skip_count": 2, "weights": [0.5, 1, 2, 3]}
    if of_strings:
        attributes["pool_strings"] = names(attributes.pop("pool_int64s")).tolist()
        x = names(x)
    agree("TfIdfVectorizer", x, opset=9, device=device, **attributes)


def test_skips_of_the_specification(device: Any) -> None:
    x = np.array([94, 17, 36, 12, 28])
    pool = [94, 17, 17, 36, 94, 36, 94, 12, 17, 28, 36, 28]
    attributes = {
        **NODE, "min_gram_length": 2, "ngram_counts": [0, 0], "ngram_indexes": [5, 4, 3, 2, 1, 0],
        "pool_int64s": pool,
    }  # fmt: skip
    for skips, want in [(0, [0, 0, 0, 0, 1, 1]), (1, [1, 0, 0, 1, 1, 1]), (2, [1, 1, 1, 1, 1, 1])]:
        same(vectorized(x, device, **{**attributes, "max_skip_count": skips}), [np.float32(want)])


def test_weights_belong_to_ngrams_not_to_coordinates(device: Any) -> None:
    x = np.array([1, 1, 2])
    attributes = {
        **NODE,
        "max_gram_length": 1,
        "ngram_indexes": [3, 0, 1, 2],
        "weights": [2.0, 5.0, 7.0, 9.0],
    }
    for mode, want in [("TFIDF", [5, 0, 0, 4]), ("IDF", [5, 0, 0, 2]), ("TF", [1, 0, 0, 2])]:
        same(vectorized(x, device, **{**attributes, "mode": mode}), [np.float32(want)])


def test_ngrams_listed_twice_count_at_both_coordinates(device: Any) -> None:
    attributes = {**NODE, "max_gram_length": 1, "ngram_counts": [0], "pool_int64s": [1, 1, 2, 2]}
    have = vectorized(np.array([1, 1, 2]), device, **attributes)
    same(have, [np.float32([2, 2, 1, 1])])


def test_coordinates_may_have_gaps_and_be_shared(device: Any) -> None:
    attributes = {**NODE, "ngram_indexes": [4, 4, 1, 7]}
    same(
        vectorized(np.array([1, 2, 2]), device, **attributes),
        [np.float32([0, 1, 0, 0, 3, 0, 0, 1])],
    )


def test_as_scikit_learn_counts(device: Any) -> None:
    text = pytest.importorskip("sklearn.feature_extraction.text", reason="no scikit-learn")
    words = "the cat and the dog and the bird sing to the cat".split()
    documents = [words, words[3:], words[::-1][: len(words)]]
    counter = text.CountVectorizer(ngram_range=(1, 2), analyzer="word", token_pattern=r"\w+")
    want = counter.fit_transform([" ".join(d) for d in documents]).toarray()
    grams = sorted(counter.vocabulary_, key=lambda gram: (gram.count(" "), gram))
    singles = sum(" " not in gram for gram in grams)
    attributes = {
        **NODE, "ngram_counts": [0, singles],
        "ngram_indexes": [int(counter.vocabulary_[gram]) for gram in grams],
        "pool_strings": [word for gram in grams for word in gram.split()],
    }  # fmt: skip
    del attributes["pool_int64s"]
    padded = np.array([d + ["-"] * (len(words) - len(d)) for d in documents], object)
    same(vectorized(padded, device, **attributes), [want.astype(np.float32)])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mode": "DF"}, "mode to be one of TF, IDF, TFIDF, got 'DF'"),
        ({"pool_strings": ["a"]}, "either pool_int64s or pool_strings, got both"),
        ({"min_gram_length": 0}, "1 <= min_gram_length <= max_gram_length, got 0 and 2"),
        ({"min_gram_length": 3}, "got 3 and 2"),
        ({"max_gram_length": 3}, "max_gram_length is 3, but ngram_counts has 2 starts"),
        ({"max_skip_count": -1}, "max_skip_count is -1"),
        ({"ngram_counts": [0, 3]}, r"\[0, 3\] do not divide a pool of 6: 2-grams would be from 3"),
        ({"ngram_counts": [0, 9]}, "do not divide a pool of 6"),
        ({"ngram_indexes": [0, 1, 2]}, "for each of 4 n-grams, got 3"),
        ({"ngram_indexes": [0, 1, 2, -3]}, "got 4 from -3 on"),
        ({"weights": [1.0]}, "expected 4 weights, one for each n-gram, got 1"),
    ],
)
def test_refuses_attributes(changes: Any, message: str) -> None:
    with pytest.raises(OnnxError, match=f"TfIdfVectorizer_0.*{message}"):
        vectorized(np.array([1, 2]), **{**NODE, **changes})


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((1, 2, 3), np.int64), r"expected an input \[C\] or \[N, C\], got int64"),
        (np.array(1), r"got int64 \(\)"),
        (np.zeros(3, np.float32), "of dtype int32, int64, string, got float32"),
        (names(np.arange(3)), "of dtype int32, int64, got string"),
    ],
)
def test_refuses_inputs(x: Any, message: str) -> None:
    with pytest.raises(OnnxError, match=f"TfIdfVectorizer_0.*{message}"):
        vectorized(x, **NODE)

"""Transformers and pipelines of scikit-learn, converted by skl2onnx, give the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from models.sklearn_models import (
    converted,
    data,
    is_classifier,
    is_regressor,
    is_transformer,
    outputs,
    same_labels,
    same_numbers,
    scaled,
)

import tensorlite as tl

pytest.importorskip("skl2onnx", reason="skl2onnx is not installed")
pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.compose import ColumnTransformer
from sklearn.cross_decomposition import PLSRegression
from sklearn.decomposition import PCA, IncrementalPCA, KernelPCA, TruncatedSVD
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.feature_selection import SelectKBest, VarianceThreshold
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    Binarizer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PolynomialFeatures,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning:sklearn")

TEXTS = """the cat sat on the mat
a dog ran in the park
cats and dogs do not agree
the stock market fell on monday
shares rose after the bank's report
a bank lends money to the firm
the dog chased the cat again
profits of the firm rose
my cat sleeps all day
interest rates rose again on friday
the kitten plays with a ball
markets closed lower today
dogs bark at night
the fund sold its shares
a cat and a kitten
investors fear higher rates
the puppy ate my shoe
the bank cut its rates
cats like fish
oil prices fell sharply""".splitlines()
TOPICS = np.array([0, 0, 0, 1, 1, 1, 0, 1, 0, 1] * 2)


def named(*models: Any) -> list[Any]:
    """Parameters of a test, named by class (and number, where there are several)."""
    names = [type(m).__name__ for m in models]
    return [
        pytest.param(m, id=f"{n}{names[:i].count(n) or ''}")
        for i, (m, n) in enumerate(zip(models, names, strict=True))
    ]


@pytest.mark.parametrize("model", named(
    StandardScaler(), StandardScaler(with_mean=False), MinMaxScaler((-1, 2)), MaxAbsScaler(),
    MinMaxScaler(clip=True), RobustScaler(), Normalizer("l1"), Normalizer("l2"), Normalizer("max"),
    Binarizer(threshold=3.0), PolynomialFeatures(2), PolynomialFeatures(3, interaction_only=True),
    KBinsDiscretizer(4, encode="ordinal", strategy="uniform"),
    KBinsDiscretizer(3, encode="onehot-dense", strategy="uniform"),
    PowerTransformer(), QuantileTransformer(n_quantiles=20),
    PCA(2), PCA(3, whiten=True), IncrementalPCA(2), TruncatedSVD(2, random_state=0),
    KernelPCA(2, kernel="rbf"),
    VarianceThreshold(0.5),
    FeatureUnion([("a", StandardScaler()), ("b", PCA(2))]),
    make_pipeline(MinMaxScaler(), PolynomialFeatures(2), PCA(3)),
))  # fmt: skip
def test_transformers(model: Any, device: tl.device) -> None:
    x, _ = data("iris")
    model.fit(x)
    is_transformer(model, x, device, rtol=1e-3, atol=1e-3)


def test_clusters(device: tl.device) -> None:
    x, _ = data("iris")
    for model in (
        KMeans(3, n_init=2, random_state=0).fit(x),
        MiniBatchKMeans(4, n_init=2, random_state=0).fit(x),
        make_pipeline(StandardScaler(), KMeans(5, n_init=2, random_state=0)).fit(x),
    ):
        label, distances = outputs(converted(model, x, device), x)
        same_labels(model.predict(x), label)
        same_numbers(model.transform(x), distances, 1e-3, 1e-3)


@pytest.mark.parametrize("model", named(
    SimpleImputer(), SimpleImputer(strategy="median"),
    SimpleImputer(strategy="constant", fill_value=-3.0),
))  # fmt: skip
def test_missing_values(model: Any, device: tl.device) -> None:
    x = data("iris")[0].copy()
    x[np.random.default_rng(0).random(x.shape) < 0.1] = np.nan
    is_transformer(model.fit(x), x, device)


def test_missing_values_from_neighbours(device: tl.device) -> None:
    # Of no real table, for of several rows at one distance each library takes others.
    random = np.random.default_rng(0)
    x = random.standard_normal((60, 4)).astype(np.float32)
    x[random.random(x.shape) < 0.1] = np.nan
    is_transformer(KNNImputer(n_neighbors=3).fit(x), x, device)


def test_selected_features(device: tl.device) -> None:
    x, y = data("wine")
    is_transformer(SelectKBest(k=4).fit(x, y), x, device)


@pytest.mark.parametrize("model", named(
    OneHotEncoder(sparse_output=False), OneHotEncoder(handle_unknown="ignore", drop=None),
    OneHotEncoder(drop="first", sparse_output=False), OrdinalEncoder(),
    OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1),
))  # fmt: skip
@pytest.mark.parametrize("kind", ["words", "numbers"])
def test_categories(model: Any, kind: str, device: tl.device) -> None:
    random = np.random.default_rng(0)
    if kind == "words":
        x = random.choice(np.array(["red", "green", "bleu é", ""], object), (40, 3))
    else:
        x = random.integers(-2, 5, (40, 3))
    model.fit(x)
    if getattr(model, "handle_unknown", "error") != "error":
        x = x.copy()
        x[0, 0], x[3, 2] = ("violet", "x") if kind == "words" else (17, -9)
    is_transformer(model, x, device)


@pytest.mark.parametrize("model", named(
    CountVectorizer(), CountVectorizer(ngram_range=(1, 2), binary=True),
    CountVectorizer(stop_words=["the", "a"], min_df=2),
    TfidfVectorizer(), TfidfVectorizer(norm=None),
    TfidfVectorizer(ngram_range=(1, 3), norm="l1", use_idf=False),
    TfidfVectorizer(analyzer="char", ngram_range=(2, 3)), TfidfVectorizer(lowercase=False),
))  # fmt: skip
def test_words(model: Any, device: tl.device) -> None:
    model.fit(TEXTS)
    # skl2onnx asks for the words' pattern in the language of ONNX's Tokenizer.
    options = {id(model): {"tokenexp": r"[a-zA-Z0-9_]{2,}"}} if model.analyzer == "word" else {}
    texts = np.array(TEXTS, object)
    module = converted(
        model, None, device, options=options, initial_types=[("x", StringTensorType([None, 1]))]
    )
    (have,) = outputs(module, texts.reshape(-1, 1))
    same_numbers(model.transform(texts).toarray(), have)


def test_topics_of_texts(device: tl.device) -> None:
    texts = np.array(TEXTS, object)
    for last in (LogisticRegression(), MultinomialNB(), RandomForestClassifier(8, random_state=0)):
        model = make_pipeline(TfidfVectorizer(), last).fit(texts, TOPICS)
        options = {
            TfidfVectorizer: {"tokenexp": r"[a-zA-Z0-9_]{2,}"}, id(last): {"zipmap": False},
        }  # fmt: skip
        types = [("x", StringTensorType([None, 1]))]
        module = converted(model, None, device, options=options, initial_types=types)
        label, share = outputs(module, texts.reshape(-1, 1))
        same_labels(model.predict(texts), label)
        same_numbers(model.predict_proba(texts), share)


def table() -> tuple[dict[str, Any], Any]:
    """A table of numbers, some missing, categories and texts; and two classes."""
    random = np.random.default_rng(0)
    columns = {
        "age": random.integers(18, 80, (60, 1)).astype(np.float32),
        "fare": random.gamma(2, 20, (60, 1)).astype(np.float32),
        "port": random.choice(np.array(["S", "C", "Q"], object), (60, 1)),
        "note": np.array(TEXTS * 3, object).reshape(-1, 1),
    }
    columns["age"][::7] = np.nan
    return columns, (columns["fare"][:, 0] + 30 * (columns["port"][:, 0] == "C") > 50).astype(int)


@pytest.mark.parametrize("last", named(
    LogisticRegression(max_iter=500), RandomForestClassifier(9, random_state=0),
    GradientBoostingClassifier(n_estimators=8, random_state=0),
))  # fmt: skip
def test_tables_of_numbers_categories_and_texts(last: Any, device: tl.device) -> None:
    columns, y = table()
    rows = np.concatenate([v.astype(object) for v in columns.values()], 1)
    model = make_pipeline(
        ColumnTransformer(
            [
                ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), [0, 1]),
                ("ports", OneHotEncoder(handle_unknown="ignore"), [2]),
                ("notes", CountVectorizer(), 3),
            ]
        ),
        last,
    ).fit(rows, y)
    types = [
        (name, FloatTensorType([None, 1]) if v.dtype.kind == "f" else StringTensorType([None, 1]))
        for name, v in columns.items()
    ]
    options = {
        CountVectorizer: {"tokenexp": r"[a-zA-Z0-9_]{2,}"}, id(last): {"zipmap": False},
    }  # fmt: skip
    module = converted(model, None, device, options=options, initial_types=types)
    label, share = module.run(columns).values()
    same_labels(model.predict(rows), label.cpu().numpy())
    same_numbers(model.predict_proba(rows), share.cpu().numpy())


def test_columns_by_their_numbers(device: tl.device) -> None:
    x, y = data("wine")
    model = make_pipeline(
        ColumnTransformer(
            [("a", StandardScaler(), [0, 2, 4]), ("b", MinMaxScaler(), slice(5, 8)),
             ("c", "drop", [8])], remainder="passthrough",
        ),
        LogisticRegression(max_iter=3000),
    )  # fmt: skip
    is_classifier(model.fit(x, y), x, device, rtol=1e-3, atol=1e-4)


def test_partial_least_squares(device: tl.device) -> None:
    x, y = scaled("diabetes")
    y = y / 50
    is_regressor(PLSRegression(3).fit(x, y), x, device, rtol=1e-3, atol=1e-4)


def test_a_pipeline_of_doubles(device: tl.device) -> None:
    x, y = data("breast_cancer")
    x = x.astype(np.float64)
    model = make_pipeline(StandardScaler(), PCA(6), LogisticRegression()).fit(x, y)
    is_classifier(model, x, device)

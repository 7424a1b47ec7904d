"""Regressors and classifiers of scikit-learn, converted by skl2onnx, predict the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from models.sklearn_models import (
    converted,
    data,
    is_as_written,
    is_classifier,
    is_regressor,
    outputs,
    same_labels,
    same_numbers,
    scaled,
)

import tensorlite as tl

pytest.importorskip("skl2onnx", reason="skl2onnx is not installed")
pytest.importorskip("sklearn", reason="scikit-learn is not installed")

from sklearn.calibration import CalibratedClassifierCV
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, QuadraticDiscriminantAnalysis
from sklearn.ensemble import (
    AdaBoostClassifier,
    AdaBoostRegressor,
    BaggingClassifier,
    BaggingRegressor,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
    VotingRegressor,
)
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, Matern
from sklearn.linear_model import (
    BayesianRidge,
    ElasticNet,
    HuberRegressor,
    Lasso,
    LinearRegression,
    LogisticRegression,
    Perceptron,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
    SGDRegressor,
)
from sklearn.mixture import GaussianMixture
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.naive_bayes import BernoulliNB, CategoricalNB, ComplementNB, GaussianNB, MultinomialNB
from sklearn.neighbors import (
    KNeighborsClassifier,
    KNeighborsRegressor,
    LocalOutlierFactor,
)
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.svm import SVC, SVR, LinearSVC, LinearSVR, NuSVC, NuSVR, OneClassSVM
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor, ExtraTreeClassifier

pytestmark = [
    # scikit-learn's notes about models that were fitted for a short time only.
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning:sklearn"),
]


def named(*models: Any) -> list[Any]:
    """Parameters of a test, named by class (and number, where there are several)."""
    names = [type(m).__name__ for m in models]
    return [
        pytest.param(m, id=f"{n}{names[:i].count(n) or ''}")
        for i, (m, n) in enumerate(zip(models, names, strict=True))
    ]


@pytest.mark.parametrize("model", named(
    LinearRegression(), Ridge(0.5), Lasso(0.1), ElasticNet(0.1), BayesianRidge(),
    SGDRegressor(random_state=0), HuberRegressor(), PoissonRegressor(),
    SVR(), SVR(kernel="poly", degree=2), NuSVR(kernel="sigmoid"), LinearSVR(random_state=0),
    KNeighborsRegressor(3),
    KNeighborsRegressor(3, metric="manhattan"), KNeighborsRegressor(3, metric="minkowski", p=3),
    GaussianProcessRegressor(RBF(3.0), alpha=0.1),
    GaussianProcessRegressor(ConstantKernel(2.0) * Matern(3.0, nu=1.5) + DotProduct(), alpha=1.0),
    MLPRegressor(hidden_layer_sizes=(8, 5), max_iter=100, random_state=0),
    MLPRegressor("squared_error", (6,), "tanh", max_iter=50, random_state=0),
))  # fmt: skip
def test_regressors(model: Any, device: tl.device) -> None:
    x, y = scaled("diabetes")
    y = y / 50
    model.fit(x[:200], y[:200])
    is_regressor(model, x, device, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("model", named(
    DecisionTreeRegressor(max_depth=6, random_state=0),
    RandomForestRegressor(12, random_state=0), ExtraTreesRegressor(9, random_state=0),
    GradientBoostingRegressor(n_estimators=20, random_state=0),
    GradientBoostingRegressor(n_estimators=9, init="zero", random_state=0),
    HistGradientBoostingRegressor(max_iter=20),
    AdaBoostRegressor(n_estimators=8, random_state=0),
    BaggingRegressor(n_estimators=6, random_state=0),
    VotingRegressor([("a", Ridge()), ("b", DecisionTreeRegressor(max_depth=3, random_state=0))]),
    StackingRegressor([("a", Ridge()), ("b", DecisionTreeRegressor(max_depth=3, random_state=0))]),
))  # fmt: skip
def test_regressors_of_trees(model: Any, device: tl.device) -> None:
    x, y = data("diabetes")
    model.fit(x[:200], y[:200])
    is_regressor(model, x, device)


@pytest.mark.parametrize("name", ["iris", "breast_cancer"])
@pytest.mark.parametrize("model", named(
    LogisticRegression(), LogisticRegression(fit_intercept=False),
    SGDClassifier(loss="log_loss", random_state=0), SVC(probability=True, random_state=0),
    SVC(kernel="poly", degree=2, coef0=1.0, probability=True, random_state=0),
    NuSVC(nu=0.2, probability=True, random_state=0),
    KNeighborsClassifier(3), KNeighborsClassifier(3, metric="manhattan"),
    KNeighborsClassifier(3, metric="cosine"),
    GaussianNB(), BernoulliNB(),
    MLPClassifier((8,), max_iter=100, random_state=0),
    MLPClassifier((5,), "logistic", max_iter=50, random_state=0),
    OneVsRestClassifier(LogisticRegression()),
    CalibratedClassifierCV(GaussianNB(), cv=2),
    VotingClassifier(
        [("a", LogisticRegression()), ("b", GaussianNB())], voting="soft", flatten_transform=False
    ),
    StackingClassifier([("a", LogisticRegression()), ("b", GaussianNB())]),
))  # fmt: skip
def test_classifiers(model: Any, name: str, device: tl.device) -> None:
    x, y = scaled(name)
    model.fit(x[:200], y[:200])
    is_classifier(model, x, device, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", ["wine", "breast_cancer"])
@pytest.mark.parametrize("model", named(
    DecisionTreeClassifier(max_depth=5, random_state=0), ExtraTreeClassifier(random_state=0),
    RandomForestClassifier(12, random_state=0), ExtraTreesClassifier(9, random_state=0),
    GradientBoostingClassifier(n_estimators=12, random_state=0),
    HistGradientBoostingClassifier(max_iter=15),
    AdaBoostClassifier(n_estimators=6, random_state=0),
    BaggingClassifier(n_estimators=5, random_state=0),
    OneVsRestClassifier(DecisionTreeClassifier(max_depth=3, random_state=0)),
))  # fmt: skip
def test_classifiers_of_trees(model: Any, name: str, device: tl.device) -> None:
    x, y = data(name)
    model.fit(x[:140], y[:140])
    is_classifier(model, x, device)


@pytest.mark.parametrize("name", ["iris", "breast_cancer"])
@pytest.mark.parametrize("model", named(
    LinearSVC(random_state=0), SGDClassifier(random_state=0), Perceptron(random_state=0),
    RidgeClassifier(), SVC(decision_function_shape="ovo"), LogisticRegression(),
))  # fmt: skip
def test_decision_functions(model: Any, name: str, device: tl.device) -> None:
    x, y = scaled(name)
    model.fit(x[:200], y[:200])
    is_classifier(model, x, device, rtol=1e-3, atol=1e-3, scores="decision_function")


@pytest.mark.parametrize("model", named(
    # Of two classes skl2onnx takes the softmax of -s and s, scikit-learn the sigmoid of s.
    LinearDiscriminantAnalysis(),
    # skl2onnx weighs points at no distance as if they were at 1e-6, and few are where they should.
    KNeighborsClassifier(5, weights="distance"), KNeighborsRegressor(4, weights="distance"),
    # It interpolates between the steps in another way.
    CalibratedClassifierCV(LinearSVC(random_state=0), cv=2, method="isotonic"),
    OneVsOneClassifier(LogisticRegression()),
))  # fmt: skip
def test_models_that_are_written_in_another_way(model: Any, device: tl.device) -> None:
    x, y = scaled("breast_cancer")
    model.fit(x[:200], y[:200])
    options = {id(model): {"zipmap": False}} if hasattr(model, "classes_") else None
    is_as_written(model, x, device, options=options)


@pytest.mark.parametrize("model", named(
    LinearDiscriminantAnalysis(), QuadraticDiscriminantAnalysis(),
    QuadraticDiscriminantAnalysis(reg_param=0.1),
))  # fmt: skip
def test_discriminant_analyses(model: Any, device: tl.device) -> None:
    x, y = scaled("wine")
    is_classifier(model.fit(x, y), x, device, rtol=1e-3, atol=1e-4)


def test_one_against_one(device: tl.device) -> None:
    x, y = scaled("iris")
    model = OneVsOneClassifier(LogisticRegression()).fit(x, y)
    label, _ = outputs(converted(model, x, device, options={id(model): {"zipmap": False}}), x)
    same_labels(model.predict(x), label)


def test_classifiers_of_many_classes(device: tl.device) -> None:
    x, y = data("digits", 400)
    for model in (
        LogisticRegression(max_iter=50),
        RandomForestClassifier(10, random_state=0),
        SVC(probability=True, random_state=0),
        KNeighborsClassifier(5),
        MLPClassifier((16,), max_iter=30, random_state=0),
        MultinomialNB(),
        ComplementNB(),
        CategoricalNB(min_categories=17),
    ):
        model.fit(x[:300], y[:300])
        is_classifier(model, x, device, rtol=1e-3, atol=1e-4)


def test_classifiers_with_words_for_classes(device: tl.device) -> None:
    x, y = data("iris")
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    for model in (
        LogisticRegression(max_iter=300),
        RandomForestClassifier(5, random_state=0),
        SVC(probability=True, random_state=0),
        KNeighborsClassifier(3),
        GaussianNB(),
    ):
        model.fit(x, names)
        is_classifier(model, x, device, rtol=1e-3, atol=1e-4)


def test_deviations_of_a_gaussian_process(device: tl.device) -> None:
    x, y = scaled("diabetes", 60)
    x, y = x.astype(np.float64), y / 50
    model = GaussianProcessRegressor(RBF(3.0), alpha=0.5, optimizer=None).fit(x, y)
    options = {GaussianProcessRegressor: {"return_std": True}}
    mean, deviation = outputs(converted(model, x, device, options=options), x)
    want = model.predict(x, return_std=True)
    same_numbers(want[0], mean)
    same_numbers(want[1], deviation)


@pytest.mark.parametrize("model", named(
    IsolationForest(n_estimators=15, random_state=0), OneClassSVM(nu=0.2),
    LocalOutlierFactor(10, novelty=True),
))  # fmt: skip
def test_outliers(model: Any, device: tl.device) -> None:
    x, _ = scaled("wine")
    model.fit(x[:140])
    # skl2onnx has opset 3 at most for what IsolationForest becomes.
    module = converted(model, x, device, target_opset={"": 18, "ai.onnx.ml": 3})
    label, score = outputs(module, x)
    same_labels(model.predict(x), label.ravel())
    same_numbers(model.decision_function(x), score, 1e-3, 1e-4)


def test_gaussian_mixture(device: tl.device) -> None:
    x, _ = scaled("iris")
    for form in ("full", "tied", "diag", "spherical"):
        model = GaussianMixture(3, covariance_type=form, random_state=0).fit(x)
        label, share = outputs(converted(model, x, device), x)
        same_labels(model.predict(x), label)
        same_numbers(model.predict_proba(x), share, 1e-3, 1e-4)


def test_several_targets(device: tl.device) -> None:
    x, y = scaled("diabetes")
    both = np.stack([y / 50, np.abs(y - 150) / 40], 1)
    for model in (
        MultiOutputRegressor(Ridge()),
        RandomForestRegressor(6, random_state=0),
        LinearRegression(),
        KNeighborsRegressor(3),
        MLPRegressor(hidden_layer_sizes=(6,), max_iter=50, random_state=0),
    ):
        model.fit(x, both)
        is_regressor(model, x, device, rtol=1e-3, atol=1e-4)


def test_several_classifications(device: tl.device) -> None:
    x, y = scaled("wine")
    both = np.stack([y, y == 1], 1).astype(np.int64)
    model = MultiOutputClassifier(LogisticRegression()).fit(x, both)
    module = converted(model, x, device, options={id(model): {"zipmap": False}})
    label, shares = outputs(module, x)
    same_labels(model.predict(x), label)
    for want, have in zip(model.predict_proba(x), shares, strict=True):
        same_numbers(want, have.cpu().numpy())


@pytest.mark.parametrize("words", [False, True])
def test_zipmap(words: bool, device: tl.device) -> None:
    """Probabilities by class: a dictionary a row, or an output a class."""
    x, y = scaled("wine")
    classes = np.array(["red", "rosé", "white"])[y] if words else y
    model = LogisticRegression().fit(x, classes)
    want = model.predict_proba(x)
    label, maps = outputs(converted(model, x, device), x)
    same_labels(model.predict(x), label)
    assert [list(m) for m in maps] == [model.classes_.tolist()] * len(x)
    same_numbers(want, [[float(v) for v in m.values()] for m in maps])
    module = converted(model, x, device, options={id(model): {"zipmap": "columns"}})
    label, *columns = outputs(module, x)
    same_labels(model.predict(x), label)
    same_numbers(want, np.stack(columns, 1))


@pytest.mark.parametrize("model", named(
    LogisticRegression(), SVC(probability=True, random_state=0), KNeighborsClassifier(3),
    GaussianNB(), QuadraticDiscriminantAnalysis(), MLPClassifier((6,), max_iter=50, random_state=0),
))  # fmt: skip
def test_double_inputs(model: Any, device: tl.device) -> None:
    """Rows of float64, as scikit-learn itself takes them."""
    x, y = scaled("wine")
    x = x.astype(np.float64) + 1e-9
    model.fit(x, y)
    is_classifier(model, x, device)


def test_trees_of_double_inputs(device: tl.device) -> None:
    x, y = data("diabetes")
    # scikit-learn's trees round features to float32 before they compare them.
    x = x.astype(np.float64)
    model = RandomForestRegressor(8, random_state=0).fit(x, y)
    is_regressor(model, x, device, target_opset={"": 18, "ai.onnx.ml": 3})

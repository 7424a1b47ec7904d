"""Sequential, ModuleList, ModuleDict, ParameterList, ParameterDict."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import pytest

import tensorlite as tl
from tensorlite import nn
from tensorlite.errors import ArgumentError, DimensionError


def built(nn: Any) -> dict[str, Any]:
    """One of each container, from PyTorch's layers or ours."""
    relu, tanh = nn.ReLU, nn.Tanh
    return {
        "empty": nn.Sequential(),
        "sequential": nn.Sequential(nn.Linear(2, 3), relu(), nn.Sequential(tanh())),
        "named": nn.Sequential(OrderedDict([("a", nn.Linear(2, 3)), ("b", relu())])),
        "list": nn.ModuleList([relu(), relu(), tanh(), nn.Linear(1, 2), nn.Linear(1, 2)]),
        "empty list": nn.ModuleList(),
        "blocks": nn.ModuleList([nn.Sequential(relu(), tanh()) for _ in range(3)]),
        "dict": nn.ModuleDict({"x": relu(), "y": nn.ModuleList([tanh()])}),
        "empty dict": nn.ModuleDict(),
        "empty parameters": nn.Sequential(nn.ParameterList(), nn.ParameterDict()),
    }


def test_text_and_names_are_pytorchs() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    theirs, ours = built(torch.nn), built(nn)
    for name in theirs:
        assert repr(ours[name]) == repr(theirs[name]), name
        assert list(ours[name].state_dict()) == list(theirs[name].state_dict()), name


def test_sequential_by_index_and_slice() -> None:
    a, b, c = nn.ReLU(), nn.Tanh(), nn.Sigmoid()
    net = nn.Sequential(a, b, c)
    assert net[0] is a and net[-1] is c and len(net) == 3 and list(net) == [a, b, c]
    assert list(net[1:]) == [b, c] and list(net[1:].state_dict()) == []
    for index in (3, -4):
        with pytest.raises(DimensionError, match="of 3 modules"):
            net[index]
    net[1] = c
    assert net[1] is c
    del net[0]
    assert list(net._modules) == ["0", "1"] and net[0] is c
    named = nn.Sequential(OrderedDict(a=a, b=b))
    assert named.a is a and list(named[:1]._modules) == ["a"]


def test_sequential_grows() -> None:
    a, b, c = nn.ReLU(), nn.Tanh(), nn.Sigmoid()
    net = nn.Sequential(a).append(c).insert(1, b).extend([a])
    assert list(net) == [a, b, c, a]
    assert net.pop(-1) is a and len(net) == 3
    assert list(nn.Sequential(a) + nn.Sequential(b)) == [a, b]
    assert list(2 * nn.Sequential(a)) == [a, a] == list(nn.Sequential(a) * 2)
    net = nn.Sequential(a)
    net *= 3
    assert list(net) == [a, a, a]
    with pytest.raises(ArgumentError, match="expected a Module"):
        net.append(3)  # type: ignore[arg-type]


def test_sequential_computes_in_order() -> None:
    net = nn.Sequential(nn.ReLU(), nn.Hardtanh(0, 0.5))
    assert net(tl.tensor([-1.0, 0.25, 3.0])).tolist() == [0.0, 0.25, 0.5]


def test_module_list() -> None:
    a, b, c = nn.ReLU(), nn.Tanh(), nn.Sigmoid()
    layers = nn.ModuleList([a, b])
    layers += [c]
    layers.insert(0, c)
    assert list(layers) == [c, a, b, c] and layers[-1] is c
    assert isinstance(layers[1:3], nn.ModuleList) and list(layers[1:3]) == [a, b]
    del layers[1:3]
    assert list(layers) == [c, c] and list(layers._modules) == ["0", "1"]
    assert list(layers + [a]) == [c, c, a]
    assert layers.pop() is c and len(layers) == 1
    with pytest.raises(NotImplementedError):
        layers(1)
    with pytest.raises(ArgumentError):
        layers.extend(3)  # type: ignore[arg-type]


def test_module_dict() -> None:
    a, b = nn.ReLU(), nn.Tanh()
    layers = nn.ModuleDict([("a", a)])
    layers["b"] = b
    layers.update({"c": a})
    assert list(layers) == ["a", "b", "c"] == list(layers.keys()) and "b" in layers
    assert layers["b"] is b and len(layers) == 3 and dict(layers.items())["c"] is a
    assert layers.pop("c") is a and list(layers.values()) == [a, b]
    del layers["a"]
    assert "a" not in layers
    layers.clear()
    assert len(layers) == 0
    with pytest.raises(ArgumentError):
        layers.update(3)
    with pytest.raises(ArgumentError, match="without a dot"):
        layers["a.b"] = a


def test_parameter_list() -> None:
    params = nn.ParameterList([tl.ones(2), nn.Parameter(tl.zeros(1))])
    params += [tl.ones(3)]
    assert len(params) == 3 and isinstance(params[0], nn.Parameter)
    assert list(params.state_dict()) == ["0", "1", "2"]
    assert [p.numel() for p in params[1:]] == [1, 3] and params[-1].numel() == 3
    params[0] = tl.zeros(5)
    assert params[0].numel() == 5
    with pytest.raises(DimensionError):
        params[3]
    with pytest.raises(ArgumentError):
        params.extend(tl.ones(2))  # type: ignore[arg-type]


def test_parameter_dict() -> None:
    params = nn.ParameterDict({"b": tl.ones(2), "a": tl.zeros(1)})
    assert list(params) == ["a", "b"]  # a plain dict is sorted, as PyTorch does
    params["c"] = tl.ones(3)
    assert isinstance(params["c"], nn.Parameter) and "c" in params and len(params) == 3
    assert list(params.state_dict()) == ["a", "b", "c"]
    assert params.get("z") is None and params.setdefault("a").numel() == 1
    assert [key for key, _ in params.items()] == ["a", "b", "c"]
    assert params.pop("a").numel() == 1 and params.popitem()[0] == "c"
    merged = params | {"z": tl.ones(1)}
    assert list(merged) == ["b", "z"] and list(params) == ["b"]
    params |= {"y": tl.ones(1)}
    assert list(params.copy()) == ["b", "y"] and list(reversed(params)) == ["y", "b"]
    params.clear()
    assert not list(params.parameters())

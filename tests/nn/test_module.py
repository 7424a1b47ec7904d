"""Module: parts, names, weights in and out, devices and dtypes, hooks, copies, text."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import tensorlite as tl
from tensorlite import nn
from tensorlite.errors import (
    ArgumentError,
    AutogradError,
    StateDictError,
    UnknownNameError,
)


def fill(module: Any, layers: Any, package: Any) -> None:
    """Gives a module a bit of everything, in PyTorch or here."""
    module.linear = layers.Linear(3, 2)
    module.scale = layers.Parameter(package.ones(2))
    module.register_parameter("missing", None)
    module.register_buffer("mean", package.zeros(2))
    module.register_buffer("cache", package.zeros(1), persistent=False)
    module.tied = module.linear


class Block(nn.Module):
    """A module with a bit of everything."""

    def __init__(self) -> None:
        super().__init__()
        fill(self, nn, tl)

    def forward(self, x: Any, twice: bool = False) -> Any:
        y = self.linear(x) * self.scale + self.mean
        return 2 * y if twice else y


def both() -> tuple[Any, Any]:
    """The same module in PyTorch and here."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")

    class Theirs(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            fill(self, torch.nn, torch)

        forward = Block.forward

    return Theirs(), Block()


class Net(nn.Module):
    """Two blocks, one used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.first = Block()
        self.layers = nn.ModuleList([self.first, nn.ReLU()])

    def forward(self, x: tl.Tensor) -> tl.Tensor:
        return self.layers[1](self.first(x))


def names(pairs: Any) -> list[str]:
    return [name for name, _ in pairs]


def test_names_are_pytorchs() -> None:
    theirs, ours = both()
    for method in ("named_parameters", "named_buffers", "named_modules", "named_children"):
        assert names(getattr(ours, method)()) == names(getattr(theirs, method)()), method
    for options in (
        {"prefix": "a"},
        {"recurse": False},
        {"remove_duplicate": False},
        {"prefix": "a.b", "recurse": False},
    ):
        wanted = names(theirs.named_parameters(**options))
        assert names(ours.named_parameters(**options)) == wanted
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert list(ours.state_dict(prefix="net.")) == list(theirs.state_dict(prefix="net."))
    assert names(ours.named_modules(prefix="x", remove_duplicate=False)) == names(
        theirs.named_modules(prefix="x", remove_duplicate=False)
    )


def test_text_is_pytorchs() -> None:
    theirs, ours = both()
    assert repr(ours).replace("Block", "Theirs") == repr(theirs)


def test_shared_modules_are_named_once() -> None:
    net = Net()
    assert names(net.named_modules()) == ["", "first", "first.linear", "layers", "layers.1"]
    assert len(list(net.parameters())) == 3
    assert len(net.state_dict()) == 12


def test_attributes() -> None:
    block = Block()
    assert block.missing is None and block.linear is block.tied
    with pytest.raises(UnknownNameError, match="linaer.*Did you mean 'linear'"):
        block.linaer  # noqa: B018
    with pytest.raises(AttributeError):
        block.nothing  # noqa: B018
    with pytest.raises(ArgumentError, match="Parameter or None"):
        block.scale = tl.ones(2)
    with pytest.raises(ArgumentError, match="Module or None"):
        block.linear = 3
    with pytest.raises(ArgumentError, match="Tensor or None"):
        block.mean = 3
    block.mean = tl.ones(2)
    assert "mean" in dict(block.named_buffers())
    block.mean = None
    assert "mean" not in block.state_dict()
    block.scale = None
    assert "scale" not in block.state_dict()
    block.note = 3
    block.note = nn.ReLU()
    assert "note" in dict(block.named_children())
    del block.note
    assert not hasattr(block, "note")
    assert {"linear", "scale", "mean"} <= set(dir(block))


def test_a_buffer_by_assignment() -> None:
    block = nn.Module()
    block.kept = nn.Buffer(tl.ones(1))
    block.dropped = nn.Buffer(tl.ones(1), persistent=False)
    assert list(block.state_dict()) == ["kept"]
    assert names(block.named_buffers()) == ["kept", "dropped"]


def test_names_that_cannot_be() -> None:
    block = Block()
    for name in ("", "a.b", 3):
        with pytest.raises(ArgumentError, match="name of a buffer"):
            block.register_buffer(name, tl.ones(1))  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="has an attribute 'forward'"):
        block.register_parameter("forward", None)
    with pytest.raises(ArgumentError, match="wrap it in nn.Parameter"):
        block.register_parameter("new", tl.ones(1))  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="expected a Module"):
        block.add_module("new", 3)  # type: ignore[arg-type]


def test_init_must_be_called_first() -> None:
    class Early(nn.Module):
        def __init__(self) -> None:
            self.weight = nn.Parameter(tl.ones(1))

    with pytest.raises(ArgumentError, match="super"):
        Early()


def test_parts_by_dotted_name() -> None:
    net = Net()
    assert net.get_submodule("first.linear") is net.first.linear
    assert net.get_submodule("") is net
    assert net.get_parameter("first.linear.weight") is net.first.linear.weight
    assert net.get_buffer("first.mean") is net.first.mean
    with pytest.raises(AttributeError, match="first.liner"):
        net.get_submodule("first.liner")
    with pytest.raises(AttributeError, match="no parameter 'first.mean'"):
        net.get_parameter("first.mean")
    net.set_submodule("first.linear", nn.Identity())
    assert isinstance(net.first.linear, nn.Identity)
    with pytest.raises(UnknownNameError):
        net.set_submodule("first.other", nn.Identity(), strict=True)


def test_weights_go_out_and_in() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    theirs, ours = both()
    result = ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    assert repr(result) == "<All keys matched successfully>"
    x = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    wanted = theirs(torch.from_numpy(x)).detach().numpy()
    np.testing.assert_allclose(ours(tl.from_numpy(x)).numpy(), wanted, rtol=1e-5, atol=1e-6)


def test_state_dict_shares_memory() -> None:
    layer = nn.Linear(2, 2)
    layer.state_dict()["weight"][...] = 7
    assert layer.weight.tolist() == [[7, 7], [7, 7]]
    weight = layer.weight
    layer.load_state_dict({"weight": tl.zeros(2, 2), "bias": tl.zeros(2)})
    assert layer.weight is weight and weight.tolist() == [[0, 0], [0, 0]]


def test_what_does_not_fit_is_listed() -> None:
    net = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    state = net.state_dict()
    del state["1.bias"], state["0.weight"]
    state["z"] = state["a"] = tl.ones(1)
    state["1.weight"] = tl.ones(4, 4)
    with pytest.raises(StateDictError) as caught:
        net.load_state_dict(state)
    text = str(caught.value)
    assert "missing (2): 0.weight, 1.bias" in text
    assert "unexpected (2): a, z" in text
    assert "1.weight: expected shape (1, 3), got (4, 4)" in text
    assert isinstance(caught.value, RuntimeError)
    with pytest.raises(StateDictError, match="expected shape"):
        net.load_state_dict(state, strict=False)
    state["1.weight"] = tl.ones(1, 3)
    result = net.load_state_dict(state, strict=False)
    assert (result.missing_keys, result.unexpected_keys) == (["0.weight", "1.bias"], ["z", "a"])


def test_a_prefix_is_noticed() -> None:
    net = nn.Sequential(nn.Linear(2, 3))
    state = {f"module.{name}": t for name, t in net.state_dict().items()}
    with pytest.raises(StateDictError, match="have 'module.' in front"):
        net.load_state_dict(state)
    with pytest.raises(StateDictError, match="begin with '0.'"):
        net.load_state_dict(net[0].state_dict())


@pytest.mark.parametrize("bad", [3, None, ["weight"]])
def test_only_dicts_are_loaded(bad: Any) -> None:
    with pytest.raises(ArgumentError, match="expected a dict"):
        nn.Linear(1, 1).load_state_dict(bad)
    with pytest.raises(StateDictError, match="expected a tensor"):
        nn.Linear(1, 1).load_state_dict({"weight": "a", "bias": tl.ones(1)})


def test_loading_keeps_dtype_unless_assigned() -> None:
    layer = nn.Linear(2, 2, dtype=tl.float16)
    state = {"weight": tl.ones(2, 2), "bias": tl.ones(2)}
    layer.load_state_dict(state)
    assert layer.weight.dtype is tl.float16
    layer.load_state_dict(state, assign=True)
    assert layer.weight.dtype is tl.float32 and isinstance(layer.weight, nn.Parameter)


def test_extra_state() -> None:
    class Extra(nn.Module):
        value = 3

        def get_extra_state(self) -> Any:
            return self.value

        def set_extra_state(self, state: Any) -> None:
            self.value = state

    one, other = nn.Sequential(Extra()), nn.Sequential(Extra())
    one[0].value = 5
    assert list(one.state_dict()) == ["0._extra_state"]
    other.load_state_dict(one.state_dict())
    assert other[0].value == 5
    with pytest.raises(StateDictError, match="_extra_state"):
        other.load_state_dict({})


def test_versions_travel_along() -> None:
    norm = nn.BatchNorm1d(2)
    state = norm.state_dict()
    assert state._metadata[""] == {"version": 2}
    old = {name: t for name, t in state.items() if name != "num_batches_tracked"}
    assert not norm.load_state_dict(old).missing_keys
    del state["num_batches_tracked"]
    with pytest.raises(StateDictError, match="num_batches_tracked"):
        norm.load_state_dict(state)


def test_dtypes() -> None:
    net = nn.Sequential(nn.BatchNorm1d(2), nn.Linear(2, 2))
    weight = net[1].weight
    assert net.half() is net and net[1].weight is weight and weight.dtype is tl.float16
    assert net[0].num_batches_tracked.dtype is tl.int64
    for method in ("double", "float", "bfloat16"):
        found = getattr(net, method)()[0].running_mean.dtype
        assert found is getattr(tl, "float64" if method == "double" else found.name)
    assert net.to(tl.float64)[1].bias.dtype is tl.float64
    assert net.to(dtype=tl.float32)[1].bias.dtype is tl.float32
    assert net.to(tl.ones(1, dtype=tl.float16))[1].bias.dtype is tl.float16
    with pytest.raises(ArgumentError, match="float dtype"):
        net.to(tl.int64)


def test_devices(device: tl.device) -> None:
    net = nn.Sequential(nn.BatchNorm1d(2), nn.Linear(2, 2)).eval()
    expected = net(tl.ones(3, 2)).numpy()
    assert net.to(device) is net
    assert {t.device for t in net.state_dict().values()} == {device}
    found = net(tl.ones(3, 2, device=device))
    assert found.device is device
    np.testing.assert_allclose(found.cpu().numpy(), expected, rtol=1e-5)
    assert net.to("cpu")[1].weight.device == "cpu"
    assert net.to_empty(device=device)[1].weight.device is device
    made = nn.Linear(2, 2, device=device, dtype=tl.float64)
    assert made.weight.device is device and made.weight.dtype is tl.float64


def test_tied_weights_stay_tied() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    net[1].weight = net[0].weight
    net.double()
    assert net[0].weight is net[1].weight
    twin = copy.deepcopy(net)
    assert twin[0].weight is twin[1].weight is not net[0].weight


def test_modes() -> None:
    net = Net()
    assert net.training and not net.eval().first.linear.training
    assert net.train().first.linear.training
    with pytest.raises(ArgumentError):
        net.train("yes")  # type: ignore[arg-type]
    assert net.requires_grad_(False) is net and net.zero_grad() is None
    for call in (net.requires_grad_, lambda: net.register_full_backward_hook(print)):
        with pytest.raises(AutogradError):
            call()
    with pytest.raises(AutogradError):
        nn.Parameter(tl.ones(1), requires_grad=True)


def test_apply_visits_children_first() -> None:
    seen: list[str] = []
    net = nn.Sequential(nn.Linear(1, 1), nn.ReLU())
    assert net.apply(lambda m: seen.append(type(m).__name__)) is net
    assert seen == ["Linear", "ReLU", "Sequential"]


def test_hooks_change_what_goes_in_and_comes_out() -> None:
    block, log = Block(), []
    plain = block(tl.ones(1, 3))
    before = block.register_forward_pre_hook(lambda m, args: (args[0] * 2,))
    after = block.register_forward_hook(lambda m, args, out: log.append(args[0].max().item()))
    changed = block(tl.ones(1, 3))
    assert log == [2.0] and not tl.equal(changed, plain)
    before.remove()
    after.remove()
    after.remove()
    assert tl.equal(block(tl.ones(1, 3)), plain) and log == [2.0]
    with block.register_forward_hook(lambda m, args, out: out * 0):
        assert block(tl.ones(1, 3)).abs().sum() == 0
    assert tl.equal(block(tl.ones(1, 3)), plain)


def test_hooks_with_keywords_and_order() -> None:
    block, log = Block(), []
    block.register_forward_pre_hook(
        lambda m, args, kwargs: (args, {"twice": True}), with_kwargs=True
    )
    block.register_forward_hook(
        lambda m, args, kwargs, out: log.append(kwargs["twice"]), with_kwargs=True
    )
    block.register_forward_hook(lambda m, args, out: log.append("last"))
    block.register_forward_hook(lambda m, args, out: log.append("first"), prepend=True)
    block(tl.ones(1, 3))
    assert log == ["first", True, "last"]


def test_a_hook_that_is_always_called() -> None:
    block, log = Block(), []
    block.register_forward_hook(lambda m, args, out: log.append(out), always_call=True)
    with pytest.raises(tl.TensorliteError):
        block(tl.ones(1, 4))
    assert log == [None]


def test_hooks_around_weights() -> None:
    layer, log = nn.Linear(1, 1), []
    layer.register_state_dict_pre_hook(lambda m, prefix, keep: log.append("before"))
    layer.register_state_dict_post_hook(lambda m, state, prefix, meta: state.update(extra=1))
    state = layer.state_dict()
    assert log == ["before"] and state["extra"] == 1
    layer.register_load_state_dict_pre_hook(lambda m, state, *rest: state.pop("extra"))
    layer.register_load_state_dict_post_hook(lambda m, keys: log.append(keys.missing_keys))
    layer.load_state_dict(state)
    assert log == ["before", []]


def test_hooks_of_loading_know_the_place() -> None:
    layer, seen = nn.Linear(1, 1), []
    layer._register_load_state_dict_pre_hook(lambda state, prefix, *rest: seen.append(prefix))
    net = nn.Sequential(layer)
    net.load_state_dict(net.state_dict())
    assert seen == ["0."]


def test_a_module_that_loads_its_weights_itself() -> None:
    class Renamed(nn.Linear):
        def _load_from_state_dict(self, state: Any, prefix: str, *rest: Any) -> None:
            if f"{prefix}kernel" in state:
                state[f"{prefix}weight"] = state.pop(f"{prefix}kernel")
            super()._load_from_state_dict(state, prefix, *rest)

    layer = Renamed(1, 1, bias=False)
    layer.load_state_dict({"kernel": tl.tensor([[4.0]])})
    assert layer.weight.item() == 4


def test_copies_and_pickles() -> None:
    net = Net()
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert twin.first is twin.layers[0] and twin.first is not net.first
        assert isinstance(twin.first.scale, nn.Parameter)
        assert tl.equal(twin(tl.ones(2, 3)), net(tl.ones(2, 3)))
        twin.first.scale[...] = 0
        assert net.first.scale.sum() == 2
    shallow = copy.copy(net)
    assert shallow.first is net.first


def test_forward_must_be_defined() -> None:
    with pytest.raises(NotImplementedError, match="no forward"):
        nn.Module()(1)


def test_parameters_share_memory_and_say_what_they_are() -> None:
    data = tl.ones(2)
    parameter = nn.Parameter(data)
    parameter[0] = 5
    assert data[0] == 5 and not parameter.requires_grad
    assert repr(parameter).startswith("Parameter containing:\ntensor([5., 1.])")
    parameter.data.mul_(2)
    assert data[0] == 10
    parameter.data = tl.zeros(3)
    assert parameter.tolist() == [0, 0, 0] and data[0] == 10
    assert type(parameter + 1) is tl.Tensor and type(parameter[0]) is tl.Tensor
    assert type(parameter.data) is tl.Tensor


def test_lazy_parameters_have_no_shape_yet() -> None:
    lazy = nn.LazyLinear(2)
    with pytest.raises(ArgumentError, match="lazy"):
        lazy.weight.shape  # noqa: B018
    assert lazy.has_uninitialized_params()
    lazy.load_state_dict(nn.Linear(3, 2).state_dict())
    assert lazy.weight.shape == (2, 3) and lazy(tl.ones(1, 3)).shape == (1, 2)
    assert type(lazy) is nn.Linear

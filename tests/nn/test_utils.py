"""nn.utils: packed sequences, weight and spectral norm, parametrisations, fusing, vectors."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from test_operators import Case, same

import tensorlite as tl
from tensorlite import nn
from tensorlite.errors import ArgumentError, ShapeError, StateDictError
from tensorlite.nn import utils

ANY = Case("nn.utils", (), {}, ("float32",), True, 1e-5)
LENGTHS = [[4, 3, 1], [2, 4, 3]]


def sequences(lengths: list[int]) -> list[Any]:
    random = np.random.default_rng(0)
    return [random.normal(size=(n, 3)).astype(np.float32) for n in lengths]


@pytest.mark.parametrize("lengths", LENGTHS)
@pytest.mark.parametrize("batch_first", [False, True])
def test_packing_is_pytorchs(lengths: list[int], batch_first: bool) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    results = []
    for package, make in ((torch, torch.from_numpy), (tl, tl.from_numpy)):
        rnn = package.nn.utils.rnn
        items = [make(s) for s in sequences(lengths)]
        padded = rnn.pad_sequence(items, batch_first=batch_first, padding_value=9.0)
        left = rnn.pad_sequence(items, batch_first=batch_first, padding_side="left")
        packed = rnn.pack_padded_sequence(padded, lengths, batch_first, enforce_sorted=False)
        unpacked = rnn.pad_packed_sequence(packed, batch_first, -1.0, total_length=6)
        again = rnn.unpack_sequence(rnn.pack_sequence(items, enforce_sorted=False))
        parts = rnn.unpad_sequence(padded + 0, package.tensor(lengths), batch_first)
        results.append([padded, left, list(packed), list(unpacked), again, parts])
    same(*results, ANY)


def test_lengths_must_fit() -> None:
    rnn, padded = utils.rnn, tl.ones(4, 2, 3)
    with pytest.raises(ShapeError, match="enforce_sorted=False"):
        rnn.pack_padded_sequence(padded, [2, 4])
    for lengths in ([4], [5, 1], [4, 0]):
        with pytest.raises(ShapeError, match="lengths from 1 to 4"):
            rnn.pack_padded_sequence(padded, lengths)
    with pytest.raises(ShapeError, match="total_length"):
        rnn.pad_packed_sequence(rnn.pack_padded_sequence(padded, [4, 2]), total_length=3)
    with pytest.raises(ArgumentError):
        rnn.pad_sequence([])


@pytest.mark.parametrize("name", ["RNN", "GRU", "LSTM"])
@pytest.mark.parametrize("lengths", LENGTHS)
def test_recurrent_layers_take_packed_sequences(
    name: str, lengths: list[int], device: tl.device
) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    theirs = getattr(torch.nn, name)(3, 4, num_layers=2, bidirectional=True)
    ours = getattr(nn, name)(3, 4, num_layers=2, bidirectional=True)
    ours.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    ours.to(device)
    packed = torch.nn.utils.rnn.pack_sequence(
        [torch.from_numpy(s) for s in sequences(lengths)], enforce_sorted=False
    )
    with torch.no_grad():
        wanted, state = theirs(packed)
    found, last = ours(
        utils.rnn.pack_sequence(
            [tl.from_numpy(s).to(device) for s in sequences(lengths)], enforce_sorted=False
        )
    )
    assert isinstance(found, utils.rnn.PackedSequence)
    same(wanted.data, found.data, ANY)
    same(state, last, ANY)
    assert found.to(tl.float16).data.dtype is tl.float16 and found.cpu().data.device == "cpu"


NORMED = {
    "weight_norm": lambda package, layer: package.nn.utils.weight_norm(layer),
    "weight_norm, one": lambda package, layer: package.nn.utils.weight_norm(layer, dim=None),
    "spectral_norm": lambda package, layer: package.nn.utils.spectral_norm(layer),
    "new weight_norm": lambda package, layer: package.nn.utils.parametrizations.weight_norm(layer),
    "new spectral_norm": (
        lambda package, layer: package.nn.utils.parametrizations.spectral_norm(layer)
    ),
}


@pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")
@pytest.mark.filterwarnings("ignore:.*spectral_norm.*:FutureWarning")
@pytest.mark.parametrize("norm", sorted(NORMED))
@pytest.mark.parametrize("kind", ["Linear", "Conv1d", "ConvTranspose1d"])
def test_normed_weights_load(norm: str, kind: str, device: tl.device) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    args = (4, 6) if kind == "Linear" else (4, 6, 3)
    theirs = NORMED[norm](torch, getattr(torch.nn, kind)(*args)).eval()
    ours = NORMED[norm](tl, getattr(nn, kind)(*args)).eval()
    assert list(ours.state_dict()) == list(theirs.state_dict())
    x = tl.randn(2, 4) if kind == "Linear" else tl.randn(2, 4, 9)
    with torch.no_grad():
        for change in (1.0, 2.0):  # what was computed first is computed again after loading
            state = {k: v * change for k, v in theirs.state_dict().items()}
            theirs.load_state_dict(state)
            ours.load_state_dict({k: v.numpy() for k, v in state.items()})
            ours.to(device)
            wanted = theirs(torch.from_numpy(x.numpy()))
            same(wanted, ours(x.to(device)), ANY)
            same(wanted, copy.deepcopy(ours)(x.to(device)), ANY)
    ours.double()
    assert ours(x.to(device).double()).dtype is tl.float64


def test_norms_can_be_removed() -> None:
    layer = nn.Linear(3, 2)
    x, wanted = tl.ones(1, 3), layer(tl.ones(1, 3))
    utils.weight_norm(layer)
    with pytest.raises(ArgumentError):
        utils.weight_norm(layer)
    assert tl.allclose(layer(x), wanted)
    utils.remove_weight_norm(layer)
    assert list(layer.state_dict()) == ["bias", "weight"] and tl.allclose(layer(x), wanted)
    with pytest.raises(ArgumentError, match="does not have"):
        utils.remove_weight_norm(layer)
    utils.spectral_norm(layer)
    utils.remove_spectral_norm(layer)
    assert not layer._forward_pre_hooks and not layer._load_state_dict_post_hooks


class Symmetric(nn.Module):
    """A matrix made symmetric."""

    def forward(self, x: tl.Tensor) -> tl.Tensor:
        return x.triu() + x.triu(1).transpose(-1, -2)

    def right_inverse(self, x: tl.Tensor) -> tl.Tensor:
        return x.triu()


def test_parametrisations() -> None:
    parametrize = utils.parametrize
    layer = nn.Linear(3, 3)
    parametrize.register_parametrization(layer, "weight", Symmetric())
    assert parametrize.is_parametrized(layer, "weight") and parametrize.is_parametrized(layer)
    assert tl.equal(layer.weight, layer.weight.t())
    assert type(layer).__name__ == "ParametrizedLinear" and isinstance(layer, nn.Linear)
    assert parametrize.type_before_parametrizations(layer) is nn.Linear
    layer.weight = tl.full((3, 3), 2.0)
    assert layer.weight.tolist() == [[2.0] * 3] * 3
    parametrize.register_parametrization(layer, "weight", nn.Softplus())
    assert layer.weight[0, 0] > 2
    with parametrize.cached():
        kept = layer.eval().weight
        assert layer.weight is kept
    parametrize.remove_parametrizations(layer, "weight")
    assert type(layer) is nn.Linear and tl.equal(layer.weight, kept)
    assert isinstance(layer.weight, nn.Parameter)
    with pytest.raises(ArgumentError, match="not parametrized"):
        parametrize.remove_parametrizations(layer, "weight")
    with pytest.raises(ArgumentError, match="no parameter or buffer"):
        parametrize.register_parametrization(layer, "other", Symmetric())
    with pytest.raises(ShapeError, match="unsafe=True"):
        parametrize.register_parametrization(layer, "weight", nn.Flatten(0))


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("bias", [True, False])
def test_batch_norm_folds_into_what_is_in_front(affine: bool, bias: bool) -> None:
    for before, norm, x in (
        (nn.Conv2d(3, 4, 3, bias=bias), nn.BatchNorm2d(4, affine=affine), tl.randn(2, 3, 6, 6)),
        (nn.Linear(3, 4, bias=bias), nn.BatchNorm1d(4, affine=affine), tl.randn(2, 3)),
        (
            nn.ConvTranspose2d(3, 4, 3, bias=bias),
            nn.BatchNorm2d(4, affine=affine),
            tl.randn(2, 3, 6, 6),
        ),
    ):
        for tensor in (*norm.parameters(), norm.running_mean, norm.running_var):
            tensor.uniform_(0.5, 2)
        with pytest.raises(ArgumentError, match="eval"):
            utils.fuse_conv_bn_eval(before, norm)
        before.eval()
        norm.eval()
        if isinstance(before, nn.Linear):
            fused = utils.fuse_linear_bn_eval(before, norm)
        else:
            turned = isinstance(before, nn.ConvTranspose2d)
            fused = utils.fuse_conv_bn_eval(before, norm, transpose=turned)
        assert type(fused) is type(before)
        np.testing.assert_allclose(fused(x).numpy(), norm(before(x)).numpy(), rtol=1e-4, atol=1e-4)


def test_vectors() -> None:
    layer = nn.Linear(3, 2)
    vector = utils.parameters_to_vector(layer.parameters())
    assert vector.shape == (8,)
    utils.vector_to_parameters(vector * 2, layer.parameters())
    assert tl.equal(utils.parameters_to_vector(layer.parameters()), vector * 2)
    with pytest.raises(ShapeError):
        utils.vector_to_parameters(vector[:3], layer.parameters())


def test_a_module_with_other_weights() -> None:
    net = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False))
    net[1].weight = net[0].weight
    before = net[0].weight
    call = utils.stateless.functional_call
    assert call(net, {"0.weight": tl.eye(2)}, tl.tensor([1.0, 2.0])).tolist() == [1.0, 2.0]
    assert net[0].weight is before and net[1].weight is before
    with pytest.raises(StateDictError, match="2.weight"):
        call(net, {"2.weight": tl.eye(2)}, tl.ones(2))
    with pytest.raises(StateDictError, match="missing: 1.weight"):
        call(net, {"0.weight": tl.eye(2)}, tl.ones(2), strict=True)


def test_names_behind_data_parallel() -> None:
    net = nn.DataParallel(nn.Linear(2, 1))
    assert list(net.state_dict()) == ["module.weight", "module.bias"]
    assert tl.equal(net(tl.ones(1, 2)), net.module(tl.ones(1, 2)))

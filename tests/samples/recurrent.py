"""Samples of tensorlite.ops.recurrent."""

from . import T, case

for name, gates in (("rnn_tanh", 1), ("rnn_relu", 1), ("gru", 3), ("lstm", 4)):
    pairs = name == "lstm"
    small = {"low": -0.5, "high": 0.5}

    def params(inputs: int, gates: int = gates, layers: int = 1, both: int = 1) -> list[T]:
        """The parameters of layers of 4 hidden units."""
        found = []
        for layer in range(layers):
            width = 4 * both if layer else inputs
            one = [T(gates * 4, width, low=-0.5, high=0.5), T(gates * 4, 4, low=-0.5, high=0.5)]
            found += [*one, T(gates * 4), T(gates * 4)] * both
        return found

    def state(layers: int, pairs: bool = pairs) -> object:
        """The first states of a batch of 2."""
        return (T(layers, 2, 4), T(layers, 2, 4)) if pairs else T(layers, 2, 4)

    flags = (0.0, False, False)
    case(name, T(5, 2, 3), state(1), params(3), True, 1, *flags, False, dtypes="float32 float64")
    case(name, T(2, 5, 3), state(1), params(3), True, 1, *flags, True)
    case(name, T(5, 2, 3), state(4), params(3, layers=2, both=2), True, 2, 0.0, False, True, False)
    weights = [T(gates * 4, 3, **small), T(gates * 4, 4, **small)]
    case(name, T(5, 2, 3), state(1), weights, False, 1, *flags, False)
    hx = (T(2, 4), T(2, 4)) if pairs else T(2, 4)
    case(f"{name}_cell", T(2, 3), hx, *params(3), dtypes="float32 float64")
    case(f"{name}_cell", T(2, 3), hx, *weights)

"""Samples of tensorlite.ops.activation."""

from . import FLOATS, INTS, REAL, T, case

F = "nn.functional"
for name in ("relu", f"{F}.relu6", f"{F}.hardtanh"):
    dtypes = FLOATS if name.endswith("hardtanh") else REAL
    case(name, T(4, 5, low=-8, high=8), dtypes=dtypes)
    case(name, T())
    case(name, T(0, 3))
case("tanh", T(4, 5), dtypes=f"{REAL} bool complex64")
case("tanh", T())
for name in (
    "gelu silu mish softplus leaky_relu elu hardsigmoid hardswish logsigmoid softshrink"
).split():
    case(f"{F}.{name}", T(4, 5, low=-8, high=8), dtypes=FLOATS)
    case(f"{F}.{name}", T())
    case(f"{F}.{name}", T(0, 3))
for name in ("selu", "celu", "hardshrink", "rrelu"):
    case(name, T(4, 5, low=-8, high=8), dtypes=FLOATS)
    case(name, T())
for name in ("softsign", "tanhshrink"):
    case(f"{F}.{name}", T(4, 5), dtypes=f"{FLOATS} int64 complex64")
case(f"{F}.silu", T(4, 5), dtypes="complex64")
case(f"{F}.gelu", T(4, 5), approximate="tanh", dtypes=FLOATS)
case(f"{F}.hardtanh", T(4, 5), -0.5, 2.0, dtypes=FLOATS)
case(f"{F}.hardtanh", T(4, 5), -1, 2, dtypes=INTS.replace(" uint8", ""))
case(f"{F}.leaky_relu", T(4, 5), 0.25, dtypes=FLOATS)
case(f"{F}.elu", T(4, 5), 2.0, dtypes=FLOATS)
case("celu", T(4, 5), 0.5, dtypes=FLOATS)
case("rrelu", T(4, 5), 0.2, 0.4)
case("rrelu", T(4, 5), training=True, exact=False)
case(f"{F}.softplus", T(4, 5), 2.0, 3.0, dtypes=FLOATS)
case("hardshrink", T(4, 5), 1.0, dtypes=FLOATS)
case(f"{F}.softshrink", T(4, 5), 1.0, dtypes=FLOATS)
case("threshold", T(4, 5), 0.5, 2.0, dtypes=FLOATS)
case("threshold", T(4, 5), 1, 2, dtypes=INTS)
case("prelu", T(2, 3, 4), T(1), dtypes=FLOATS)
case("prelu", T(2, 3, 4), T(3), dtypes=FLOATS)
case("prelu", T(5), T(1))
case("prelu", T(), T())
case(f"{F}.glu", T(4, 6), dtypes=FLOATS)
case(f"{F}.glu", T(4, 6), 0)
for name in ("relu", "relu6", "elu", "hardswish", "leaky_relu", "silu"):
    case(f"{F}.{name}" if name != "relu" else name, T(3, 4), dtypes="float32 bfloat16")

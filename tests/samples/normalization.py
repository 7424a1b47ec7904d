"""Samples of tensorlite.ops.normalization and tensorlite.ops.native_norms."""

from . import FLOATS, T, case

F = "nn.functional"
VAR = T(4, low=0.5, high=2)
for sizes in ((), (5,), (5, 6), (2, 3, 5)):
    case(f"{F}.batch_norm", T(3, 4, *sizes), T(4), VAR, T(4), T(4), dtypes=FLOATS)
    case(f"{F}.batch_norm", T(3, 4, *sizes), None, None, training=True, dtypes=FLOATS)
case(f"{F}.batch_norm", T(3, 4, 5), T(4), VAR, T(4), None, False, 0.2, 1e-3)
case(f"{F}.batch_norm", T(3, 4, 5), T(4), VAR, None, T(4), True)
case(f"{F}.batch_norm", T(0, 4, 5), T(4), VAR)
for shape in ((5,), (4, 5)):
    case(f"{F}.layer_norm", T(3, 4, 5), shape, T(*shape), T(*shape), dtypes=FLOATS)
    case(f"{F}.layer_norm", T(3, 4, 5), shape, T(*shape), eps=1e-3)
    case(f"{F}.layer_norm", T(3, 4, 5), shape)
    case(f"{F}.rms_norm", T(3, 4, 5), shape, T(*shape), dtypes=FLOATS)
    case(f"{F}.rms_norm", T(3, 4, 5), shape, eps=1e-3)
case(f"{F}.layer_norm", T(0, 5), (5,))
for sizes in ((), (5,), (5, 6)):
    case(f"{F}.group_norm", T(3, 4, *sizes), 2, T(4), T(4), dtypes=FLOATS)
case(f"{F}.group_norm", T(3, 4, 5), 4, eps=1e-3)
case(f"{F}.group_norm", T(0, 4), 2)
for sizes in ((5,), (5, 6), (2, 3, 5)):
    case(f"{F}.instance_norm", T(3, 4, *sizes), None, None, T(4), T(4), dtypes=FLOATS)
case(f"{F}.instance_norm", T(3, 4, 5), T(4), VAR, use_input_stats=False)
case(f"{F}.instance_norm", T(3, 4, 5), T(4), VAR, eps=1e-3)
for size in (1, 2, 5, 9):
    case(f"{F}.local_response_norm", T(2, 6, 3), size, 0.5, 0.75, 2.0, dtypes=FLOATS)
case(f"{F}.local_response_norm", T(2, 6, 3, 4), 3, 0.5)
for dim in (0, 1, -1):
    case(f"{F}.normalize", T(3, 4), dim=dim, dtypes="float32 float64")
case(f"{F}.normalize", T(3, 4), 1.0, eps=0.5)
case(f"{F}.normalize", T(3, 4), float("inf"), 0)
case("batch_norm", T(3, 4, 5), T(4), T(4), T(4), VAR, False, 0.1, 1e-5, False)
case("instance_norm", T(3, 4, 5), T(4), T(4), T(4), VAR, True, 0.1, 1e-5, False)
case("native_batch_norm", T(3, 4, 5), T(4), T(4), T(4), VAR, True, 0.1, 1e-5)
case("native_batch_norm", T(3, 4, 5), T(4), T(4), T(4), VAR, False, 0.1, 1e-5)
case("native_layer_norm", T(3, 4, 5), (4, 5), T(4, 5), T(4, 5), 1e-5)

"""Samples of tensorlite.ops.embedding."""

from . import FLOATS, T, case

F = "nn.functional"
INDEX = {"low": 0, "high": 6, "dtype": "int64"}
case(f"{F}.embedding", T(2, 3, **INDEX), T(6, 4), dtypes=FLOATS)
case(f"{F}.embedding", T(**INDEX), T(6, 4))
case(f"{F}.embedding", T(0, **INDEX), T(6, 4))
case(f"{F}.embedding", T(3, low=0, high=6, dtype="int32"), T(6, 4), padding_idx=-1)
case(f"{F}.embedding", T(2, 3, **INDEX), T(6, 4), max_norm=1.0, dtypes="float32 float64")
case(f"{F}.embedding", T(2, 3, **INDEX), T(6, 4), max_norm=1.0, norm_type=1.0)
for mode in ("sum", "mean", "max"):
    case(f"{F}.embedding_bag", T(2, 3, **INDEX), T(6, 4), mode=mode, dtypes=FLOATS)
    offsets = T(1, low=0, high=1, dtype="int64")
    case(f"{F}.embedding_bag", T(5, **INDEX), T(6, 4), offsets, mode=mode)
    case(f"{F}.embedding_bag", T(2, 3, **INDEX), T(6, 4), mode=mode, padding_idx=2)
case(f"{F}.embedding_bag", T(2, 3, **INDEX), T(6, 4), mode="sum", per_sample_weights=T(2, 3))
case(f"{F}.embedding_bag", T(2, 3, **INDEX), T(6, 4), max_norm=1.0)
case(f"{F}.one_hot", T(2, 3, **INDEX))
case(f"{F}.one_hot", T(2, 3, **INDEX), 8)
case(f"{F}.one_hot", T(**INDEX), 8)

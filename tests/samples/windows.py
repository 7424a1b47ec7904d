"""Samples of tensorlite.ops.windows."""

from . import D, case

for name in ("hann", "hamming", "blackman", "bartlett", "kaiser"):
    for length in (0, 1, 2, 7):
        case(f"{name}_window", length)
        case(f"{name}_window", length, periodic=False)
    case(f"{name}_window", 8, dtype=D("float64"))
case("hamming_window", 6, True, 0.6, 0.3)
case("kaiser_window", 6, False, 5.0)
for name in (
    "hann", "hamming", "general_hamming", "blackman", "nuttall", "bartlett", "kaiser", "cosine",
    "exponential", "gaussian",
):  # fmt: skip
    for length in (0, 1, 2, 7):
        case(f"signal.windows.{name}", length)
        case(f"signal.windows.{name}", length, sym=False)
    case(f"signal.windows.{name}", 8, dtype=D("float64"))
case("signal.windows.general_hamming", 6, alpha=0.6)
case("signal.windows.general_cosine", 6, a=[0.5, 0.3, 0.2])
case("signal.windows.kaiser", 6, beta=3.0)
case("signal.windows.exponential", 6, center=2.0, tau=0.7, sym=False)
case("signal.windows.gaussian", 6, std=0.7)

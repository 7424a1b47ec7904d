"""Samples of tensorlite.ops.fft."""

from . import T, case

REAL = "float32 float64 int64 bool"
ANY = f"{REAL} complex64 complex128"
for name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft"):
    kinds = REAL if name in ("rfft", "ihfft") else ANY
    case(f"fft.{name}", T(3, 8), dtypes=kinds)
    case(f"fft.{name}", T(3, 7), 5, dtypes=kinds)
    case(f"fft.{name}", T(3, 7), 9, 0, "ortho", dtypes=kinds)
    case(f"fft.{name}", T(6), norm="forward", dtypes=kinds)
for name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft"):
    kinds = "float32 float64" if name in ("rfft", "ihfft") else "float32 complex64 complex128"
    for suffix in ("2", "n"):
        case(f"fft.{name}{suffix}", T(3, 4, 5), dtypes=kinds)
        case(f"fft.{name}{suffix}", T(3, 4, 5), (6, -1), (0, 1), "ortho", dtypes=kinds)
    case(f"fft.{name}n", T(3, 4, 5), (2, 7), dtypes=kinds)
for name in ("fftshift", "ifftshift"):
    case(f"fft.{name}", T(4, 5), dtypes=f"{ANY} bfloat16")
    case(f"fft.{name}", T(4, 5), 1, dtypes=ANY)
for name in ("fftfreq", "rfftfreq"):
    case(f"fft.{name}", 5)
    case(f"fft.{name}", 6, 0.5)

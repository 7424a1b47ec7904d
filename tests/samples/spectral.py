"""Samples of tensorlite.ops.spectral."""

from . import T, case

KINDS = "float32 float64"
case("stft", T(2, 40), 8, return_complex=True, dtypes=f"{KINDS} complex64")
case("stft", T(40), 8, 3, 6, T(6, low=0), return_complex=False, dtypes=KINDS)
for mode in ("reflect", "replicate", "constant", "circular"):
    case("stft", T(2, 40), 8, pad_mode=mode, return_complex=True)
case("stft", T(40), 9, center=False, normalized=True, return_complex=True, dtypes=KINDS)
case("stft", T(40), 9, onesided=False, return_complex=True, dtypes=KINDS)
case("stft", T(40), 9, 3, 5, T(5), center=False, align_to_window=True, return_complex=True)
case("stft", T(2, 40), 8, window=T(8, dtype="complex64"))
case("istft", T(2, 5, 11), 8, dtypes="complex64 complex128")
case("istft", T(5, 11), 8, 3, 6, T(6, low=0.5, dtype="float32"), length=25, dtypes="complex64")
case("istft", T(5, 11), 8, normalized=True, onesided=True, dtypes="complex64")
case("istft", T(5, 11), 8, center=False, length=90, dtypes="complex64")
case("istft", T(8, 11), 8, onesided=False, dtypes="complex64")
case("istft", T(8, 11), 8, onesided=False, return_complex=True, dtypes="complex64")

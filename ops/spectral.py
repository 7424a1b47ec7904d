"""Short-time Fourier transforms: the spectra of the frames of a signal, and back."""

from __future__ import annotations

from typing import Any

from ..errors import ArgumentError, OperatorError, ShapeError
from .dims import dtype_of
from .fft import transforms
from .registry import Array, op

_PADDING = {"reflect": "reflect", "replicate": "edge", "circular": "wrap", "constant": "constant"}


@op(method=True)
def stft(
    xp: Any,
    input: Array,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Array | None = None,
    center: bool = True,
    pad_mode: str = "reflect",
    normalized: bool = False,
    onesided: bool | None = None,
    return_complex: bool | None = None,
    align_to_window: bool | None = None,
) -> Array:
    """The spectra of frames of ``n_fft`` samples, ``hop_length`` (a quarter of it) apart.

    (..., samples) gives (..., frequencies, frames), complex, or (..., 2) if ``return_complex``
    is false, which must be said for real signals. ``window`` weighs the samples; a shorter one is
    centred in the frame. ``center`` pads the signal so that frame t is centred at sample
    ``t * hop_length``. Half of the frequencies of real signals are given, unless ``onesided`` is
    false; ``normalized`` divides by the root of ``n_fft``. Source: PyTorch ``torch.stft``.

    >>> import tensorlite as tl
    >>> tl.stft(tl.ones(16), n_fft=8, window=tl.hann_window(8), return_complex=True).shape
    tensorlite.Size([5, 9])
    """
    is_complex = input.dtype.kind == "c" or (window is not None and window.dtype.kind == "c")
    if return_complex is None:
        if not is_complex:
            raise ArgumentError(
                "stft: say return_complex=True (complex numbers) or False (pairs) for real signals"
            )
        return_complex = True
    weights, hop = _frame("stft", xp, input, n_fft, hop_length, win_length, window)
    if onesided and is_complex:
        raise ArgumentError("stft: complex signals or windows have no onesided spectrum")
    onesided = not is_complex if onesided is None else onesided
    signal = _padded(xp, input, n_fft, win_length, center, pad_mode, align_to_window)
    if not 0 < n_fft <= signal.shape[-1]:
        raise ShapeError(
            f"stft: expected n_fft from 1 to the number of samples, got n_fft={n_fft} for the "
            f"padded shape {signal.shape}"
        )
    frames = xp.lib.stride_tricks.sliding_window_view(signal, n_fft, -1)[..., ::hop, :]
    module, norm = transforms(xp), "ortho" if normalized else None
    frames = frames * weights
    spectra = module.rfft(frames, norm=norm) if onesided else module.fft(frames, norm=norm)
    return _as_pairs(spectra.swapaxes(-1, -2), return_complex)


@op(method=True)
def istft(
    xp: Any,
    input: Array,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Array | None = None,
    center: bool = True,
    normalized: bool = False,
    onesided: bool | None = None,
    length: int | None = None,
    return_complex: bool = False,
) -> Array:
    """The signal whose :func:`stft` this is: frames overlapped, added, divided by the windows.

    Raises OperatorError where the squares of the windows add up to 0.
    Source: PyTorch ``torch.istft``.

    >>> import tensorlite as tl
    >>> w = tl.hann_window(8)
    >>> tl.istft(tl.stft(tl.ones(16), 8, window=w, return_complex=True), 8, window=w).shape
    tensorlite.Size([16])
    """
    if input.dtype.kind != "c" or input.ndim not in (2, 3):
        raise ShapeError(
            f"istft: expected complex (frequencies, frames) or a batch of them, got "
            f"{dtype_of(input).name} {input.shape}"
        )
    if onesided is None:
        onesided = input.shape[-2] != n_fft
    if input.shape[-2] != (n_fft // 2 + 1 if onesided else n_fft):
        raise ShapeError(
            f"istft: {input.shape[-2]} frequencies are not those of n_fft={n_fft} with "
            f"onesided={onesided}"
        )
    weights, hop = _frame("istft", xp, input.real, n_fft, hop_length, win_length, window)
    module, norm = transforms(xp), "ortho" if normalized else None
    spectra = input.swapaxes(-1, -2)
    if return_complex:
        frames = module.ifft(spectra, n_fft, norm=norm)
    else:  # of a whole spectrum the first half is enough: the signal is real
        frames = module.irfft(spectra[..., : n_fft // 2 + 1], n_fft, norm=norm)
    signal = _overlapped(xp, frames * weights, hop)
    squares = xp.broadcast_to(weights * weights, frames.shape[-2:])
    envelope = _overlapped(xp, squares, hop)
    start = n_fft // 2 if center else 0
    stop = signal.shape[-1] - start if length is None else start + length
    signal, envelope = signal[..., start:stop], envelope[start:stop]
    if envelope.size and float(xp.abs(envelope).min()) < 1e-11:
        raise OperatorError(
            "istft: the windows add up to 0 somewhere; give a window without zeros, or center=True"
        )
    signal = (signal / envelope).astype(frames.dtype)
    missing = 0 if length is None else length - signal.shape[-1]
    if missing <= 0:
        return signal
    return xp.pad(signal, [(0, 0)] * (signal.ndim - 1) + [(0, missing)])


def _frame(
    name: str,
    xp: Any,
    input: Array,
    n_fft: int,
    hop_length: int | None,
    win_length: int | None,
    window: Array | None,
) -> tuple[Array, int]:
    """The weights of a frame's samples, and the hop."""
    hop = n_fft // 4 if hop_length is None else hop_length
    size = n_fft if win_length is None else win_length
    if hop <= 0 or not 0 < size <= n_fft:
        raise ArgumentError(
            f"{name}: expected hop_length above 0 and win_length from 1 to n_fft={n_fft}, got "
            f"{hop} and {size}"
        )
    if window is None:
        window = xp.ones(size, input.real.dtype)
    if window.shape != (size,):
        raise ShapeError(
            f"{name}: expected a window of win_length={size} samples, got shape {window.shape}"
        )
    left = (n_fft - size) // 2
    return (xp.pad(window, (left, n_fft - size - left)) if size < n_fft else window), hop


def _padded(
    xp: Any,
    input: Array,
    n_fft: int,
    win_length: int | None,
    center: bool,
    pad_mode: str,
    align_to_window: bool | None,
) -> Array:
    """The signal with what lies before and after it."""
    if input.ndim not in (1, 2):
        raise ShapeError(f"stft: expected (samples) or (batch, samples), got {input.shape}")
    if pad_mode not in _PADDING:
        raise ArgumentError(f"stft: pad_mode={pad_mode!r}; expected one of {', '.join(_PADDING)}")
    if center and align_to_window:
        raise ArgumentError("stft: align_to_window has a meaning only with center=False")
    before = after = 0
    if center:
        before = after = n_fft // 2
        if pad_mode == "reflect" and input.shape[-1] <= before:
            raise ShapeError(
                f"stft: reflecting {before} samples needs more than that many, got {input.shape}"
            )
    elif align_to_window and win_length is not None:
        before = (n_fft - win_length) // 2
        after = n_fft - win_length - before
    if not before and not after:
        return input
    return xp.pad(input, [(0, 0)] * (input.ndim - 1) + [(before, after)], mode=_PADDING[pad_mode])


def _overlapped(xp: Any, frames: Array, hop: int) -> Array:
    """Frames (..., count, size) added up, each ``hop`` after the one before."""
    count, size = frames.shape[-2:]
    parts = -(-size // hop)
    padded = xp.pad(frames, [(0, 0)] * (frames.ndim - 1) + [(0, parts * hop - size)])
    lead = frames.shape[:-2]
    total = xp.zeros((*lead, count + parts - 1, hop), frames.dtype)
    for part in range(parts):
        total[..., part : part + count, :] += padded[..., part * hop : (part + 1) * hop]
    return total.reshape((*lead, -1))[..., : (count - 1) * hop + size]


def _as_pairs(spectra: Array, return_complex: bool) -> Array:
    if return_complex:
        return spectra
    return spectra[..., None].view(dtype_of(spectra).to_real().numpy)

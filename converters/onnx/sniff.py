"""What a file that is not ONNX looks like, for an error that helps."""

from __future__ import annotations

import os
from typing import TypeGuard

_STARTS = (
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "a gzip archive; unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive; unpack it first"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive; unpack it first"),
    (b"\x89HDF", "an HDF5 file (Keras or MATLAB)"),
    (b"\x93NUMPY", "a numpy array (.npy)"),
    (b"GGUF", "a GGUF file (llama.cpp)"),
    (b"\x7fELF", "a program"),
    (b"\x80\x02", "a Python pickle (a PyTorch checkpoint of the old kind?)"),
    (b"\x80\x03", "a Python pickle"),
    (b"\x80\x04", "a Python pickle"),
    (b"\x80\x05", "a Python pickle"),
    (
        b"version https://git-lfs",
        "a Git LFS pointer, not the file it stands for; get that with `git lfs pull`",
    ),
)


def looks_like(head: bytes) -> str | None:
    """What a file that begins with ``head`` (some 512 bytes) seems to be, if not ONNX.

    >>> looks_like(b"<!DOCTYPE html><html>")
    'a web page (HTML); the download gave a page, not the file'
    >>> looks_like(bytes([8, 7, 18, 4])) is None
    True
    """
    for start, kind in _STARTS:
        if head.startswith(start):
            return kind
    if head.startswith(b"PK\x03\x04"):
        torch = b"data.pkl" in head or b".data/" in head
        return f"a zip archive{' (a PyTorch checkpoint)' if torch else '; unpack it first'}"
    if head[4:8] in (b"TFL3", b"ORTM"):
        return "a TensorFlow Lite model" if head[4:8] == b"TFL3" else "an ONNX Runtime .ort model"
    if head[257:262] == b"ustar":
        return "a tar archive; unpack it first"
    if head[8:9] == b"{" and head[5:8] == b"\0\0\0":
        return "a safetensors file: weights without a graph"
    return _text(head)


def _text(head: bytes) -> str | None:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype", b"<html")):
        return "a web page (HTML); the download gave a page, not the file"
    if start.startswith(b"<"):
        return "XML"
    if start.startswith((b"{", b"[")):
        return "JSON"
    if head and all(byte in b"\t\r\n" or 32 <= byte < 127 for byte in head):
        return "text"
    return None


def is_tlz(source: object) -> TypeGuard[str | os.PathLike[str]]:
    """Whether it is the path of a ``.tlz`` file (docs/tlz.md)."""
    if not isinstance(source, str | os.PathLike) or not os.path.isfile(source):
        return False
    with open(source, "rb") as file:
        return file.read(4) == b"\x89TLZ"

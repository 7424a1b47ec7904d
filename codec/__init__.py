"""Entropy coders: Huffman, rANS, and lossless floating point."""

from __future__ import annotations

from ..errors import FileFormatError as FileFormatError
from .container import Checkpoint as Checkpoint

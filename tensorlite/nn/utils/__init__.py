"""Helpers around layers, as ``torch.nn.utils`` has them."""

from . import rnn as rnn

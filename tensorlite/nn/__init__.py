"""Layers of networks: Module, the containers, and one file per family of layers."""

from . import functional as functional

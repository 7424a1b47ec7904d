"""Histograms, quantiles, covariance."""

from __future__ import annotations

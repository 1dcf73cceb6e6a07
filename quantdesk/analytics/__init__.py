"""Compute pair statistics: arrays in, frozen results out."""

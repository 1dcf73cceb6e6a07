"""Benchmarks, run by hand: ``python3 .ci/gate.py --benchmarks`` prints the README's tables."""

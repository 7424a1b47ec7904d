"""The benchmark of ``run.py``: its lines, the engines in their processes, and the report."""

"""The attack: hostile inputs, kills, flipped and cut files, races, full disks and fuzzed journals, with the counts.

`python -m attack` carries it out (PYTHONPATH=tests), `make attack` keeps its table in benchmarks/RESULTS.md.
"""

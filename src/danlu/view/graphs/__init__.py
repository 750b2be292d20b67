"""Graphs as pictures: boxes laid out by graphviz, drawn as SVG here and as PNG and PDF on paper."""

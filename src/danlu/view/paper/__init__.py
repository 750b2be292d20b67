"""Paper: charts and graphs as PNG, SVG and PDF, drawn by matplotlib."""

"""Clusters that trainings are sent to: Dask and Ray, behind one protocol, and what sends and takes back."""

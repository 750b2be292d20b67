"""Experiments on runs and studies: check, rates, cure, landscape, playground, drawings, reports."""

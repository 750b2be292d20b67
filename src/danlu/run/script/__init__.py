"""Somebody's script, run as it is: every training in it is watched and gets a run folder."""

from danlu.base.lazily import lazily

lazily(__name__)

"""Runs, studies, searches and cures as commands tell of them; each is imported when it is asked for."""

from danlu.base.lazily import lazily

lazily(__name__)

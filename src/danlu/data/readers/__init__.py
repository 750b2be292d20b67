"""Readers: files on disk into arrays, each with its format checked before it is believed."""

from danlu.base.lazily import lazily

lazily(__name__)

"""The commands, one a file: from parsed words to the call of the same name, and to what it shows.

Each is imported when it is asked for, so that what trains nothing does not wait for torch.
"""

from danlu.base.lazily import lazily

lazily(__name__)

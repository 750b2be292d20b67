"""What a public object shows of itself: a text worth reading where it is printed, the same in a notebook."""

import html


class Readable:
    """Has a text (`__str__`); the first line of it stands for the object in a list, all of it in a notebook.

    >>> class Loss(Readable):
    ...     def __str__(self):
    ...         return "loss 0.5 < 1\\nafter 3 steps"
    >>> Loss(), Loss()._repr_html_()
    (<Loss: loss 0.5 < 1>, '<pre style="white-space: pre-wrap">loss 0.5 &lt; 1\\nafter 3 steps</pre>')
    """

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {next(iter(str(self).splitlines()), '')}>"

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        return f'<pre style="white-space: pre-wrap">{html.escape(str(self))}</pre>'

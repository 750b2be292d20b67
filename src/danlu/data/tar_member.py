"""A file inside of a tar archive that is not packed: read by its place, nothing is ever unpacked on the disk."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class TarMember:
    """The file `name` of the `archive`: so many bytes from `offset` on. It opens as a path does, for reading."""

    archive: Path
    name: str
    offset: int
    size: int

    def __str__(self) -> str:
        return f"{self.archive}: {self.name}"

    def open(self, mode: Literal["rb"] = "rb") -> io.BytesIO:
        """All of its bytes. OSError where the archive cannot be read any more, EOFError where it has become shorter."""
        with self.archive.open(mode) as file:
            file.seek(self.offset)
            content = file.read(self.size)
        if len(content) < self.size:
            raise EOFError("unexpected end of data")
        return io.BytesIO(content)

    def relative_to(self, folder: Path) -> str:
        """What it is called below `folder`.

        >>> TarMember(Path("all/a.tar"), "0001.jpg", 512, 9).relative_to(Path("all"))
        'a.tar: 0001.jpg'
        """
        return f"{self.archive.relative_to(folder)}: {self.name}"


PicturePath = Path | TarMember
"""Where a picture lies: in a file of its own, or in an archive."""

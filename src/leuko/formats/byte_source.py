"""The bytes of a file, once through: decompressed if gzip, hashed, never more than asked for."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path
from types import TracebackType

from isal import igzip_lib, isal_zlib

from leuko.errors import ReadError

__all__ = ["ByteSource"]

GZIP_MAGIC = b"\x1f\x8b"
MAX_RATIO = 1032  # deflate cannot do better: 258 bytes from two bits
_CHUNK = 1 << 18
_PIECE = 1 << 20  # largest piece decompressed at once: a small chunk may hold 270 MB of zeros
_MAX_EXCESS = 1 << 26  # bytes decompressed behind the voxels, for the checksum, at most
_DAMAGED: type[Exception] = igzip_lib.IsalError  # type: ignore[assignment]  # isal's stub is wrong
_AGAIN = "Copy or download the file again; if it stays so, export the scan again."


class ByteSource:
    """Reads a file from front to end as one stream, through gzip where its content says so.

    `inflate=False` takes the bytes as they lie in the file, gzip or not. Errors carry the file's
    name, never its folder, and are ReadError (exit 3).
    """

    def __init__(
        self, path: Path, *, digest: hashlib._Hash | None = None, inflate: bool = True
    ) -> None:
        self.path = path
        self.name = path.name
        self._digest = hashlib.sha256() if digest is None else digest
        try:
            status = path.stat()
            if stat.S_ISDIR(status.st_mode):
                raise ReadError(
                    f"{self.name} is a folder, not an image file.",
                    hint="Give the image file itself (NIfTI, .nii or .nii.gz).",
                )
            if not stat.S_ISREG(status.st_mode):
                raise ReadError(
                    f"{self.name} is not a regular file.",
                    hint="Give an image file on disk (NIfTI, .nii or .nii.gz).",
                )
            self._file = path.open("rb", buffering=0)
        except ReadError:
            raise
        except FileNotFoundError:
            raise ReadError(
                f"There is no file {self.name}.", hint="Check the path and its spelling."
            ) from None
        except (OSError, ValueError) as error:
            raise self._failed(error) from error
        self.file_size = status.st_size
        self._ready = b""  # decompressed, not yet taken
        self._packed = b""  # read from a gzip file, not yet decompressed
        self._inflater: isal_zlib.Decompress | None = None
        self._more_inside = False  # the inflater may hold output without new input
        self.ends_early = False  # the gzip stream stops before its end mark
        first = self._read_file()
        self.gzipped = inflate and first[:2] == GZIP_MAGIC
        if self.gzipped:
            self._packed = first
            self._inflater = isal_zlib.decompressobj(31)
        else:
            self._ready = first

    def __enter__(self) -> ByteSource:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    @property
    def most_bytes(self) -> int:
        """The most bytes this file can hold when decompressed."""
        return self.file_size * MAX_RATIO if self.gzipped else self.file_size

    @property
    def digest(self) -> hashlib._Hash:
        """The running SHA-256; that of the whole file after `finish`."""
        return self._digest

    def peek(self, count: int) -> bytes:
        """The next `count` bytes (fewer at the end) without taking them."""
        while len(self._ready) < count:
            piece = self._pull()
            if not piece:
                break
            self._ready += piece
        return self._ready[:count]

    def take(self, count: int) -> bytes:
        """The next `count` bytes, fewer at the end; for headers."""
        taken = self.peek(count)
        self._ready = self._ready[len(taken) :]
        return taken

    def skip(self, count: int) -> int:
        """Pass over `count` bytes; returns how many there were."""
        left = count
        while left > 0:
            if not self._ready:
                self._ready = self._pull()
                if not self._ready:
                    break
            step = min(left, len(self._ready))
            self._ready = self._ready[step:]
            left -= step
        return count - left

    def read_into(self, target: memoryview) -> int:
        """Fill `target` (bytes) from the stream; returns how many bytes there were."""
        filled = min(len(self._ready), len(target))
        target[:filled] = self._ready[:filled]
        self._ready = self._ready[filled:]
        while filled < len(target):
            if self.gzipped:
                piece = self._pull()
                step = min(len(piece), len(target) - filled)
                target[filled : filled + step] = piece[:step]
                self._ready = piece[step:]
            else:
                step = self._read_file_into(target[filled:])
            if not step:
                break
            filled += step
        return filled

    def rest(self, most: int) -> bytes:
        """All content that is left; raises ReadError where it is more than `most` bytes.

        The gzip checksum has been compared and the hash is the file's, as after `finish`.
        """
        pieces = [self._ready]
        self._ready = b""
        size = len(pieces[0])
        while piece := self._pull():
            size += len(piece)
            if size > most:
                raise ReadError(
                    f"{self.name} holds more than {most >> 20:,} MiB, too much for its kind.",
                    hint="It is damaged, or not what its first bytes say.",
                )
            pieces.append(piece)
        self.finish()
        return b"".join(pieces)

    def finish(self) -> None:
        """Read what is left, so that the hash is the file's and gzip's checksum was compared.

        Data behind the last voxel is passed over. Raises ReadError where the gzip stream is cut.
        """
        self._ready = b""
        excess = 0
        while excess <= _MAX_EXCESS:
            piece = self._pull()
            if not piece:
                break
            excess += len(piece) if self.gzipped else 0
        while self._read_file():
            pass
        if self.ends_early:
            raise ReadError(
                f"{self.name} is truncated: its gzip stream stops before its checksum.",
                hint=_AGAIN,
            )

    def _pull(self) -> bytes:
        """The next piece of content, empty at the end."""
        if self._inflater is None:
            return b"" if self.gzipped else self._read_file()
        while True:
            if self._inflater.eof and not self._next_member():
                self._inflater = None
                return b""
            if not self._packed and not self._more_inside:
                self._packed = self._read_file()
                if not self._packed:
                    self.ends_early = True
                    self._inflater = None
                    return b""
            piece = self._inflate()
            if piece:
                return piece

    def _inflate(self) -> bytes:
        assert self._inflater is not None
        try:
            piece: bytes = self._inflater.decompress(self._packed, _PIECE)
        except (_DAMAGED, EOFError) as error:
            raise ReadError(
                f"{self.name} is damaged: its gzip data cannot be decompressed.", hint=_AGAIN
            ) from error
        self._packed = self._inflater.unconsumed_tail
        self._more_inside = len(piece) == _PIECE
        return piece

    def _next_member(self) -> bool:
        """Whether another gzip member follows; anything else behind the end is ignored."""
        assert self._inflater is not None
        rest: bytes = self._inflater.unused_data
        if len(rest) < 2:
            rest += self._read_file()
        if rest[:2] != GZIP_MAGIC:
            return False
        self._packed = rest
        self._more_inside = False
        self._inflater = isal_zlib.decompressobj(31)
        return True

    def _read_file(self) -> bytes:
        try:
            chunk = self._file.read(_CHUNK) or b""
        except OSError as error:
            raise self._failed(error) from error
        self._digest.update(chunk)
        return chunk

    def _read_file_into(self, target: memoryview) -> int:
        try:
            step = self._file.readinto(target) or 0
        except OSError as error:
            raise self._failed(error) from error
        self._digest.update(target[:step])
        return step

    def _failed(self, error: Exception) -> ReadError:
        reason = getattr(error, "strerror", None) or "the system refused"
        return ReadError(
            f"{self.name} cannot be read: {reason}.",
            hint="Check the file's permissions and the disk or network it lies on.",
        )

"""Find the sealed files on a stick, or among files that were named."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from crypto.unseal.errors import DiskError, NothingFoundError, NotSealedError
from crypto.unseal.sealed import SUFFIX, TAIL_SUFFIX, SealedFile, read_shape


def find(given: Iterable[Path]) -> list[SealedFile]:
    """Give every sealed file in or among what was given, in the order of their ids.

    Links are not followed. Raises NothingFoundError, DiskError.
    """
    given = list(given)
    found = {path for place in given for path in _in(place)}
    if not found:
        raise NothingFoundError(where=", ".join(map(str, given)))
    return sorted(map(_sealed, found), key=lambda sealed: (sealed.upload, sealed.path))


def once(found: Iterable[SealedFile]) -> list[SealedFile]:
    """Give each upload once: of several copies the longest, because a copy can be cut.

    A shorter one that is not cut is no copy but another file: it is given, too, and will be refused.
    """
    copies: dict[str, dict[int, SealedFile]] = defaultdict(dict)
    for sealed in found:
        copies[sealed.upload].setdefault(sealed.size, sealed)
    return [
        by_size[size]
        for by_size in copies.values()
        for size in sorted(by_size, reverse=True)
        if size == max(by_size) or _is_whole(by_size[size])
    ]


def _is_whole(sealed: SealedFile) -> bool:
    try:
        with sealed.path.open("rb") as file:
            return not read_shape(file.fileno()).is_cut
    except OSError as error:
        raise DiskError(where=sealed.path, why=error.strerror) from None
    except NotSealedError:
        return False


def _in(place: Path) -> Iterator[Path]:
    if not os.path.lexists(place):
        raise NothingFoundError(where=place)
    if not place.is_dir():
        if place.name.endswith(SUFFIX) and place.is_file() and not place.is_symlink():
            yield place
        return
    for folder, _folders, names in os.walk(place, onerror=_trouble):
        for name in names:
            path = Path(folder, name)
            if name.endswith(SUFFIX) and path.is_file() and not path.is_symlink():
                yield path


def _trouble(error: OSError) -> None:
    raise DiskError(where=error.filename, why=error.strerror)


def _sealed(path: Path) -> SealedFile:
    tail = path.with_name(path.name.removesuffix(SUFFIX) + TAIL_SUFFIX)
    try:
        size = path.stat().st_size
    except OSError as error:
        raise DiskError(where=path, why=error.strerror) from None
    return SealedFile(path, size, tail if tail.is_file() and not tail.is_symlink() else None)

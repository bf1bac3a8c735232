# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
"""HDF5 files of flowhmc: kind and checksum, doc/files.md."""
import zlib

import h5py

_BLOCK, _PIECE = 512, 1 << 20


class FormatError(ValueError):
    """A file that is damaged, or of another kind."""


def _verify(path, kind):
    with open(path, "rb") as file:
        words = file.read(_BLOCK).split()
        if words[:2] != [b"flowhmc", kind.encode()]:
            raise FormatError(f"{path}: is not a {kind} file of flowhmc")
        if words[2:4] != [b"format", b"1"] or len(words) != 8:
            raise FormatError(f"{path}: is of another version than this program reads")
        size, crc = 0, 0
        while piece := file.read(_PIECE):
            size, crc = size + len(piece), zlib.crc32(piece, crc)
    if size != int(words[5]) or crc != int(words[7], 16):
        raise FormatError(f"{path}: is damaged: take another copy")


def open_verified(path, kind):
    """The file as h5py sees it, after its checksum was found right."""
    _verify(path, kind)
    return h5py.File(path, "r")


def text_of(attribute):
    """An attribute that is a text."""
    return attribute.decode() if isinstance(attribute, bytes) else str(attribute)

"""The checkpoint format, version 1, little endian throughout.

    magic "CKPT", version (u16), number of shards (u16)
    per shard: length of the name (u16), name (utf-8), number of values (u32), values (f64 each)
    trailer: crc32 of everything before it (u32)
"""

import struct
import zlib

MAGIC = b"CKPT"
VERSION = 1


class CorruptCheckpoint(ValueError):
    """The bytes are not a checkpoint that this version wrote."""


def serialise(shards):
    """The checkpoint of `shards`, a list of (name, values), as bytes."""
    blob = MAGIC + struct.pack("<HH", VERSION, len(shards))
    for name, values in shards:
        encoded = name.encode("utf-8")
        blob += struct.pack("<H", len(encoded))
        blob += encoded
        blob += struct.pack("<I", len(values))
        for value in values:
            blob += struct.pack("<d", value)
    blob += struct.pack("<I", zlib.crc32(blob))
    return blob


def parse(blob):
    """The shards that `serialise` wrote."""
    if blob[:4] != MAGIC:
        raise CorruptCheckpoint("not a checkpoint: bad magic")
    body, trailer = blob[:-4], blob[-4:]
    if len(blob) < 12 or struct.unpack("<I", trailer)[0] != zlib.crc32(body):
        raise CorruptCheckpoint("checksum does not match: the checkpoint is cut or damaged")
    version, count = struct.unpack_from("<HH", body, 4)
    if version != VERSION:
        raise CorruptCheckpoint(f"version {version} is not readable here")
    shards = []
    at = 8
    for _ in range(count):
        (length,) = struct.unpack_from("<H", body, at)
        at += 2
        name = body[at : at + length].decode("utf-8")
        at += length
        (size,) = struct.unpack_from("<I", body, at)
        at += 4
        shards.append((name, list(struct.unpack_from(f"<{size}d", body, at))))
        at += 8 * size
    return shards

# SPDX-License-Identifier: Apache-2.0
"""Reads, and in one respect edits, the dynamic symbols of a 64-bit little-endian ELF library (System V gABI, chapters 4 and 5)."""
import dataclasses
import pathlib
import struct

SHT_DYNSYM = 11
STB_LOCAL, STB_WEAK, STB_GNU_UNIQUE = 0, 2, 10
STT_OBJECT, STT_FUNC = 1, 2
STV_HIDDEN = 2
_SYMBOL = struct.Struct("<IBBHQQ")   # name, info, other, section, value, size
_SECTION = struct.Struct("<IIQQQQIIQQ")


@dataclasses.dataclass(frozen=True)
class Symbol:
    name: str
    binding: int
    visibility: int
    position: int  # byte position of the entry in the file


def defined_symbols(content):
    """The exported definitions in `content` (bytes of the file): not the undefined, local or nameless ones."""
    if content[:6] != b"\x7fELF\x02\x01":
        raise ValueError("not a 64-bit little-endian ELF file")
    (table_at,) = struct.unpack_from("<Q", content, 0x28)
    entry_size, count = struct.unpack_from("<HH", content, 0x3A)
    sections = [_SECTION.unpack_from(content, table_at + i * entry_size) for i in range(count)]
    _, _, _, _, begin, length, names_index, *_ = next(s for s in sections if s[1] == SHT_DYNSYM)
    names = sections[names_index][4]
    for position in range(begin, begin + length, _SYMBOL.size):
        name, info, other, section, _, _ = _SYMBOL.unpack_from(content, position)
        if name == 0 or section == 0 or info >> 4 == STB_LOCAL:
            continue
        end = content.index(b"\0", names + name)
        yield Symbol(content[names + name:end].decode(), info >> 4, other & 3, position)


def strong_exports(path):
    """Names that the library defines for everybody and that no other library may define, too: not weak, unique or hidden."""
    symbols = defined_symbols(pathlib.Path(path).read_bytes())
    return {s.name for s in symbols if s.binding not in (STB_WEAK, STB_GNU_UNIQUE) and s.visibility != STV_HIDDEN}


def hide(path, unwanted):
    """Hides each exported symbol for which unwanted(name): the library goes on using its own copy, nobody else can bind to it.

    The dynamic linker resolves a hidden symbol inside its library. The entry also loses its name, so that a static linker
    cannot match it, and its size and its type of plain function or object: all nameless entries count as one symbol, and a
    linker warns where those differ. Idempotent; returns how many it hid.
    """
    content = bytearray(pathlib.Path(path).read_bytes())
    chosen = [s for s in defined_symbols(content) if unwanted(s.name)]
    for symbol in chosen:
        name, info, other, section, value, _ = _SYMBOL.unpack_from(content, symbol.position)
        if info & 15 in (STT_OBJECT, STT_FUNC):
            info &= ~15
        _SYMBOL.pack_into(content, symbol.position, 0, info, (other & ~3) | STV_HIDDEN, section, value, 0)
    pathlib.Path(path).write_bytes(content)
    return len(chosen)

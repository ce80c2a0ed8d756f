#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""No name is exported by a prebuilt library and by another library that Sluice loads: link order would choose between them.

The wheel's libparquet carries an OpenSSL of its own; ./x fetch hides its names. This test finds what that misses,
and what a newer Arrow or DuckDB brings along.
"""
import pathlib
import sys

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))

from x import elf

ARROW = [ROOT / ".deps/arrow/pyarrow/libarrow.so.2600", ROOT / ".deps/arrow/pyarrow/libparquet.so.2600"]  # made together: they may share
PREBUILT = ARROW + [ROOT / ".deps/duckdb/libduckdb.so"]
SYSTEM_FOLDER = pathlib.Path("/usr/lib/x86_64-linux-gnu")
SYSTEM = ["libcrypto.so.3", "libssl.so.3", "libcurl.so.4", "libsqlite3.so.0", "libzstd.so.1", "libz.so.1", "libisal.so.2", "libyaml-cpp.so.0.7",
          "libprometheus-cpp-core.so.1.0", "libedit.so.2", "libseccomp.so.2", "libsimdjson.so.14", "libxxhash.so.0", "libbrotlidec.so.1",
          "libbrotlicommon.so.1", "libnghttp2.so.14", "libssh2.so.1", "libldap-2.5.so.0", "libgssapi_krb5.so.2", "libkrb5.so.3", "libpsl.so.5",
          "libidn2.so.0", "librtmp.so.1", "libgnutls.so.30", "libstdc++.so.6", "libgcc_s.so.1", "libc.so.6", "libm.so.6"]
# The linker's own marks, and instances of templates of the standard library, which are the same everywhere.
_EVERYWHERE = ("_init", "_fini", "_edata", "_end", "__bss_start", "_ZNSt", "_ZNKSt", "_ZSt", "_ZTVSt", "_ZTISt", "_ZTSSt", "_ZGVNSt")


def exports(path):
    return {name for name in elf.strong_exports(path) if not name.startswith(_EVERYWHERE)}


def clashes(path, exported):
    """["other library: names"] of those that export a name of `path`, too."""
    for other, names in exported.items():
        shared = exported[path] & names
        if other != path and shared and not {path, other} <= set(ARROW):
            yield f"{path.name} and {other.name} both export {len(shared)} names, e.g. {', '.join(sorted(shared)[:4])}"


def main():
    missing = [path.name for path in PREBUILT if not path.exists()]
    if missing:
        print(f"{', '.join(missing)}: not there; run ./x fetch")
        print("0 passed, 1 failed")
        return 1
    paths = PREBUILT + [SYSTEM_FOLDER / name for name in SYSTEM if (SYSTEM_FOLDER / name).exists()]
    exported = {path: exports(path) for path in paths}
    found = {path: list(clashes(path, exported)) for path in PREBUILT}
    for sentence in sum(found.values(), []):
        print(sentence)
    failed = sum(bool(list_) for list_ in found.values())
    print(f"{len(found) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

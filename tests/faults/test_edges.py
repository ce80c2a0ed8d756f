# SPDX-License-Identifier: Apache-2.0
"""The list of edges is that of the binary: what a new line of the product writes, syncs, renames or removes has a name here, or this fails."""

import collections
import random
import subprocess

from campaign import edges
from chain import Chain, Life
from sluice_server import BINARY

# How a program can change files. What interpose.cc stands before is taken; the others nobody may use unseen.
DOORS = {"open", "open64", "openat", "openat64", "creat", "fopen", "fopen64", "freopen", "mkstemp", "pwrite", "pwrite64", "pwritev", "pwritev2", "writev", "fsync", "fdatasync", "sync_file_range", "syncfs",
         "msync", "ftruncate", "ftruncate64", "truncate", "truncate64", "fallocate", "posix_fallocate", "rename", "renameat", "renameat2", "link", "linkat", "symlink", "unlink", "unlinkat", "remove",
         "mkdir", "mkdirat", "rmdir", "copy_file_range", "sendfile", "splice", "io_uring_setup", "syscall"}
TAKEN = {"open", "open64", "openat", "openat64", "pwrite", "pwrite64", "fsync", "fdatasync", "ftruncate", "ftruncate64", "rename", "renameat2", "unlink", "mkdir", "rmdir"}
# link: only where a file system does not know RENAME_NOREPLACE (io/internal/real_file_system.cc). syscall: sandbox and threads, no files.
KNOWN = {"link", "syscall"}


def test_each_edge_that_a_server_comes_to_is_in_the_list(tmp_path):
    dice = random.Random(1)
    chain = Chain(tmp_path / "chain", seed=1, record=True)
    for _ in range(3):
        chain.live(Life(kill_after_s=dice.uniform(0.1, 0.6)))
    for _ in range(2):
        chain.live(Life(stops=True))
    seen = collections.Counter((chain.folder / "edges").read_text().splitlines())
    assert not chain.finish().problems
    listed = {edge.name: edge.when for edge in edges()}
    assert not sorted(seen.keys() - listed.keys()), "new edges: give their files a name in file_kind.cc, and put them into edges.txt"
    assert not sorted(name for name, when in listed.items() if when != "seldom" and name not in seen), "edges that nobody comes to any more"
    again = sorted(name for name, when in listed.items() if when == "made" and seen[name] > 9)
    assert not again, "these do not come with the making of a directory only"


def test_the_binary_changes_files_by_no_other_door():
    symbols = subprocess.run(["nm", "-D", "--undefined-only", str(BINARY)], capture_output=True, text=True, timeout=60, check=True).stdout
    used = {line.split()[-1].split("@")[0] for line in symbols.splitlines()} & DOORS
    assert used - TAKEN - KNOWN == set(), "stand before these in interpose.cc, too"
    assert {"open", "pwrite", "fdatasync", "fsync", "rename", "unlink"} <= used, "the test looks at the wrong program"

# SPDX-License-Identifier: Apache-2.0
"""./x fmt: clang-format, in place, of the C++ files that changed."""
import subprocess

from x import changed, console


def run(command, arguments):
    files = changed.cpp_files(arguments)
    if files:
        subprocess.run(["clang-format", "-i", *files], check=True)
    console.say(f"fmt: {len(files)} files looked at")
    return 0

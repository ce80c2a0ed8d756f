# SPDX-License-Identifier: Apache-2.0
"""The developer command ./x: one module a command, registered in commands.py. Standard library of Python 3.11 only."""

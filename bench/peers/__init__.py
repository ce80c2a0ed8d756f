# SPDX-License-Identifier: Apache-2.0
"""What Sluice is measured beside. A file for each peer: how it is had, started and stopped; its configuration stands beside it. Who cannot
be had raises rounds.NotRun, and the reason stands in the table."""

# SPDX-License-Identifier: Apache-2.0
"""The benchmarks, a file for each subject. A benchmark is a function from the options to a report.Table; what an acknowledgement means stands
in its table."""

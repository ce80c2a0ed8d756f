# SPDX-License-Identifier: Apache-2.0
"""What all peers that are servers have in common."""
import string

from peers import install
from server import Server


class Peer(Server):
    KEEPS = ""  # what its acknowledgement means, for the table

    def __init__(self):
        super().__init__(type(self).__name__.lower())

    def write_config(self, name, **more):
        """The configuration file beside the peer's, with its port and its folder put in."""
        text = string.Template((install.HERE / name).read_text()).safe_substitute(port=self.port, folder=self.folder, **more)
        (self.folder / name).write_text(text)
        return self.folder / name

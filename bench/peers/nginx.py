# SPDX-License-Identifier: Apache-2.0
"""nginx (Debian): answers 200 at once and keeps nothing."""

from peers import install
from peers.peer import Peer


class Nginx(Peer):
    KEEPS = "nothing: the body is thrown away"

    def start(self):
        config = self.write_config("nginx.conf")
        self.spawn([install.debian("nginx", "nginx-light", "/usr/sbin"), "-p", self.folder, "-c", config, "-e", self.folder / "error.log"])
        self.wait_for_port()

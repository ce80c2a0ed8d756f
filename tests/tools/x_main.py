#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The first hour: what ./x says and does where a package, the network, memory or a checksum is missing."""
import hashlib
import os
import pathlib
import subprocess
import sys
from unittest import mock

sys.dont_write_bytecode = True

from clone import ROOT, WithClone, main, program
from x import build, clean, commands, download, fetch, machine, paths, sanitize

GIB = 2**30


class MissingPackages(WithClone):
    def run_x(self, *arguments, installed=()):
        """./x as somebody who is not root, on a machine where Debian knows `installed`."""
        lines = "".join(f"echo 'ii {name}'; " for name in installed)
        fake = program(self.clone.parent / "bin", "dpkg-query", f"{lines}true")
        return subprocess.run(["unshare", "--user", str(self.clone / "x"), *arguments], capture_output=True, text=True, timeout=60, check=False,
                              env={**os.environ, "PATH": f"{fake}:{os.environ['PATH']}"})

    def test_without_root_one_command_is_said_before_anything_is_done(self):
        before = sorted(self.clone.rglob("*"))
        for command in (["test"], ["demo"], ["build", "--offline"], ["install", "--prefix", "/nowhere"]):
            done = self.run_x(*command, installed=["python3", "g++"])
            self.assertEqual(done.returncode, 1)
            self.assertEqual(done.stdout, "")
            line = [line for line in done.stderr.splitlines() if "apt-get install" in line]
            self.assertEqual(len(line), 1, done.stderr)
            self.assertIn("sudo apt-get update && sudo apt-get install -y --no-install-recommends ", line[0])
            words = line[0].split()
            self.assertIn("cmake", words)
            self.assertIn("libboost1.81-dev", words)
            self.assertNotIn("g++", words)
            self.assertNotIn("clang-tidy", words)
        self.assertEqual(sorted(self.clone.rglob("*")), before)

    def test_what_only_one_command_needs_is_asked_by_it_alone(self):
        self.assertIn("clang-tidy", self.run_x("check").stderr)
        self.assertIn("maven", self.run_x("fetch", "engines").stderr)
        self.assertNotIn("maven", self.run_x("fetch").stderr)

    def test_while_apt_fetches_its_bytes_are_shown(self):
        script = self.clone.joinpath("x").read_text()
        function = script[script.index("progress_of_apt() {"):script.index("\n}\n", script.index("progress_of_apt() {")) + 3]
        log = self.clone / "apt.log"
        begin = "After this operation, 850 MB of additional disk space will be used.\n"
        get = "Get:1 http://mirror bookworm/main amd64 perl all 5.36 [2815 kB]\nGet:2 http://mirror bookworm/main amd64 node-clone all 2.1 [8280 B]\n"
        for words, shown in ((f"Need to get 163 MB of archives.\n{begin}{get}", "2.8 MB of 163 MB fetched"),
                             (f"Need to get 12.5 MB/163 MB of archives.\n{begin}{get}Get:3 http://mirror x [1.5 MB]\n", "4.3 MB of 12.5 MB fetched"),
                             (f"Need to get 163 MB of archives.\n{begin}{get}Unpacking perl (5.36) ...\r\n", "Unpacking perl (5.36) ...")):  # of a terminal
            log.write_bytes(words.encode())
            done = subprocess.run(["bash", "-c", f"log={log}\n{function}progress_of_apt"], capture_output=True, text=True, check=True)
            self.assertEqual((done.stdout.rstrip("\n"), done.stderr), (shown, ""))

    def test_help_needs_nothing(self):
        done = self.run_x("help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("demo", done.stdout)

    def test_help_of_a_command_needs_nothing(self):
        for command in ("bench", "demo", "faults", "fuzz", "overload", "run", "sim", "test"):
            done = self.run_x(command, "--help")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn(f"usage: ./x {command} ", done.stdout)
        self.assertIn("./x build release", self.run_x("sim", "-h").stdout)

    def test_a_mistyped_option_of_fuzz_is_refused_before_anything_is_built(self):
        with mock.patch.object(build, "build") as built:
            self.assertEqual(commands.main(["fuzz", "json", "--minute", "5"]), 2)
        built.assert_not_called()


class Preflight(WithClone):
    def test_fewer_compilers_where_there_is_less_memory(self):
        self.patch(os, "sched_getaffinity", lambda _: set(range(16)))
        for gib, jobs in ((2, 1), (4, 2), (8, 5), (64, 16)):
            with mock.patch.object(machine, "memory_bytes", lambda gib=gib: gib * GIB):
                self.assertEqual(machine.jobs(), jobs)
                machine._check_memory()

    def test_each_refusal_names_the_thing_and_what_to_do(self):
        with mock.patch.object(machine, "memory_bytes", lambda: GIB), self.fails("1.0 GiB of memory", "4 GiB"):
            machine.check()
        with mock.patch.object(machine.platform, "machine", lambda: "aarch64"), self.fails("this CPU is aarch64", "x86-64"):
            machine.check()
        with mock.patch.object(machine, "CPU_FLAGS", ["avx2", "no_such_flag"]), self.fails("this CPU lacks no_such_flag", "-cpu host"):
            machine.check()
        with mock.patch.object(os, "confstr", lambda _: "glibc 2.31"), self.fails("glibc 2.31", "glibc 2.36", "debian:12"):
            machine.check()
        with mock.patch.object(machine.shutil, "disk_usage", lambda _: mock.Mock(free=10**9)), self.fails("1.0 GB free", "Free some"):
            machine.check()


class Downloads(WithClone):
    """npm is a script that writes the given bytes, and a line for each call."""

    def setUp(self):
        super().setUp()
        self.calls = self.clone.parent / "calls"
        self.calls.touch()
        content = b"the right bytes"
        self.pin = download.Artefact("npm", "thing@1.0.0", "thing-1.0.0.tgz", hashlib.sha256(content).hexdigest())

    def npm(self, script):
        fake = program(self.clone.parent / "bin", "npm", f'echo call >> "{self.calls}"; folder=$4\n{script}')
        patcher = mock.patch.dict(os.environ, {"PATH": f"{fake}:{os.environ['PATH']}"})
        patcher.start()
        self.addCleanup(patcher.stop)

    def count(self):
        return len(self.calls.read_text().splitlines())

    def test_a_wrong_checksum_names_the_file_and_leaves_nothing(self):
        self.npm('printf wrong > "$folder/thing-1.0.0.tgz"')
        with self.fails("thing-1.0.0.tgz: wrong checksum", self.pin.sha256, hashlib.sha256(b"wrong").hexdigest(), "do not use it"):
            download.get(self.pin)
        self.assertEqual(self.count(), download.TRIES)
        self.assertEqual([file for file in paths.DEPS.rglob("*.tgz") if file.stat().st_size > 0], [])

    def test_a_download_that_breaks_is_tried_again_and_said_if_it_stays_broken(self):
        self.npm(f'if [[ $(wc -l < "{self.calls}") -lt 2 ]]; then printf "the ri" > "$folder/part"; echo "npm ERR! network timeout"; exit 1; fi\n'
                 'printf "the right bytes" > "$folder/thing-1.0.0.tgz"')
        self.assertEqual(download.get(self.pin).read_bytes(), b"the right bytes")
        self.assertEqual(self.count(), 2)
        self.assertTrue(any("network timeout; trying again" in line or "network timeout" in line for line in self.said), self.said)
        paths.DOWNLOADS.joinpath(self.pin.file).unlink()
        self.npm('echo "npm ERR! getaddrinfo EAI_AGAIN registry"; exit 1')
        with self.fails("could not download thing@1.0.0", "EAI_AGAIN registry", "proxy and mirror that npm is configured with", "goes on where it stopped"):
            download.get(self.pin)

    def test_a_certificate_that_is_not_trusted_is_said_at_once_with_the_setting_that_helps(self):
        self.npm('echo "npm ERR! request to https://registry failed, reason: self-signed certificate in certificate chain"; exit 1')
        with self.fails("self-signed certificate", "npm does not trust the server's certificate", "npm_config_cafile=FILE"):
            download.get(self.pin)
        self.assertEqual(self.count(), 1)

    def test_why_pip_found_nothing_is_said_instead_of_that_it_found_nothing(self):
        output = ("WARNING: Retrying (Retry(total=0)) after connection broken by 'SSLError(SSLCertVerificationError(1, 'certificate verify failed'))': /simple/a/\n"
                  "ERROR: No matching distribution found for a==1")
        result = download.ClientResult(1, output)
        self.assertEqual(result.reason, "SSLError(SSLCertVerificationError(1, 'certificate verify failed'))")
        with self.fails("certificate verify failed", "PIP_CERT=FILE"):
            fetch._report_pip(result, "requirements.txt", last=False)
        self.assertEqual(download.ClientResult(1, "ERROR: No matching distribution found for a==1").reason, "ERROR: No matching distribution found for a==1")

    def test_what_is_there_is_not_fetched_again_unless_it_is_damaged(self):
        self.npm('printf "the right bytes" > "$folder/thing-1.0.0.tgz"')
        download.get(self.pin)
        download.get(self.pin)
        self.assertEqual(self.count(), 1)
        self.pin.path.write_bytes(b"cut")
        self.assertEqual(download.get(self.pin).read_bytes(), b"the right bytes")
        self.assertEqual(self.count(), 2)
        self.assertTrue(any("thing-1.0.0.tgz: not what tools/artefacts.toml says" in line for line in self.said), self.said)

    def test_the_users_proxies_and_mirrors_reach_the_client_and_caches_stay_in_the_clone(self):
        seen = self.clone.parent / "seen"
        self.npm(f'env > "{seen}"; printf "the right bytes" > "$folder/thing-1.0.0.tgz"')
        users = {"https_proxy": "http://proxy:3128", "npm_config_registry": "http://mirror/npm", "PIP_INDEX_URL": "http://mirror/pip", "HOME": "/nowhere"}
        with mock.patch.dict(os.environ, users):
            download.get(self.pin)
        environment = dict(line.split("=", 1) for line in seen.read_text().splitlines() if "=" in line)
        self.assertEqual({name: environment[name] for name in users}, users)
        self.assertEqual(environment["PIP_NO_CACHE_DIR"], "1")
        for name in ("npm_config_cache", "TMPDIR", "RUSTUP_HOME"):
            self.assertTrue(environment[name].startswith(f"{self.clone}/.deps/"), name)

    def test_the_compilers_temporary_files_and_cache_stay_in_the_clone(self):
        with mock.patch.dict(os.environ, {"TMPDIR": "/tmp", "HOME": "/nowhere"}):
            os.environ.pop("CCACHE_DIR", None)
            environment = build.environment()
            self.assertEqual(pathlib.Path(environment["TMPDIR"]), paths.BUILD / "tmp")
            self.assertTrue(paths.BUILD.joinpath("tmp").is_dir())
            self.assertEqual(pathlib.Path(environment["CCACHE_DIR"]), paths.CACHE / "ccache")
            os.environ["CCACHE_DIR"] = "/mine"
            self.assertEqual(build.environment()["CCACHE_DIR"], "/mine")


class Folders(WithClone):
    def test_offline_says_what_is_missing_and_does_not_ask_the_network(self):
        self.patch(machine, "check", lambda: None)
        self.patch(fetch, "_make", lambda part: self.fail("it would have fetched"))
        with self.fails("--offline, but .deps lacks venv, arrow, duckdb, datasets, vectors", "Run ./x fetch once with the network"):
            fetch.ensure(offline=True)

    def test_a_part_that_was_interrupted_is_made_again_and_the_others_are_not(self):
        made = []
        parts = [fetch.Part(name, f"recipe of {name}", lambda folder: made.append(folder.name)) for name in ("one", "two")]
        self.patch(machine, "check", lambda: None)
        self.patch(fetch, "_parts", lambda: parts)
        self.assertEqual(fetch.ensure(), 2)
        (paths.DEPS / "two" / ".stamp").unlink()
        self.assertEqual(fetch.ensure(), 1)
        self.assertEqual(made, ["one.new", "two.new", "two.new"])
        self.assertEqual(fetch.ensure(), 0)

    def test_two_at_once_do_not_write_into_one_folder(self):
        script = ("import pathlib, sys; sys.dont_write_bytecode = True; sys.path.insert(0, 'tools'); from x import machine, paths\n"
                  "with machine.alone(paths.DEPS): print(pathlib.Path('made').exists())")
        with machine.alone(paths.DEPS):
            other = subprocess.Popen([sys.executable, "-c", script], cwd=self.clone, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.assertEqual(other.stderr.readline(), "    waiting for another ./x, which writes into .deps\n")
            self.clone.joinpath("made").touch()
        self.assertEqual(other.communicate(), ("True\n", ""))

    def test_clean_removes_what_x_made_and_nothing_else(self):
        outside = self.clone.parent / "shared"
        for folder in (paths.BUILD / "release", outside, self.clone / "sluice-data"):
            folder.mkdir(parents=True)
        paths.DEPS.symlink_to(outside)
        clean.run("clean", [])
        self.assertFalse(paths.BUILD.exists())
        self.assertTrue(paths.DEPS.exists())
        clean.run("clean", ["--all"])
        self.assertFalse(paths.DEPS.is_symlink())
        self.assertTrue(outside.exists() and (self.clone / "sluice-data").exists() and (self.clone / "x").exists())

    def test_a_mistyped_command_is_answered_with_the_nearest(self):
        self.assertEqual(commands.main(["tset"]), 2)
        self.assertIn("did you mean ./x test?", self.said[-1])


class Sanitizers(WithClone):
    def test_names_are_folders_with_unit_tests_and_files_of_the_end_to_end_tests(self):
        for file in ("src/log/log_test.cc", "src/front/http/router_test.cc", "src/query/session.cc", "tests/e2e/test_views.py"):
            self.clone.joinpath(file).parent.mkdir(parents=True, exist_ok=True)
            self.clone.joinpath(file).touch()
        chosen = sanitize.choose(["thread", "log", "front/http", "views"])
        self.assertEqual((chosen.preset, chosen.targets), ("tsan", ["log_test", "front_http_test", "sluice"]))
        self.assertEqual((chosen.pattern, chosen.suites), ("^(log|front_http)(_fuzz)?$", ["test_views.py"]))
        self.assertEqual(sanitize.choose(["address", "log"]).targets, ["log_test"])
        with self.fails("query is neither a folder of src/ with unit tests"):
            sanitize.choose(["thread", "query"])
        for words in ([], ["memory"], ["log"]):
            self.assertIsNone(sanitize.choose(words))

    def test_what_runs_without_names_is_there(self):
        self.patch(paths, "ROOT", ROOT)
        for kind in sanitize.PRESETS:
            everything = sanitize.choose([kind])
            again = sanitize.choose([kind, *sanitize.FOLDERS[kind], *sanitize.SUITES[kind]])
            self.assertEqual(again, everything)
        for test in sanitize.LEFT_OUT:
            file, name = test.split("::")
            self.assertIn(f"def {name}(", (ROOT / "tests/e2e" / file).read_text())

    def test_each_report_counts_even_if_its_test_passed(self):
        self.assertEqual(sanitize.choose(["thread"]).tell_reports(self.clone), 0)
        self.clone.joinpath("sanitizer.17").write_text("=====\nWARNING: ThreadSanitizer: data race (pid=17)\n...\nWARNING: ThreadSanitizer: lock-order-inversion\n")
        self.clone.joinpath("sanitizer.18").write_text("cut off")
        self.assertEqual(sanitize.choose(["thread"]).tell_reports(self.clone), 3)
        self.assertIn("sanitizer.17:\nWARNING: ThreadSanitizer: data race", self.said[0])


if __name__ == "__main__":
    sys.exit(main())

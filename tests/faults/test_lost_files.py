# SPDX-License-Identifier: Apache-2.0
"""Files that are missing, empty, cut, swapped or there twice: a sentence that names what is wrong and removes nothing, or no difference."""

import shutil

import pytest

from damage import KINDS, NO_START, ask, changeable, contents, make_directory
from sluice_server import run


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    return make_directory(tmp_path_factory.mktemp("lost") / "d")


def missing(files):
    files[0].unlink()


def newest_missing(files):
    files[-1].unlink()


def empty(files):
    files[0].write_bytes(b"")


def cut_in_half(files):
    files[-1].write_bytes(files[-1].read_bytes()[:files[-1].stat().st_size // 2])


def swapped(files):
    """With another one of its kind; one that is alone, with a file of another kind."""
    other = files[-1] if len(files) > 1 else next(p for p in files[0].parent.rglob("*") if p.is_file() and p != files[0] and p.name != "LOCK")
    first, second = files[0].read_bytes(), other.read_bytes()
    files[0].write_bytes(second)
    other.write_bytes(first)


def twice(files):
    """A copy under a name that sounds like one of the kind."""
    shutil.copyfile(files[0], files[0].with_name(files[0].name.replace("0", "1", 1) if "0" in files[0].name else "copy-of-" + files[0].name))


DAMAGE = [missing, newest_missing, empty, cut_in_half, swapped, twice]


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda d: d.__name__)
@pytest.mark.parametrize("kind", KINDS)
def test_damage_is_named_or_makes_no_difference(directory, kind, damage):
    data, answers = directory
    with changeable(data):
        damage(sorted(data.glob(KINDS[kind])))
        before = contents(data)
        checked = run("check", str(data))
        assert contents(data) == before, "a check changed what it checked"
        assert checked.returncode in (0, 1), checked.stderr
        said = ask(data)
        refused = [answer for answer in said.values() if answer.startswith("refused: ")]
        assert all(answer == answers[table] for table, answer in said.items() if answer not in refused), f"check said {checked.returncode}: {checked.stdout}"
        if refused:
            words = "".join(refused) + checked.stdout + checked.stderr
            assert any(part in words for part in ("/", "bronze.", "raw-")), f"it names nothing: {refused}"
            lost = {path for path in before if path not in contents(data) and not path.startswith(("catalog.db-", "log/dedup", "log/checkpoints"))}
            # A server that runs recycles segments and removes spare ones.
            assert not lost or not refused[0].startswith(NO_START), f"refused, and removed {sorted(lost)}"
        else:
            assert said == answers, "a table is gone without a word"

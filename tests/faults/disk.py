"""A disk that keeps what was synced and nothing else, fed with the trace of a run.

A file's bytes are safe once the file was synced; a name once its folder was. What is not safe may
be there after a power loss or not, in any combination, and a write by a part.
"""

import shutil
import struct
from pathlib import Path

HEAD = struct.Struct("<6q")
SECTOR = 512


def read_trace(path):
    """The calls of a run: number, kind, path, other path, offset, bytes."""
    raw, at = path.read_bytes(), 0
    while at < len(raw):
        number, kind, n_path, n_other, n_data, offset = HEAD.unpack_from(raw, at)
        at += HEAD.size
        parts = []
        for n in (n_path, n_other, n_data):
            parts.append(raw[at : at + n])
            at += n
        yield number, chr(kind), parts[0].decode(), parts[1].decode(), offset, parts[2]


class File:
    def __init__(self, data=b""):
        self.safe = bytes(data)
        self.pending = []

    def now(self):
        return apply(self.safe, self.pending)

    def sync(self):
        self.safe, self.pending = self.now(), []


def apply(data, changes):
    data = bytearray(data)
    for offset, written in changes:
        if written is None:
            data = data[:offset].ljust(offset, b"\0")
        else:
            data = data.ljust(offset, b"\0")
            data[offset : offset + len(written)] = written
    return bytes(data)


class Disk:
    """Starts as the folder `before` under the name `home`, all of it safe."""

    def __init__(self, before, home):
        self.home = str(home)
        self.names, self.safe, self.folders, self.pending = {}, {}, {self.home}, []
        for path in sorted(Path(before).rglob("*")):
            name = str(home / path.relative_to(before))
            if path.is_dir():
                self.folders.add(name)
            elif not path.name.endswith("-shm"):
                self.names[name] = self.safe[name] = File(path.read_bytes())
        self.safe_folders = set(self.folders)

    def step(self, kind, path, other, offset, data):
        if path.endswith("-shm"):
            return
        if kind == "o":
            self.opened(path, offset)
        elif kind == "w":
            self.names[path].pending.append((offset, data))
        elif kind == "t":
            self.names[path].pending.append((offset, None))
        elif kind == "s":
            self.synced(path)
        elif kind == "n":
            self.name_changed([(path, None), (other, self.names[path])])
        elif kind == "u" and path in self.names:
            self.name_changed([(path, None)])
        elif kind == "d" and offset == 1:
            self.folders.add(path)
            self.pending.append((path, "folder"))

    def opened(self, path, how):
        if path not in self.names:
            self.name_changed([(path, File())])
        if how & 2:
            self.names[path].pending.append((0, None))

    def name_changed(self, changes):
        for path, file in changes:
            if file is None:
                self.names.pop(path, None)
            else:
                self.names[path] = file
        self.pending.append(("", changes))

    def synced(self, path):
        if path in self.names:
            self.names[path].sync()
            return
        left = []
        for folder, change in self.pending:
            parent = str(Path(folder or change[0][0]).parent)
            if parent == path:
                commit(self, folder, change)
            else:
                left.append((folder, change))
        self.pending = left

    def after_power_loss(self, into, dice=None):
        """Writes what may be left: with dice any part of what was not safe, else none of it."""
        names, folders = dict(self.safe), set(self.safe_folders)
        for folder, change in self.pending:
            if dice and dice.random() < 0.5:
                if folder:
                    folders.add(folder)
                for path, file in change if not folder else []:
                    names.pop(path, None) if file is None else names.__setitem__(path, file)
        shutil.rmtree(into, ignore_errors=True)
        there = lambda path: all(str(p) in folders for p in Path(path).parents
                                 if len(str(p)) >= len(self.home))
        for folder in sorted(folders):
            if there(folder):
                place(self.home, into, folder).mkdir(parents=True, exist_ok=True)
        for path, file in names.items():
            if there(path):
                place(self.home, into, path).write_bytes(left_of(file, dice))


def commit(disk, folder, change):
    if folder:
        disk.safe_folders.add(folder)
        return
    for path, file in change:
        if file is None:
            disk.safe.pop(path, None)
        else:
            disk.safe[path] = file


def place(home, into, path):
    return Path(into) / Path(path).relative_to(home)


def left_of(file, dice):
    if not dice:
        return file.safe
    kept = []
    for offset, data in file.pending:
        if dice.random() < 0.5:
            continue
        if data and dice.random() < 0.3:
            data = data[: dice.randrange(len(data) // SECTOR + 1) * SECTOR]
        kept.append((offset, data))
    return apply(file.safe, kept)

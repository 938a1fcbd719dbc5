"""A disk of its own for a folder, so that it can be full: a tmpfs, which takes only what is written to it."""

import os
import subprocess
from pathlib import Path


class Disk:
    """Mounted where one may mount; elsewhere the folder is a folder like any other and never full."""

    def __init__(self, folder: Path, mib: int) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        mount = ["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", str(folder)]
        self.is_mounted = os.geteuid() == 0 and subprocess.run(mount, check=False, capture_output=True).returncode == 0
        folder.chmod(0o755)

    @property
    def _filler(self) -> Path:
        return self.folder / "filler"

    def fill(self) -> None:
        """To the last byte."""
        assert self.is_mounted, "filling a disk needs one of the suite's own: run as root, where tmpfs can be mounted"
        with self._filler.open("wb") as file:
            space = os.statvfs(self.folder)
            os.posix_fallocate(file.fileno(), 0, space.f_bavail * space.f_frsize)

    def empty(self) -> None:
        self._filler.unlink(missing_ok=True)

    def end(self) -> None:
        if self.is_mounted:
            subprocess.run(["umount", "--lazy", str(self.folder)], check=False)

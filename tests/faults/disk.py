"""A disk of its own for a folder, so that it can be full: a tmpfs, which takes only what is written to it."""

import os
import subprocess
from pathlib import Path


class Disk:
    """Mounted where one may mount; elsewhere the folder is a folder like any other and never full."""

    def __init__(self, folder: Path, mib: int) -> None:
        self.folder, self._mib = folder, mib
        folder.mkdir(exist_ok=True)
        mount = ["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", str(folder)]
        self.is_mounted = os.geteuid() == 0 and subprocess.run(mount, check=False, capture_output=True).returncode == 0
        folder.chmod(0o755)

    def fill(self) -> None:
        """To the last byte: it is made as small as what it holds, which costs no memory."""
        assert self.is_mounted, "filling a disk needs one of the suite's own: run as root, where tmpfs can be mounted"
        (self.folder / "filler").write_bytes(b"-")  # nothing at all would mean no limit
        # Refused when something has been written since it was measured.
        assert any(self._resize(f"{self._used()}") for _ in range(100)), "it grows quicker than it can be filled"

    def _used(self) -> int:
        space = os.statvfs(self.folder)
        return (space.f_blocks - space.f_bfree) * space.f_frsize

    def empty(self) -> None:
        (self.folder / "filler").unlink(missing_ok=True)
        if self.is_mounted:
            assert self._resize(f"{self._mib}m")

    def _resize(self, size: str) -> bool:
        command = ["mount", "-o", f"remount,size={size}", str(self.folder)]
        return subprocess.run(command, check=False, capture_output=True).returncode == 0

    def end(self) -> None:
        if self.is_mounted:
            subprocess.run(["umount", "--lazy", str(self.folder)], check=False)

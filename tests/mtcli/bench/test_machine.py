"""What is said of the machine."""

from pathlib import Path

import pytest
import torch

from mtcli import __version__
from mtcli.bench import host
from mtcli.bench.machine import device, versions
from mtcli.bench.settings import BenchSettings


def test_a_processor() -> None:
    found = device(BenchSettings(torch_device="cpu", seed=1))
    assert found.kind == "cpu"
    assert found.name == found.cpu == host.cpu_name()
    assert found.cores >= 1
    assert found.threads == torch.get_num_threads()
    assert found.memory_gib > 0
    assert found.gpu_memory_gib is None


def test_versions() -> None:
    found = versions()
    assert found["mtcli"] == __version__
    assert found["torch"] == torch.__version__
    assert found["python"].startswith("3.")


@pytest.mark.parametrize(
    ("sizes", "largest"),
    [(("48K", "32K", "2048K", "260M"), 260 << 20), (("32K",), 32 << 10), ((), 0)],
)
def test_the_largest_cache(
    sizes: tuple[str, ...], largest: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, size in enumerate(sizes):
        (tmp_path / f"index{number}").mkdir()
        (tmp_path / f"index{number}/size").write_text(size + "\n", encoding="ascii")
    monkeypatch.setattr(host, "_CACHES", tmp_path)
    assert host.cache_bytes() == largest

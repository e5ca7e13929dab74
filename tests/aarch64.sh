#!/usr/bin/env bash
# Run the CPU's kernels for AArch64 in an emulator (qemu): their tests, then a translation that must have the bits of
# this machine's. Needs apt-get and x86-64; whatever it fetches lies in build/aarch64, and nothing is installed.
# Usage: tests/aarch64.sh        (PYTHON=... has the packages of mtcli and numba)
set -euo pipefail

say() { echo "aarch64: $*"; }
skip() { say "skipped: $*"; exit 0; }

cd "$(dirname "$0")/.."
work=$PWD/build/aarch64 here=$(command -v "${PYTHON:-python3}") name=aarch64-dotprod
export PYTHONPATH=$PWD:$PWD/kernels:$PWD/tests
mkdir -p "$work"/{apt/lists/partial,archives/partial,objects,tests}

[ "$(uname -sm)" = "Linux x86_64" ] || skip "this is no Linux on x86-64"
command -v apt-get >/dev/null || skip "there is no apt-get to fetch an AArch64 Python with"

if ! qemu=$(command -v qemu-aarch64-static || command -v qemu-aarch64 || ls "$work"/usr/bin/qemu-aarch64-static 2>/dev/null); then
  (cd "$work" && apt-get -q download qemu-user-static >/dev/null) || skip "there is no qemu-user-static"
  dpkg -x "$work"/qemu-user-static_*.deb "$work"
  qemu=$work/usr/bin/qemu-aarch64-static
fi

if ! [ -e "$work/ready" ]; then
  say "fetching a Python for AArch64 and its packages ..."
  : >"$work/status"
  apt=(apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Dir::State="$work/apt"
    -o Dir::State::status="$work/status" -o Dir::Cache="$work" -o Debug::NoLocking=1 -o APT::Sandbox::User=root
    -o APT::Install-Recommends=false)
  "${apt[@]}" update && "${apt[@]}" install -y --download-only python3 libstdc++6 >/dev/null ||
    skip "apt-get has no packages for arm64"
  for package in "$work"/archives/*.deb; do dpkg -x "$package" "$work/root"; done
  version=$(basename "$(readlink "$work/root/usr/bin/python3")")
  "$here" -m pip install --quiet --disable-pip-version-check --target "$work/site" --only-binary :all: \
    --python-version "${version#python}" --platform manylinux_2_28_aarch64 --platform manylinux_2_27_aarch64 \
    --platform manylinux_2_17_aarch64 --platform manylinux2014_aarch64 \
    numpy llvmlite sentencepiece pydantic typer rich safetensors sentencex pytest hypothesis
  # qemu shows the processor that it runs on, unless there is a file of that name below its prefix.
  mkdir -p "$work/root/proc"
  printf 'processor\t: 0\nFeatures\t: fp asimd asimddp\n' >"$work/root/proc/cpuinfo"
  touch "$work/ready"
fi

# A file that the system can execute, as the tests start Pythons of their own.
cat >"$work/python" <<PYTHON
#!/usr/bin/env bash
export PYTHONPATH="$PYTHONPATH:$work/site" PYTHONDONTWRITEBYTECODE=1 QEMU_LD_PREFIX="$work/root" QEMU_CPU=max
export XDG_CACHE_HOME="$work/cache" MTCLI_TEST_KERNELS="$work/tests"
exec "$qemu" "$work/root/usr/bin/python3" "\$@"
PYTHON
chmod +x "$work/python"

say "compiling ..."
"$here" -m mtcli_native.build --target $name --system linux -o "$work/objects"
"$here" - "$work" $name <<'PYTHON'
import shutil, sys
from pathlib import Path
from mtcli_native import objects, targets
work, name = sys.argv[1:]
path = objects.cached(targets.by_name(name), Path(work, "cache/mtcli/kernels"))
path.parent.mkdir(parents=True, exist_ok=True)
shutil.copy(Path(work, "objects", f"{name}-linux.o"), path)
PYTHON
for target in $name $name-checked; do
  "$here" -m support.native.compiling $target "$work/tests/$target.o"
done

say "the model in the box ..."
cut -f1 tests/system/model_in_the_box.tsv >"$work/sentences"
for dtype in float32 int8; do
  for python in "$work/python" "$here"; do
    "$python" -m mtcli translate --quiet --engine native --dtype $dtype --format jsonl --n-best 4 \
      <"$work/sentences" >"$work/translated.$([ "$python" = "$here" ] && echo here || echo there)"
  done
  cmp "$work/translated.here" "$work/translated.there"
  say "$dtype: $(wc -l <"$work/translated.there") sentences, the same ids and scores to the last digit"
done

say "the kernels' tests ..."
"$work/python" - "$work/python" <<'PYTHON'
import sys, pytest
from hypothesis import settings
sys.executable = sys.argv[1]
settings.register_profile("emulated", deadline=None, max_examples=20)
settings.load_profile("emulated")
folder = "tests/kernels/native"  # whose conftest.py needs no PyTorch, unlike that above it
options = ["--confcutdir", folder, f"--ignore={folder}/test_reference.py", "-p", "no:cacheprovider", "-q"]
sys.exit(pytest.main([*options, "-m", "not slow", folder]))
PYTHON

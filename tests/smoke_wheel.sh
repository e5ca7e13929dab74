#!/usr/bin/env bash
# Install a wheel into a clean environment and use it from elsewhere: train, translate, evaluate.
# Usage: tests/smoke_wheel.sh WHEEL        (PYTHON=python3.12 chooses the interpreter)
set -euo pipefail

step() { echo "smoke: $*"; }
fail() { echo "smoke: FAILED: $*" >&2; exit 1; }

wheel=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
python=$(command -v "${PYTHON:-python3}") || fail "there is no ${PYTHON:-python3}"
case $python in /*) ;; *) python=$PWD/$python ;; esac
work=$(mktemp -d "${TMPDIR:-/tmp}/mtcli-smoke.XXXXXX")
trap 'rm -rf "$work"' EXIT

step "size and licences of $(basename "$wheel")"
bytes=$(wc -c <"$wheel")
[ "$bytes" -le 13000000 ] || fail "the wheel has $bytes bytes, more than 13 million"
"$python" - "$wheel" <<'PYTHON' || fail "the wheel lacks a licence, a notice or the model in the box"
import sys, zipfile
names = zipfile.ZipFile(sys.argv[1]).namelist()
wanted = ("/licenses/LICENSE", "/licenses/NOTICE", "mtcli/model_directory/box/en-de/model.safetensors", "mtcli/model_directory/box/en-de/README.md")
missing = [name for name in wanted if not any(found.endswith(name) for found in names)]
sys.exit(f"missing: {missing}" if missing else 0)
PYTHON

step "installing $(basename "$wheel") into a clean environment"
unset PYTHONPATH PYTHONHOME VIRTUAL_ENV
"$python" -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check "$wheel"
export PATH="$work/venv/bin:$PATH"
mkdir "$work/elsewhere"
cd "$work/elsewhere"

step "the command line"
python -c "import sys, mtcli, mtcli_kernels; sys.exit(not mtcli.__file__.startswith(sys.prefix))" ||
    fail "mtcli was imported from outside the clean environment"
mtcli --version
mtcli --help >/dev/null
python -m mtcli --help >/dev/null

step "translate with the model in the box, without a network"
translation=$(echo 'Where is the station?' | http_proxy=http://127.0.0.1:1 https_proxy=http://127.0.0.1:1 mtcli translate --quiet)
[ "$translation" = "Wo ist der Bahnhof?" ] || fail "the model in the box translated: $translation"
mtcli info >/dev/null

step "translate with the compiled kernels of the wheel, without numba"
python -c "
from importlib.util import find_spec
from mtcli_native import load
assert find_spec('numba') is None and load.describe().endswith('built in'), load.describe()
" || fail "the wheel has no kernels for this processor"
translation=$(echo 'Where is the station?' | mtcli translate --engine native --quiet)
[ "$translation" = "Wo ist der Bahnhof?" ] || fail "the compiled kernels translated: $translation"

step "train on copying letters"
awk 'function letter() { return substr("abcdefghij", int(10 * rand()) + 1, 1) }
    BEGIN { srand(1); for (i = 0; i < 1000; i++) {
    line = letter(); for (n = int(7 * rand()) + 2; n > 0; n--) line = line " " letter()
    print line } }' >letters.src
cp letters.src letters.tgt
mtcli train --src letters.src --tgt letters.tgt -o model --preset tiny --max-steps 30 --device cpu \
    --set data.vocab_size=300 --set data.valid_size=20 --set training.batch_tokens=512

step "translate a stream: three lines in, three lines out, the blank one blank"
printf 'a b c\n\nd e f g\n' | mtcli translate -m model >hypotheses
[ "$(wc -l <hypotheses)" -eq 3 ] || fail "expected 3 lines, got $(wc -l <hypotheses)"
[ -z "$(sed -n 2p hypotheses)" ] || fail "a blank line did not stay blank"
[ -n "$(sed -n 1p hypotheses)" ] && [ -n "$(sed -n 3p hypotheses)" ] || fail "a line came out blank"

step "evaluate and info"
head -n 20 letters.src >test.src
mtcli evaluate -m model --src test.src --ref test.src --json >scores.json
python -c "
import json
scores = json.load(open('scores.json', encoding='utf-8'))
missing = {'bleu', 'chrf', 'ter', 'signatures', 'lines', 'seconds'} - set(scores)
assert not missing and scores['lines'] == 20, (missing, scores)
" || fail "mtcli evaluate --json lacks what it promises"
mtcli info model >/dev/null

step "passed"

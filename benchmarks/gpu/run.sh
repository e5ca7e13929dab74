#!/usr/bin/env bash
# Checks and measures mtcli on this machine's GPU, unattended: make gpu. Every stage is a command that may be run alone,
# has a limit of time, and saves what it finds as it goes; the most wanted come first.
#
#   STAGE=correct,bench,... OPS=a,b DATA=DIR WHEELS=DIR RESULTS=DIR TOTAL=SECONDS REHEARSE=1 PYTHON=... run.sh
#
# Exit codes: 0 all stages ended well; 1 there is no GPU, something is missing, or a stage failed; 2 no such stage.
set -uo pipefail
cd "$(dirname "$0")/../.."

python=${PYTHON:-python3} stages=${STAGE:-all} total=${TOTAL:-2700} data=${DATA:-} rehearse=${REHEARSE:-}
known="correct bench translate kernels train latency quality"
packages=$PWD/build/gpu-packages work=$PWD/build/gpu-work
export PYTHONPATH="$packages:$PWD:$PWD/kernels${PYTHONPATH:+:$PYTHONPATH}" PYTHONUNBUFFERED=1
unset TRITON_INTERPRET
device=cuda batch_tokens=25000 toy=() toy_bench=()

for stage in ${stages//,/ }; do
    [[ " $known all " == *" $stage "* ]] || { echo "There is no stage $stage; there are $known and all." >&2; exit 2; }
done
if [ -n "${WHEELS:-}" ]; then # each alone, without the packages that it names: the PyTorch that is there stays
    for wheel in "$WHEELS"/*.whl; do
        case ${wheel##*/} in torch-* | triton-*) continue ;; esac
        "$python" -m pip install -q --disable-pip-version-check --no-cache-dir --no-index --no-deps \
            --upgrade --target "$packages" "$wheel" || echo "${wheel##*/} does not fit this Python." >&2
    done
fi
if [ -n "$rehearse" ]; then
    export TRITON_INTERPRET=1 OMP_NUM_THREADS=1 CUDA_VISIBLE_DEVICES=
    results=${RESULTS:-$PWD/build/gpu-rehearsal} device=cpu batch_tokens=150 toy_bench=(--toy)
    toy=(--preset tiny --vocab-size 100 --rounds 1)
    echo "A rehearsal: its figures mean nothing."
fi
asked=$("$python" -c '
import importlib.metadata as m, re, sys, tomllib
core = tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"]
names = [re.split(r"[\s<>=!~;\[]", text)[0] for text in core] + ["pytest", "hypothesis"]
there = {re.sub(r"[-_.]+", "-", d.metadata["Name"] or "").lower() for d in m.distributions()}
if lacking := [name for name in names if re.sub(r"[-_.]+", "-", name).lower() not in there]:
    sys.exit(f"{sys.executable} lacks {chr(44).join(lacking)}; name a folder of wheels, WHEELS=DIR, or another PYTHON.")
import torch
if not torch.cuda.is_available():
    print("none")
else:
    print(re.sub(r"[^a-z0-9]+", "-", torch.cuda.get_device_name(0).lower()).strip("-"))
') || exit 1
if [ -z "$rehearse" ] && [ "$asked" = none ]; then
    echo "No GPU: PyTorch finds no CUDA device. To try everything on the CPU at toy sizes: make gpu REHEARSE=1" >&2
    exit 1
fi
results=${results:-${RESULTS:-$PWD/benchmarks/results/$asked}}
mkdir -p "$results" "$work"
echo "Results go to $results"

ends_at=$((SECONDS + total)) failed=() left_out=()

# stage NAME SHARE COMMAND ...: run it within a share, in percent, of the time that is left; LIMIT stands for its seconds.
stage() {
    local name=$1 limit=$(((ends_at - SECONDS) * $2 / 100)) words
    shift 2
    [[ ",$stages," == *,all,* || ",$stages," == *",$name,"* ]] || return 0
    if [ $limit -lt 15 ]; then left_out+=("$name") && return 0; fi
    words=("${@//LIMIT/$limit}")
    printf '\n%s, at most %d seconds: %s\n' "$name" $limit "${words[*]}"
    timeout -s TERM -k 20 $((limit + 30)) "$python" -m "${words[@]}" 2>&1 | tee "$results/$name.log"
    [ "${PIPESTATUS[0]}" -eq 0 ] || failed+=("$name")
}

# The kernels' tests, a file in a process of its own, so that one broken kernel fails its own tests alone; those for GPUs
# first, some at once, since most of the time goes into compiling kernels, on the CPU. Then one launch of every kernel
# under NVIDIA's memory and race checkers. What they say is in the logs.
tests() {
    local limit=$1 marks file wrong=0 pids=() names=()
    for marks in gpu "not gpu"; do
        [ -n "$rehearse" ] && [ "$marks" = gpu ] && continue
        for file in tests/kernels/device/test_*.py; do
            [[ -z ${OPS:-} || $file =~ ${OPS//,/|} ]] || continue
            # A rehearsal only sees that they can be collected.
            timeout -s TERM -k 10 "$limit" "$python" -m pytest -v --tb=short -p no:cacheprovider -m "$marks" "$file" \
                ${rehearse:+--collect-only} >"$results/$(basename "$file" .py)${marks:+-${marks// /-}}.log" 2>&1 &
            pids+=($!) names+=("$(basename "$file"), $marks")
            while [ "$(jobs -rp | wc -l)" -ge 4 ]; do wait -n; done
        done
    done
    for number in "${!pids[@]}"; do # 5: no test has these marks
        wait "${pids[$number]}" || { [ $? -eq 5 ] || { echo "${names[$number]}: failed" && wrong=1; }; }
    done
    return $wrong
}

sanitize() {
    local tool code=0
    command -v compute-sanitizer >/dev/null || { echo "compute-sanitizer is not installed." && return 0; }
    for tool in "memcheck --report-api-errors no" racecheck; do
        # Without PyTorch's pool every tensor is an allocation of its own, so that a step beyond it shows.
        PYTORCH_NO_CUDA_MEMORY_CACHING=1 timeout -s TERM -k 10 "$1" compute-sanitizer --tool $tool --error-exitcode 99 \
            "$python" -m mtcli.bench.kernels.launch >"$results/${tool%% *}.log" 2>&1 || code=$?
        echo "${tool%% *}: $(grep -E 'SUMMARY' "$results/${tool%% *}.log" | tail -n 1)"
    done
    return $code
}

if [[ ",$stages," == *,all,* || ",$stages," == *,correct,* ]]; then
    limit=$(((ends_at - SECONDS) * 15 / 100))
    printf '\ncorrect, at most %d seconds\n' $((limit * 2))
    tests "$limit" || failed+=(correct)
    [ -n "$rehearse" ] || sanitize $((limit / 4)) || failed+=(sanitizer)
fi
stage bench 25 mtcli bench train translate --device $device --seconds LIMIT --force -o "$results/bench.json" \
    "${toy_bench[@]}"
stage translate 35 benchmarks.decoding base --device cuda --seconds LIMIT --out "$results/decoding-base.json" \
    ${data:+--data "$data"} "${toy[@]}" ${rehearse:+--limit 3 --beam 2 --contestants mtcli,ct2}
stage kernels 40 mtcli bench kernels --device $device ${OPS:+--ops "$OPS"} --seconds LIMIT --force \
    -o "$results/bench-kernels.json" "${toy_bench[@]}"
stage train 60 benchmarks.training base --device cuda --seconds LIMIT --batch-tokens "$batch_tokens" \
    --warm-up 1 --steps 12 --out "$results/training-base.json" "${toy[@]}"
stage latency 60 benchmarks.decoding latency --device cuda --seconds LIMIT --out "$results/decoding-latency.json" \
    "${toy[@]}" ${rehearse:+--limit 3 --beam 2 --contestants mtcli,ct2}
if [ -n "$data" ]; then
    stage quality 100 benchmarks.quality multi30k --device cuda --seeds 3 --data "$data" --work "$work" \
        --seconds LIMIT --out "$results/quality-multi30k.json"
fi

[ ${#left_out[@]} -eq 0 ] || echo "There was no time for: ${left_out[*]}."
if [ ${#failed[@]} -gt 0 ]; then
    echo "These stages did not end well: ${failed[*]}. What they found is in $results." >&2
    exit 1
fi

"""What `--attention` means for each operation, and what is said of it."""

import pytest
import torch

from mtcli.errors import BackendUnavailableError
from mtcli.model.implementations import Implementations, companion

CPU = torch.device("cpu")


def resolve(attention: str, **options: float) -> Implementations:
    settings = {"head_dim": 32, **options}
    return Implementations.resolve(attention, CPU, torch.float32, **settings)  # type: ignore[arg-type]


def test_a_cpu_runs_the_padded_forms_and_says_why() -> None:
    assert {choice.impl for choice in resolve("auto").choices.values()} == {"padded"}
    assert resolve("auto").sentence() == "padded (the device is a CPU)"


@pytest.mark.parametrize("attention", ["padded", "reference"])
def test_the_other_operations_go_with_attention_where_they_have_that_form(attention: str) -> None:
    assert {choice.impl for choice in resolve(attention).choices.values()} == {attention}
    assert resolve(attention).sentence() == f"{attention} (it was asked for)"


def test_sdpa_is_a_form_of_attention_alone_and_the_sentence_names_the_rest() -> None:
    chosen = resolve("sdpa")
    assert chosen.choices["cross_attention_decode"].impl == "sdpa"
    assert chosen.choices["beam_step"].impl == "padded"
    assert "beam_step, cross_entropy: padded (the device is a CPU)" in chosen.sentence()
    assert chosen.record()["masked_attention"] == {"impl": "sdpa", "reason": "it was asked for"}


def test_kernels_asked_for_on_a_cpu_are_refused_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    with pytest.raises(BackendUnavailableError, match=r"--attention triton: .*on the CPU.*--attention auto"):
        resolve("triton")


def test_on_a_gpu_other_operations_keep_their_own_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    assert companion("triton") == "auto"
    assert companion("sdpa") == "auto"
    assert companion("auto") == "auto"

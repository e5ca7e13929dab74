"""Every way to decode that this machine has, held against the definition: PyTorch's plain operations in float32."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mtcli.accelerators import num_cuda_devices
from mtcli.decoding.translator import Translator
from mtcli.doctor.findings import Finding, Status
from mtcli.errors import BackendUnavailableError, MtcliError
from mtcli.translation import Translation
from mtcli_native import load

SENTENCES = (
    "Where is the station?",
    "I lived in a small house near the river when I was young.",
    "She said that she would come, but she didn't.",
    "No.",
    "My brother and his friends want to learn how to swim before the summer.",
)
_BEAM = 4
_EXACT, _COARSE = 1e-3, 0.1  # nats a token that scores may differ by: of float32, of coarser types
_SHARE = 0.6  # of the sentences that coarser types must translate alike


@dataclass(frozen=True)
class Way:
    """Name a way to decode.

    Attributes:
        engine, device, dtype, attention: as `Translator` takes them.
    """

    engine: str
    device: str
    dtype: str
    attention: str = "auto"

    @property
    def name(self) -> str:
        attention = f", attention {self.attention}" if self.engine == "torch" else ""
        return f"{self.engine}, {self.device}, {self.dtype}{attention}"


REFERENCE = Way("torch", "cpu", "float32", "reference")


def ways() -> list[Way]:
    """Those that can be had here, but for the reference."""
    found = [Way("torch", "cpu", "float32", "padded")]
    if not load.obstacle():
        found += [Way("native", "cpu", "float32"), Way("native", "cpu", "int8")]
    for number in range(num_cuda_devices()):
        for dtype in ("float32", "float16"):
            found += [Way("torch", f"cuda:{number}", dtype, attention) for attention in ("triton", "sdpa")]
    return found


def examine() -> Iterator[Finding]:
    """Translate some sentences in every way, and compare."""
    try:
        expected = _translated(REFERENCE)
    except MtcliError as error:
        yield Finding("decoding", Status.WRONG, f"the reference does not run: {error}", "Install mtcli anew.")
        return
    for way in ways():
        yield _compared(way, expected)


def _translated(way: Way) -> Sequence[Translation]:
    translator = Translator(device=way.device, dtype=way.dtype, attention=way.attention, engine=way.engine)
    return translator.translate(list(SENTENCES), beam_size=_BEAM, repair=False)


def _compared(way: Way, expected: Sequence[Translation]) -> Finding:
    subject = f"decoding: {way.name}"
    try:
        found = _translated(way)
    except BackendUnavailableError as error:
        return Finding(subject, Status.NOTE, str(error))
    except MtcliError as error:
        return Finding(subject, Status.WRONG, str(error), "Decode in another way, and report it: this is a bug.")
    same = sum(one.text == other.text for one, other in zip(found, expected, strict=True))
    apart = max(
        (abs(one.score - other.score) for one, other in zip(found, expected, strict=True) if one.text == other.text),
        default=0.0,
    )
    is_exact = way.dtype == "float32"
    told = f"{same} of {len(found)} sentences as the reference has them, scores within {apart:.1g}"
    if apart <= (_EXACT if is_exact else _COARSE) and same >= (len(found) if is_exact else _SHARE * len(found)):
        return Finding(subject, Status.OK, told)
    return Finding(subject, Status.WRONG, told, "Decode in another way (--engine, --attention), and report it.")

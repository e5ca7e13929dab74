"""What every results file says, whatever was measured."""

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """A part of a results file: exactly these keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Device(Record):
    """The machine; `cores` are those the process was allowed to use."""

    cpu: str
    cores: int
    memory_gib: float


class Result(Record):
    """What every results file says."""

    title: str
    command: list[str]
    device: Device
    versions: dict[str, str]
    date: str

"""Records and arrays at addresses, for compiled code."""

from typing import Any

from numba import carray, from_dtype, types
from numba.extending import intrinsic

from mtcli_native import records
from mtcli_native.vectors import INT, jit


def record_at(dtype: Any) -> Any:
    """A function that takes an address for that of a record."""
    kind = from_dtype(dtype)

    @intrinsic
    def at(context, address):
        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            return builder.inttoptr(values[0], context.get_value_type(signature.return_type))

        return kind(INT), generate

    return at


def _pointer_to(kind: Any) -> Any:
    @intrinsic
    def at(context, address):
        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            return builder.inttoptr(values[0], context.get_value_type(signature.return_type))

        return types.CPointer(kind)(INT), generate

    return at


network_at, rules_at, slots_at, work_at, batch_at, call_at, team_at = (
    record_at(getattr(records, name)) for name in ("NETWORK", "RULES", "SLOTS", "WORK", "BATCH", "CALL", "TEAM")
)
_encoder_layer_at, _decoder_layer_at = record_at(records.ENCODER_LAYER), record_at(records.DECODER_LAYER)
_ENCODER_LAYER_BYTES, _DECODER_LAYER_BYTES = records.ENCODER_LAYER.itemsize, records.DECODER_LAYER.itemsize
_int64_at, _int32_at, _float32_at = _pointer_to(types.int64), _pointer_to(types.int32), _pointer_to(types.float32)


@jit
def encoder_layer(side, index):
    """One of an encoder's layers."""
    return _encoder_layer_at(side.p_layers + index * _ENCODER_LAYER_BYTES)


@jit
def decoder_layer(side, index):
    """One of a decoder's layers."""
    return _decoder_layer_at(side.p_layers + index * _DECODER_LAYER_BYTES)


@jit
def int64s(p, shape):
    """An array at an address."""
    return carray(_int64_at(p), shape)


@jit
def int32s(p, shape):
    """An array at an address."""
    return carray(_int32_at(p), shape)


@jit
def float32s(p, shape):
    """An array at an address."""
    return carray(_float32_at(p), shape)

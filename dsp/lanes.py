"""Sums side by side, as vector instructions.

Numba turns loops into vector instructions, but not sums within one: their order would change. Here
the order is written down, so every machine gives the same bits, with or without such instructions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

LANES = 8
WIDE = 16
LEAST_POWER = float(np.float32(1e-12))  # squares of what is too small to be like anything

# to a type checker what `intrinsic` gives takes other arguments than it does within a kernel
_kernel: Any = intrinsic
_with_constants: Any = intrinsic(prefer_literal=True)


@_kernel
def dot8(typing_context, x, i, c, j):  # type: ignore[no-untyped-def]
    """Sum of x[i + l] * c[j + l] for l in 0 … 7; x and c float32 in one piece, indices >= 0.

    Products 0 to 3 are added to 4 to 7, of the sums 0 and 1 to 2 and 3, then 0 to 1.
    """
    signature = types.float32(x, types.int64, c, types.int64)
    return signature, _dot8


def _dot8(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    x, i, c, j = arguments
    products = builder.fmul(
        _load(context, builder, signature.args[0], x, i, LANES),
        _load(context, builder, signature.args[2], c, j, LANES),
    )
    for width in (4, 2, 1):
        low = _part(builder, products, 0, width)
        products = builder.fadd(low, _part(builder, products, width, width))
    return builder.extract_element(products, ir.IntType(32)(0))


@_with_constants
def sum_rows16(typing_context, sums, c, count, x, i, step):  # type: ignore[no-untyped-def]
    """Set sums[l], l in 0 … 15, to the sum over j of c[j] * x[i + step * j + l].

    The order is j = 0 … count - 1.

    sums float32 [16], c and x float32 in one piece, indices >= 0; count and step are constants.
    """
    signature = types.void(sums, c, count, x, types.int64, step)
    return signature, _sum_rows16


def _sum_rows16(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    kinds, (sums, c, _, x, i, _) = signature.args, arguments
    total = ir.Constant(ir.VectorType(ir.FloatType(), WIDE), [0.0] * WIDE)
    for j in range(kinds[2].literal_value):
        factor = _load(context, builder, kinds[1], c, i.type(j), 1)
        factor = _spread(builder, builder.extract_element(factor, ir.IntType(32)(0)))
        place = builder.add(i, i.type(kinds[5].literal_value * j))
        row = _load(context, builder, kinds[3], x, place, WIDE)
        total = builder.fadd(total, builder.fmul(factor, row))
    _store(context, builder, kinds[0], sums, i.type(0), total)
    return context.get_dummy_value()


@_with_constants
def correlate16(typing_context, like, c, count, x, i, step):  # type: ignore[no-untyped-def]
    """How like c[0 … count - 1] every `step`-th value of x from i + l on is, l in 0 … 15.

    Sets like[16 + l] to the product of the two, and like[l] to it times its size, over the power
    of the values and `LEAST_POWER`; like float32 [32].
    """
    signature = types.void(like, c, count, x, types.int64, step)
    return signature, _correlate16


def _correlate16(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    kinds, (like, c, _, x, i, _) = signature.args, arguments
    vector = ir.VectorType(ir.FloatType(), WIDE)
    product = ir.Constant(vector, [0.0] * WIDE)
    power = ir.Constant(vector, [LEAST_POWER] * WIDE)
    for j in range(kinds[2].literal_value):
        factor = _load(context, builder, kinds[1], c, i.type(j), 1)
        factor = _spread(builder, builder.extract_element(factor, ir.IntType(32)(0)))
        place = builder.add(i, i.type(kinds[5].literal_value * j))
        row = _load(context, builder, kinds[3], x, place, WIDE)
        product = builder.fadd(product, builder.fmul(factor, row))
        power = builder.fadd(power, builder.fmul(row, row))
    ratio = builder.fdiv(builder.fmul(product, _size(builder, product)), power)
    _store(context, builder, kinds[0], like, i.type(0), ratio)
    _store(context, builder, kinds[0], like, i.type(WIDE), product)
    return context.get_dummy_value()


@_with_constants
def sum_all16(typing_context, x, groups):  # type: ignore[no-untyped-def]
    """Sum of the first 16 * groups of x: every 16th first, then halves; groups is a constant."""
    return types.float32(x, groups), _sum_all16


def _sum_all16(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    kind, x, index = signature.args[0], arguments[0], ir.IntType(64)
    total = _load(context, builder, kind, x, index(0), WIDE)
    for group in range(1, signature.args[1].literal_value):
        row = _load(context, builder, kind, x, index(WIDE * group), WIDE)
        total = builder.fadd(total, row)
    return _fold_lanes(builder, total, builder.fadd)


def _larger(builder: Any) -> Any:
    return lambda a, b: builder.select(builder.fcmp_ordered(">", b, a), b, a)


def _fold_lanes(builder: Any, vector: Any, join: Any, lanes: int = WIDE) -> Any:
    for width in [w for w in (8, 4, 2, 1) if w < lanes]:
        low = _part(builder, vector, 0, width)
        vector = join(low, _part(builder, vector, width, width))
    return builder.extract_element(vector, ir.IntType(32)(0))


@_kernel
def max_change32(typing_context, x, i, span, n):  # type: ignore[no-untyped-def]
    """Largest size of x[i + l] - x[i + l - span], l in 0 … n - 1, n <= 32 of 32 that exist."""
    return types.float32(x, types.int64, types.int64, types.int64), _max_change32


def _max_change32(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    x, i, span, n = arguments
    kind, most = signature.args[0], None
    zero = ir.Constant(ir.VectorType(ir.FloatType(), WIDE), [0.0] * WIDE)
    for begin in (0, WIDE):
        here = builder.add(i, i.type(begin))
        now = _load(context, builder, kind, x, here, WIDE)
        before = _load(context, builder, kind, x, builder.sub(here, span), WIDE)
        forward, back = builder.fsub(now, before), builder.fsub(before, now)
        change = _larger(builder)(forward, back)
        change = builder.select(_before(builder, n, begin), change, zero)
        most = change if most is None else _larger(builder)(most, change)
    return _fold_lanes(builder, most, _larger(builder))


def _before(builder: Any, n: Any, begin: int, width: int = WIDE) -> Any:
    """Lanes whose numbers, counted from `begin`, are less than n."""
    numbers = ir.Constant(_integers(width), list(range(begin, begin + width)))
    limit = _spread(builder, builder.trunc(n, ir.IntType(32)), width)
    return builder.icmp_signed("<", numbers, limit)


@_kernel
def largest16(typing_context, x, i, n):  # type: ignore[no-untyped-def]
    """Place of the first largest of x[i + l] for l in 0 … n - 1, 0 < n <= 16 of 16 that exist."""
    return types.int64(x, types.int64, types.int64), _largest16


def _largest16(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    x, i, n = arguments
    row = _load(context, builder, signature.args[0], x, i, WIDE)
    least = ir.Constant(row.type, [float("-inf")] * WIDE)
    row = builder.select(_before(builder, n, 0), row, least)
    top = _spread(builder, _fold_lanes(builder, row, _larger(builder)))
    return _first(builder, builder.fcmp_ordered("==", row, top), WIDE)


def _spread(builder: Any, value: Any, width: int = WIDE) -> Any:
    """A vector that holds a value in every lane."""
    one = builder.insert_element(
        ir.Constant(ir.VectorType(value.type, width), ir.Undefined), value, ir.IntType(32)(0)
    )
    return builder.shuffle_vector(one, one, ir.Constant(_integers(width), [0] * width))


def _first(builder: Any, lanes: Any, width: int) -> Any:
    """Number of the first lane that is set; `width` when none is."""
    place = builder.cttz(builder.bitcast(lanes, ir.IntType(width)), ir.IntType(1)(0))
    return builder.zext(place, ir.IntType(64))


@_with_constants
def dots8(typing_context, sums, c, count, x, i):  # type: ignore[no-untyped-def]
    """Set sums[l], l in 0 … 7, to the sum of products c[j] * x[i + j + l], j in 0 … count - 1.

    Every fourth product first, then the sums 0 and 1 to 2 and 3. float32 in one piece, indices
    >= 0; count is a constant, a multiple of 4.
    """
    return types.void(sums, c, count, x, types.int64), _dots8


def _dots8(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    kinds, (sums, c, _, x, i) = signature.args, arguments
    parts = _fours()
    for j in range(kinds[2].literal_value):
        factor = _load(context, builder, kinds[1], c, i.type(j), 1)
        factor = _spread(builder, builder.extract_element(factor, ir.IntType(32)(0)), LANES)
        row = _load(context, builder, kinds[3], x, builder.add(i, i.type(j)), LANES)
        parts[j % 4] = builder.fadd(parts[j % 4], builder.fmul(factor, row))
    _store(context, builder, kinds[0], sums, i.type(0), _joined(builder, parts))
    return context.get_dummy_value()


@_with_constants
def sums8(typing_context, sums, count, x, i):  # type: ignore[no-untyped-def]
    """Set sums[l] to the sum of x[i + j + l], j in 0 … count - 1, sums[8 + l] to that of squares.

    l in 0 … 7; order and arguments as those of `dots8`.
    """
    return types.void(sums, count, x, types.int64), _sums8


def _sums8(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    kinds, (sums, _, x, i) = signature.args, arguments
    plain, squares = _fours(), _fours()
    for j in range(kinds[1].literal_value):
        row = _load(context, builder, kinds[2], x, builder.add(i, i.type(j)), LANES)
        plain[j % 4] = builder.fadd(plain[j % 4], row)
        squares[j % 4] = builder.fadd(squares[j % 4], builder.fmul(row, row))
    _store(context, builder, kinds[0], sums, i.type(0), _joined(builder, plain))
    _store(context, builder, kinds[0], sums, i.type(LANES), _joined(builder, squares))
    return context.get_dummy_value()


def _fours() -> list[Any]:
    return [ir.Constant(ir.VectorType(ir.FloatType(), LANES), [0.0] * LANES)] * 4


def _joined(builder: Any, parts: list[Any]) -> Any:
    return builder.fadd(builder.fadd(parts[0], parts[1]), builder.fadd(parts[2], parts[3]))


def _size(builder: Any, vector: Any) -> Any:
    zero = ir.Constant(vector.type, [0.0] * vector.type.count)
    return builder.select(builder.fcmp_ordered("<", vector, zero), builder.fneg(vector), vector)


@_kernel
def bits(typing_context, x):  # type: ignore[no-untyped-def]
    """The 32 bits of a float32, as an int32."""
    return types.int32(types.float32), lambda _c, builder, _s, arguments: builder.bitcast(
        arguments[0], ir.IntType(32)
    )


@_kernel
def from_bits(typing_context, x):  # type: ignore[no-untyped-def]
    """The float32 that has these 32 bits."""
    return types.float32(types.int32), lambda _c, builder, _s, arguments: builder.bitcast(
        arguments[0], ir.FloatType()
    )


def _integers(width: int) -> Any:
    return ir.VectorType(ir.IntType(32), width)


def _address(context: Any, builder: Any, kind: Any, array: Any, index: Any, width: int) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    first = builder.gep(data, [index])
    return builder.bitcast(first, ir.VectorType(ir.FloatType(), width).as_pointer())


def _load(context: Any, builder: Any, kind: Any, array: Any, index: Any, width: int) -> Any:
    return builder.load(_address(context, builder, kind, array, index, width), align=4)


def _store(context: Any, builder: Any, kind: Any, array: Any, index: Any, vector: Any) -> None:
    address = _address(context, builder, kind, array, index, vector.type.count)
    builder.store(vector, address, align=4)


def _part(builder: Any, vector: Any, begin: int, width: int) -> Any:
    places = ir.Constant(_integers(width), list(range(begin, begin + width)))
    return builder.shuffle_vector(vector, ir.Constant(vector.type, ir.Undefined), places)

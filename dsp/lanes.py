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
_same: Any = types.UniTuple


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
    return _fold(context, builder, signature, arguments, builder.fadd)


@_with_constants
def max_all16(typing_context, x, groups):  # type: ignore[no-untyped-def]
    """Largest of the first 16 * groups of x; groups is a constant."""
    return types.float32(x, groups), _max_all16


def _max_all16(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    return _fold(context, builder, signature, arguments, _larger(builder))


def _larger(builder: Any) -> Any:
    return lambda a, b: builder.select(builder.fcmp_ordered(">", b, a), b, a)


def _fold(context: Any, builder: Any, signature: Any, arguments: Any, join: Any) -> Any:
    index = ir.IntType(64)
    total = _load(context, builder, signature.args[0], arguments[0], index(0), WIDE)
    for group in range(1, signature.args[1].literal_value):
        place = index(WIDE * group)
        total = join(total, _load(context, builder, signature.args[0], arguments[0], place, WIDE))
    return _fold_lanes(builder, total, join)


def _fold_lanes(builder: Any, vector: Any, join: Any, lanes: int = WIDE) -> Any:
    for width in [w for w in (8, 4, 2, 1) if w < lanes]:
        low = _part(builder, vector, 0, width)
        vector = join(low, _part(builder, vector, width, width))
    return builder.extract_element(vector, ir.IntType(32)(0))


@_with_constants
def second_measures(typing_context, x, absent, same, far, n):  # type: ignore[no-untyped-def]
    """Of x[2 … n + 1] where absent is 0: absent ones, pairs closer than `same`, sum of bends'
    sizes, largest step, highest, and highest of -x (-far when there are none); float32.

    x : float32, absent : uint8, of which as many exist as fill lanes; n is a constant. Every
    16th is summed first, then halves.
    """
    number = types.float32
    return _same(number, 6)(x, absent, number, number, n), _second_measures


def _second_measures(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    (x, absent, same, far, _), kinds = arguments, signature.args
    n, index, larger = kinds[4].literal_value, ir.IntType(64), _larger(builder)
    vector = ir.VectorType(ir.FloatType(), WIDE)
    zero, one = ir.Constant(vector, [0.0] * WIDE), ir.Constant(vector, [1.0] * WIDE)
    same, least = _spread(builder, same), builder.fneg(_spread(builder, far))
    gone_n, near_n, bends, jump, high, low = zero, zero, zero, zero, least, least
    for i in range(0, n, WIDE):
        before, last, now = (
            _load(context, builder, kinds[0], x, index(i + k), WIDE) for k in (0, 1, 2)
        )
        gone = _bytes_set(context, builder, kinds[1], absent, index(i + 2))
        there = builder.and_(builder.not_(gone), _constant_lanes(n - i))
        step = builder.fsub(now, last)
        bend = _size(builder, builder.fsub(step, builder.fsub(last, before)))
        step = _size(builder, step)
        near = builder.and_(there, builder.fcmp_ordered("<", step, same))
        gone = builder.and_(gone, _constant_lanes(n - i))
        gone_n = builder.fadd(gone_n, builder.select(gone, one, zero))
        near_n = builder.fadd(near_n, builder.select(near, one, zero))
        bends = builder.fadd(bends, builder.select(there, bend, zero))
        jump = larger(jump, builder.select(there, step, zero))
        high = larger(high, builder.select(there, now, least))
        low = larger(low, builder.select(there, builder.fneg(now), least))
    found = [_fold_lanes(builder, a, builder.fadd) for a in (gone_n, near_n, bends)]
    found += [_fold_lanes(builder, a, larger) for a in (jump, high, low)]
    return context.make_tuple(builder, signature.return_type, found)


def _bytes_set(context: Any, builder: Any, kind: Any, array: Any, index: Any) -> Any:
    """Lanes whose bytes are not 0."""
    vector = ir.VectorType(ir.IntType(8), WIDE)
    first = builder.gep(context.make_array(kind)(context, builder, array).data, [index])
    row = builder.load(builder.bitcast(first, vector.as_pointer()), align=1)
    return builder.icmp_unsigned("!=", row, ir.Constant(vector, [0] * WIDE))


@_kernel
def shifted16(typing_context, y, j, x, i, offset, most, steep):  # type: ignore[no-untyped-def]
    """Set y[j + l] to x[i + l] - offset, l in 0 … 15; gives what is to be looked at.

    1: a size of x above `most`, or no number; 2: y differs by more than `steep` from the one
    before, which is x[i - 1] - offset; 3: both. float32.
    """
    number, index = types.float32, types.int64
    return types.int64(y, index, x, index, number, number, number), _shifted16


def _shifted16(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    y, j, x, i, offset, most, steep = arguments
    kinds, offset = signature.args, _spread(builder, offset)
    now = _load(context, builder, kinds[2], x, i, WIDE)
    before = _load(context, builder, kinds[2], x, builder.sub(i, i.type(1)), WIDE)
    here = builder.fsub(now, offset)
    step = _size(builder, builder.fsub(here, builder.fsub(before, offset)))
    _store(context, builder, kinds[0], y, j, here)
    # "unordered" is true of what is not a number, too
    away = builder.fcmp_unordered(">", _size(builder, now), _spread(builder, most))
    far = builder.fcmp_ordered(">", step, _spread(builder, steep))
    return builder.or_(_any(builder, away, 1), _any(builder, far, 2))


def _any(builder: Any, lanes: Any, value: int) -> Any:
    """The value when a lane is set, else 0."""
    word = builder.bitcast(lanes, ir.IntType(WIDE))
    found = builder.icmp_unsigned("!=", word, word.type(0))
    return builder.select(found, ir.IntType(64)(value), ir.IntType(64)(0))


@_with_constants
def bends(typing_context, x, i, n):  # type: ignore[no-untyped-def]
    """Sum of the sizes of x[k + 1] - 2 x[k] + x[k - 1], k from i to i + n - 1; n is a constant.

    Every 16th first, then halves; x float32 of which as many exist as fill lanes.
    """
    return types.float32(x, types.int64, n), _bends


def _bends(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    (x, i, _), kind = arguments, signature.args[0]
    n, zero = (
        signature.args[2].literal_value,
        ir.Constant(ir.VectorType(ir.FloatType(), WIDE), [0.0] * WIDE),
    )
    two, total = _spread(builder, ir.FloatType()(2.0)), zero
    for begin in range(0, n, WIDE):
        before, here, after = (
            _load(context, builder, kind, x, builder.add(i, i.type(begin + k)), WIDE)
            for k in (-1, 0, 1)
        )
        bend = builder.fadd(builder.fsub(after, builder.fmul(two, here)), before)
        bend = builder.select(_constant_lanes(n - begin), _size(builder, bend), zero)
        total = builder.fadd(total, bend)
    return _fold_lanes(builder, total, builder.fadd)


@_kernel
def tenth25(typing_context, x, i):  # type: ignore[no-untyped-def]
    """Sum and largest of x[i … i + 24], none below zero, of 32 that exist.

    x[i + l] and x[i + 16 + l] first, then halves.
    """
    return _same(types.float32, 2)(x, types.int64), _tenth25


def _tenth25(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    (x, i), kind = arguments, signature.args[0]
    low = _load(context, builder, kind, x, i, WIDE)
    high = _load(context, builder, kind, x, builder.add(i, i.type(WIDE)), WIDE)
    zero = ir.Constant(low.type, [0.0] * WIDE)
    high = builder.select(_constant_lanes(25 - WIDE), high, zero)
    total = _fold_lanes(builder, builder.fadd(low, high), builder.fadd)
    top = _fold_lanes(builder, _larger(builder)(low, high), _larger(builder))
    return context.make_tuple(builder, signature.return_type, (total, top))


def _constant_lanes(n: int) -> Any:
    """The first n of 16 lanes."""
    return ir.Constant(ir.VectorType(ir.IntType(1), WIDE), [lane < n for lane in range(WIDE)])


@_kernel
def rises16(typing_context, x, i, n):  # type: ignore[no-untyped-def]
    """First l of 0 … n - 1 with x[i + l] > x[i + l - 1]; 16 when there is none; 16 exist."""
    return types.int64(x, types.int64, types.int64), _rises16


def _rises16(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    x, i, n = arguments
    now = _load(context, builder, signature.args[0], x, i, WIDE)
    before = _load(context, builder, signature.args[0], x, builder.sub(i, i.type(1)), WIDE)
    found = builder.fcmp_ordered(">", now, before)
    return _first(builder, builder.and_(found, _before(builder, n, 0)), WIDE)


@_kernel
def leaves16(typing_context, x, i, n, low, high):  # type: ignore[no-untyped-def]
    """First l of 0 … n - 1 with x[i + l] < low or > high; 16 when there is none; 16 exist."""
    number = types.float32
    return types.int64(x, types.int64, types.int64, number, number), _leaves16


def _leaves16(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    x, i, n, low, high = arguments
    now = _load(context, builder, signature.args[0], x, i, WIDE)
    under = builder.fcmp_ordered("<", now, _spread(builder, low))
    found = builder.or_(under, builder.fcmp_ordered(">", now, _spread(builder, high)))
    return _first(builder, builder.and_(found, _before(builder, n, 0)), WIDE)


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


@_with_constants
def ranked(typing_context, x, n, k, width):  # type: ignore[no-untyped-def]
    """Place of the `k`-th smallest of x[0 … n - 1], n <= width of float32 that exist; no NaN.

    All ranks are counted side by side: what is larger cannot be predicted, and nothing waits.
    """
    return types.int64(x, types.int64, types.int64, width), _ranked


def _ranked(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    x, n, k, _ = arguments
    width = signature.args[3].literal_value
    row = _load(context, builder, signature.args[0], x, n.type(0), width)
    row = builder.select(
        _before(builder, n, 0, width), row, ir.Constant(row.type, [float("inf")] * width)
    )
    rank = ir.Constant(_integers(width), [0] * width)
    for m in range(width):
        other = builder.shuffle_vector(row, row, ir.Constant(_integers(width), [m] * width))
        later = ir.Constant(ir.VectorType(ir.IntType(1), width), [i > m for i in range(width)])
        equal = builder.and_(builder.fcmp_ordered("==", other, row), later)
        lower = builder.or_(builder.fcmp_ordered("<", other, row), equal)
        rank = builder.add(rank, builder.zext(lower, rank.type))
    wanted = _spread(builder, builder.trunc(k, ir.IntType(32)), width)
    return _first(builder, builder.icmp_signed("==", rank, wanted), width)


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


@_with_constants
def sum_wide(typing_context, x, n):  # type: ignore[no-untyped-def]
    """Sum, float64, of the first n of x, float32: every 8th first, then halves.

    n is a constant, a multiple of 8.
    """
    return types.float64(x, n), _sum_wide


def _sum_wide(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    total = ir.Constant(_doubles(), [0.0] * LANES)
    for i in range(0, signature.args[1].literal_value, LANES):
        row = _load(context, builder, signature.args[0], arguments[0], ir.IntType(64)(i), LANES)
        total = builder.fadd(total, builder.fpext(row, _doubles()))
    return _fold_lanes(builder, total, builder.fadd, LANES)


@_with_constants
def moments(typing_context, x, mean, n):  # type: ignore[no-untyped-def]
    """Sums over i = 1 … n - 1 of |v|, v², v⁴, |d|, d², d⁴, |d - d'|, then the largest |v| and |d|.

    v = x[i] - mean, d = x[i] - x[i - 1] and d' the one before it; float64 of x, float32 of which
    n + 1 exist. Every 8th is summed first, then halves; n is a constant, a multiple of 8.
    """
    return _same(types.float64, 9)(x, types.float64, n), _moments


def _moments(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    x, mean, _ = arguments
    kind, index, n = signature.args[0], ir.IntType(64), signature.args[2].literal_value
    zero = ir.Constant(_doubles(), [0.0] * LANES)
    sums, last = [zero] * 9, None
    mean = _spread(builder, mean, LANES)
    for i in range(1, n, LANES):
        row = _load(context, builder, kind, x, index(i), LANES)
        before = _load(context, builder, kind, x, index(i - 1), LANES)
        v = builder.fsub(builder.fpext(row, _doubles()), mean)
        d = builder.fpext(builder.fsub(row, before), _doubles())
        turned = list(range(LANES - 1, 2 * LANES - 1)) if last else [0, *range(LANES - 1)]
        d_before = builder.shuffle_vector(last or d, d, ir.Constant(_integers(LANES), turned))
        bend, last = builder.fsub(d, d_before), d
        if i + LANES > n:  # the last one is not there
            there = ir.Constant(
                ir.VectorType(ir.IntType(1), LANES), [i + lane < n for lane in range(LANES)]
            )
            v, d, bend = (builder.select(there, a, zero) for a in (v, d, bend))
        v2, d2 = builder.fmul(v, v), builder.fmul(d, d)
        new = [_size(builder, v), v2, builder.fmul(v2, v2)]
        new += [_size(builder, d), d2, builder.fmul(d2, d2), _size(builder, bend)]
        tops = [_larger(builder)(a, b) for a, b in ((sums[7], new[0]), (sums[8], new[3]))]
        sums = [*(builder.fadd(a, b) for a, b in zip(sums[:7], new, strict=True)), *tops]
    folded = [_fold_lanes(builder, a, builder.fadd, LANES) for a in sums[:7]]
    folded += [_fold_lanes(builder, a, _larger(builder), LANES) for a in sums[7:]]
    return context.make_tuple(builder, signature.return_type, folded)


def _size(builder: Any, vector: Any) -> Any:
    zero = ir.Constant(vector.type, [0.0] * vector.type.count)
    return builder.select(builder.fcmp_ordered("<", vector, zero), builder.fneg(vector), vector)


def _doubles() -> Any:
    return ir.VectorType(ir.DoubleType(), LANES)


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

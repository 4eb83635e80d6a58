"""Measures of short stretches and searches in them, as vector instructions; see `dsp.lanes`."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types

from dsp.lanes import (
    LANES,
    WIDE,
    _before,
    _first,
    _fold_lanes,
    _integers,
    _kernel,
    _larger,
    _load,
    _size,
    _spread,
    _store,
    _with_constants,
)

_same: Any = types.UniTuple


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


def _doubles() -> Any:
    return ir.VectorType(ir.DoubleType(), LANES)

"""Eight products side by side, as one vector instruction each.

Numba turns loops into vector instructions, but not sums within one: their order would change. Here
the order is written down, so every machine gives the same bits, with or without such instructions.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

LANES = 8


@intrinsic
def dot8(typing_context, x, i, c, j):  # type: ignore[no-untyped-def]
    """Sum of x[i + l] * c[j + l] for l in 0 … 7; x and c float32 in one piece, indices >= 0.

    Products 0 to 3 are added to 4 to 7, of the sums 0 and 1 to 2 and 3, then 0 to 1.
    """
    signature = types.float32(x, types.int64, c, types.int64)
    return signature, _dot8


def _dot8(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    x, i, c, j = arguments
    products = builder.fmul(
        _load(context, builder, signature.args[0], x, i),
        _load(context, builder, signature.args[2], c, j),
    )
    for width in (4, 2, 1):
        low = _part(builder, products, 0, width)
        products = builder.fadd(low, _part(builder, products, width, width))
    return builder.extract_element(products, ir.IntType(32)(0))


def _load(context: Any, builder: Any, kind: Any, array: Any, index: Any) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    first = builder.gep(data, [index])
    vector = builder.bitcast(first, ir.VectorType(ir.FloatType(), LANES).as_pointer())
    return builder.load(vector, align=4)


def _part(builder: Any, vector: Any, begin: int, width: int) -> Any:
    places = ir.Constant(ir.VectorType(ir.IntType(32), width), list(range(begin, begin + width)))
    return builder.shuffle_vector(vector, ir.Constant(vector.type, ir.Undefined), places)

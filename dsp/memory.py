"""Memory of kernels: none is asked for; room on the stack, rows as arrays without gaps."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import imputils
from numba.extending import intrinsic

# to a type checker what these give takes other arguments than it does within a kernel
_kernel: Any = intrinsic
_with_constants: Any = intrinsic(prefer_literal=True)
_borrowed: Any = imputils.impl_ret_borrowed

KERNEL: dict[str, Any] = {"cache": True, "nogil": True, "_nrt": False}
"""How kernels are compiled: kept on disk, free of the interpreter's lock, and without Numba's
runtime, which counts the users of every array at each call and each slice. Whoever calls a kernel
keeps its arrays until it returns. So no kernel can make an array, or copy one into a slice."""

WITH_ARRAYS = KERNEL | {"_nrt": True}
"""The same for kernels that are called once in seconds, and make arrays of their own."""


@_with_constants
def room(typing_context, n):  # type: ignore[no-untyped-def]
    """Room of the kernel that calls, float32 [n], gone when it returns; n is a constant.

    Not set to anything, one for each place in the text (in a loop the same one each time), on the
    stack: no memory is asked for.
    """
    return types.Array(types.float32, 1, "C")(n), _room


def _room(context: Any, builder: Any, signature: Any, _: Any) -> Any:
    n, kind, index = signature.args[0].literal_value, signature.return_type, ir.IntType(64)
    with builder.goto_entry_block():
        first = builder.alloca(ir.ArrayType(ir.FloatType(), n))
    return _array(context, builder, kind, builder.gep(first, [index(0), index(0)]), n)


def _array(context: Any, builder: Any, kind: Any, first: Any, n: int) -> Any:
    """An array in one piece that nobody owns, from its first value on."""
    array, index = context.make_array(kind)(context, builder), ir.IntType(64)
    step = context.get_abi_sizeof(first.type.pointee)
    context.populate_array(
        array,
        data=first,
        shape=[index(n)],
        strides=[index(step)],
        itemsize=index(step),
        meminfo=None,
    )
    return array._getvalue()


@_kernel
def in_one_piece(typing_context, leads):  # type: ignore[no-untyped-def]
    """The same leads, as the type of an array without gaps, which the leads of a patient are.

    A patient within a bank has them as a row of an array with gaps. Told so, all kernels would be
    compiled once more for that type alone.
    """
    whole = types.Array(leads.dtype, leads.ndim, "C", aligned=leads.aligned)
    return whole(leads), lambda context, builder, signature, arguments: _borrowed(
        context, builder, signature.return_type, arguments[0]
    )

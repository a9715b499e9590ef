"""The inverse of a symmetric positive definite matrix in its own memory, by Cholesky factorisation.

Half the work and a third of the memory of a general inverse. Float32 is enough where a ridge bounds the condition.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import spotrf, spotri

from two_tower_assets.errors import EvaluationError
from two_tower_assets.evaluation.baselines.threads import one_blas_thread

_BLOCK: Final = 1024


def inverted(matrix_MM: NDArray[np.float32]) -> NDArray[np.float32]:
    """Invert a C-contiguous matrix and return it; what it held is lost.

    Raises:
        EvaluationError: the matrix is not positive definite in float32.
    """
    assert matrix_MM.flags.c_contiguous
    with one_blas_thread():
        # Symmetric, so the transpose, in Fortran's order, is the same matrix; its lower half is our upper one.
        factor_MM, failed = spotrf(matrix_MM.T, lower=1, clean=0, overwrite_a=1)
        if failed:
            raise EvaluationError(
                "The matrix of co-occurrences is too close to singular", remedy="Set a larger ridge."
            )
        lower_MM, failed = spotri(factor_MM, lower=1, overwrite_c=1)
        assert not failed
    inverse_MM: NDArray[np.float32] = lower_MM.T
    _mirror(inverse_MM)
    return inverse_MM


def _mirror(matrix_MM: NDArray[np.float32]) -> None:
    """Copy the upper half onto the lower one, block by block so that no second matrix is made."""
    for start in range(0, len(matrix_MM), _BLOCK):
        stop = start + _BLOCK
        square = matrix_MM[start:stop, start:stop]
        square[:] = np.triu(square) + np.triu(square, 1).T
        matrix_MM[stop:, start:stop] = matrix_MM[start:stop, stop:].T

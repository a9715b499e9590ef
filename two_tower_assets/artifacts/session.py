"""Running the user tower's ONNX file with onnxruntime on the CPU.

Letters in tensor names: B batch, F features, D embedding (256).
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as failures

from two_tower_assets.artifacts.documents import REMEDY
from two_tower_assets.contract import USER_EMBEDDING_TENSOR, USER_TENSOR
from two_tower_assets.errors import ArtifactError

_ERRORS_ONLY: Final = 3
_UNREADABLE: Final = (
    failures.Fail,
    failures.InvalidArgument,
    failures.InvalidGraph,
    failures.InvalidProtobuf,
    failures.NoSuchFile,
    failures.NotImplemented,
    failures.RuntimeException,
)


def open_session(path: Path) -> onnxruntime.InferenceSession:
    """Load an ONNX file.

    Raises:
        ArtifactError: it is missing, damaged, or has other tensors than the contract's.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _ERRORS_ONLY
    try:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except _UNREADABLE as error:
        raise ArtifactError(f"onnxruntime cannot load the file: {error}", where=str(path), remedy=REMEDY) from None
    names = [*(x.name for x in session.get_inputs()), *(x.name for x in session.get_outputs())]
    if names != [USER_TENSOR, USER_EMBEDDING_TENSOR]:
        raise ArtifactError(f"The tensors are {', '.join(names)}", where=str(path), remedy=REMEDY)
    return session


def run_session(session: onnxruntime.InferenceSession, features_BF: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return `user_embedding` float32 [B, 256] for `user_features` float32 [B, F]."""
    embedding_BD: NDArray[np.float32] = session.run([USER_EMBEDDING_TENSOR], {USER_TENSOR: features_BF})[0]
    return embedding_BD

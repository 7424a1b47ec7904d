"""The same models exported at old opsets: what the operators meant then, in whole networks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from exporting import Case, check
from test_exported_control_flow import NETWORKS as CONTROL
from test_exported_convolutional import NETWORKS as CONVOLUTIONAL
from test_exported_detection import HEADS
from test_exported_images_and_sound import NETWORKS as IMAGES
from test_exported_operators import OPERATORS
from test_exported_recurrent import NETWORKS as RECURRENT
from test_exported_transformers import NETWORKS as TRANSFORMERS

import tensorlite as tl

#: The first opset at which the TorchScript exporter has what a model needs.
FIRST = {
    7: "resnet mobilenet2 mobilenet3 densenet kinds raw-speech batch-norms windows loop lstm "
    "lstm-both lstm-no-bias gru gru-no-bias rnn rnn-relu stateful packed-lstm packed-gru "
    "packed-rnn cells",
    8: "adaptive norms",
    9: "until generated anchors best unet-nearest dtypes tagger",
    10: "one-and-three pools pyramid gathered bert",
    11: "list heatmap resized resized-static recomputed lines written ordered summed elementwise "
    "gpt",
    12: "activations produced lost",
    13: "yolo multihead-static",
    14: "shaped encoder-static translator scaled vit",
    16: "scattered sampled",
}
OLD = (7, 8, 9, 10, 11, 12, 13, 14, 15, 16)


def parameters() -> list[Any]:
    """Each model at its first opset and at two others, in turn."""
    given = (*CONTROL, *CONVOLUTIONAL, *HEADS, *IMAGES, *OPERATORS, *RECURRENT, *TRANSFORMERS)
    cases = {
        parameter.id.rpartition("-torchscript-")[0]: parameter.values[0]
        for parameter in given
        if parameter.values[0].exporter == "torchscript"
    }
    found = []
    for first, names in FIRST.items():
        for number, name in enumerate(names.split()):
            later = [opset for opset in OLD if opset > first]
            opsets = {first, *later[number % 3 :: 3][:2]}
            for opset in sorted(opsets):
                plan = opset == first and cases[name].plan
                case = replace(cases[name], opset=opset, plan=plan)
                found.append(pytest.param(case, id=f"{name}-{opset}"))
    return found


@pytest.mark.parametrize("case", parameters())
def test_old_opset(case: Case, device: tl.device) -> None:
    check(case, device)

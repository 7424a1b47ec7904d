"""Why lines miss their goals, where a measurement says so."""

from __future__ import annotations

from fnmatch import fnmatch

# a pattern of lines' names, and the sentence; the first that fits is taken
_REASONS: tuple[tuple[str, str], ...] = (
    ("*a Python class", "Python classes without a plan pack their weights anew at each call, and"
     " each call of a layer takes 10 to 20 us in Python, on one thread."),
    ("resnet50*", "ResNet-50: products run at 85 to 90 % of the limit after Winograd F(2x2) has"
     " taken its savings; with F(4x4) (`TENSORLITE_WINOGRAD=4`, ten times the error) there are"
     " fewer. At the limit itself the ratio would be 0.72."),
    ("efficientnet-lite0*", "EfficientNet-Lite0: a fifth of the time is depthwise windows, at a"
     " third of the limit, bound by loads; inverted residuals are not fused depth first."),
    ("mobilenet-v2*", "MobileNetV2: 15 % of the time is depthwise windows at a third of the limit,"
     " bound by loads; inverted residuals are not fused depth first."),
    ("ocr-detection*", "PP-OCR detection: values of a page (736x736) do not fit the caches; copies"
     " and pooling take a twelfth of the time."),
    ("ocr-recognition*", "PP-OCR recognition: its products run at 93 % of the limit; its goal lies"
     " where they reach it."),
    ("minilm-128*", "MiniLM: at eight sentences both sides are at nine tenths of the limit."),
    ("magika", "magika: nine tenths of the time is one convolution at 94 % of the limit; the goal"
     " lies beyond the limit."),
    ("g2p-id*", "g2p-id: three fifths of the step is one product of a vector with 1 MB of weights,"
     " read at 90 GB/s, which ONNX Runtime reads as well."),
    ("100 operators*", "The chain: three kernels take 3.5 us together, the call from Python the"
     " rest (see the line of one operator)."),
    ("one operator*", "One operator: the time of a call from Python: checking the arguments, and a"
     " tensor around the result."),
    ("vector of*int8 inside", "Vectors by 8- and 4-bit weights: ONNX Runtime rounds the vector to 8"
     " bits as well where the model allows it; the plan multiplies in float32."),
    ("vector of*", "Vectors by 4-bit weights: on one thread they are read at the speed of memory."),
    ("product 3136x64*", "Products of 64 terms reach seven tenths of the limit where ONNX"
     " Runtime reaches nine; a tile is stored after every 64 steps (not measured apart)."),
    ("product*", "Products: ONNX Runtime and tensorlite are both within a tenth of the limit; below"
     " 0.2 ms a call from Python counts."),
    ("sigmoid*", "Sigmoid and silu hold a division; two Newton steps from the processor's estimate"
     " were tried and are slower."),
    ("silu*", "Sigmoid and silu hold a division; two Newton steps from the processor's estimate"
     " were tried and are slower."),
    ("convolution*", "Convolutions without a plan: windows are packed by a gather per vector, the"
     " weights anew at each call, and the result is fresh memory."),
    ("transpose*", "Small transposes: the call from Python takes a third."),
    ("top-k*", "Top-k holds the best in a heap: with a hundred of 8,400 the heap is most of it."),
    ("layer norm*", "Small norms: the call from Python takes a third."),
    ("RMS norm*", "Small norms: the call from Python takes a third."),
    ("gelu*", "GELU: an exponential and a division for each element, in registers, at the speed"
     " of arithmetic."),
    ("softmax*", "Softmax of short rows: an exponential for each element, at the speed of"
     " arithmetic."),
    ("attention*", "Attention of 64 places: the call from Python takes a fifth."),
    ("matmul, 4 elements*", "A product of four numbers: NumPy's own call is most of it."),
)  # fmt: skip


def reason(name: str) -> str:
    """The first sentence that is about a line, or nothing."""
    return next((sentence for pattern, sentence in _REASONS if fnmatch(name, pattern)), "")

"""Rewrites an ONNX graph of float32 to int8, so that a text's vector does not depend on the texts it runs with.

ONNX Runtime's own dynamic quantisation takes one scale for a whole batch: somebody else's message would change the
vector of mine. Here every row (a token) is scaled by its own largest value. One scale for a whole tensor also costs
accuracy, because a few channels are many times larger than the rest: those are evened out first, a part of each
channel's size moving into the weights (SmoothQuant, Xiao et al. 2022, arXiv:2211.10438).
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from models.ports import Vectors

CONTRIB = "com.microsoft"
SMOOTHING = 0.5
"""How much of a channel's size moves into the weights; 0.4 to 0.7 differ in the fourth place of the cosine."""

GELU_FLOOR = 0.17
"""GELU is never below -0.17: its result is shifted by that and uses all 256 steps for what is above."""


def smoothed_inputs(graph: Path) -> tuple[str, ...]:
    """Returns the values whose channels are to be measured, those that a layer normalisation gives to a product."""
    model = onnx.load(graph)
    makers = {output: node.op_type for node in model.graph.node for output in node.output}
    return tuple(sorted({node.input[0] for node in _products(model) if makers.get(node.input[0]) == LAYER_NORM}))


def with_outputs(graph: Path, names: tuple[str, ...]) -> bytes:
    """Returns the graph with these values among its outputs."""
    model = onnx.load(graph)
    model.graph.output.extend(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in names)
    content: bytes = model.SerializeToString()
    return content


def quantize(source: Path, target: Path, channels: Mapping[str, Vectors], *, steps: int) -> None:
    """Writes `source` with int8 products to `target`; `channels` has the largest value of each measured channel.

    `steps` is the largest weight: 127, or 63 for processors whose 16-bit sums of two products overflow.
    """
    model = onnx.load(source)
    _Rewriting(model, channels, steps).run()
    onnx.save(model, target)


LAYER_NORM = "LayerNormalization"


def _products(model: Any) -> list[Any]:
    """Returns the products with constant weights."""
    constants = {tensor.name for tensor in model.graph.initializer if len(tensor.dims) == 2}  # noqa: PLR2004 - a matrix
    return [node for node in model.graph.node if node.op_type == "MatMul" and node.input[1] in constants]


class _Rewriting:
    def __init__(self, model: Any, channels: Mapping[str, Vectors], steps: int) -> None:
        self._model, self._channels, self._steps = model, channels, steps
        self._weights = {tensor.name: tensor for tensor in model.graph.initializer}
        self._makers = {output: node.op_type for node in model.graph.node for output in node.output}
        self._nodes: list[Any] = []
        self._constants: dict[str, Any] = {}

    def run(self) -> None:
        products = _products(self._model)
        chosen = {node.output[0] for node in products}
        for node in list(self._model.graph.node):
            if node.op_type == "Gelu":
                _approximate(node)
            if node.output[0] not in chosen:
                self._nodes.append(node)
                continue
            # Products with the same input (query, key, value) share its quantised form.
            shared = [other for other in products if other.input[0] == node.input[0]]
            if node.output[0] == shared[0].output[0]:
                self._quantize_shared(shared)
        self._replace_graph()

    def _quantize_shared(self, products: list[Any]) -> None:
        values = products[0].input[0]
        smoothing = self._smoothing(values, products)
        from_gelu = self._makers.get(values) == "Gelu"
        quantized, scale = self._quantize_rows(values, smoothing, from_gelu=from_gelu)
        for product in products:
            weights = np.asarray(numpy_helper.to_array(self._weights[product.input[1]]), dtype=np.float32)
            self._add_product(product, weights, smoothing, quantized, scale, from_gelu=from_gelu)

    def _smoothing(self, values: str, products: list[Any]) -> Vectors | None:
        if values not in self._channels:
            return None
        weights = [np.abs(numpy_helper.to_array(self._weights[product.input[1]])).max(axis=1) for product in products]
        largest = np.maximum(np.max(weights, axis=0), 1e-6)
        factors = np.maximum(self._channels[values], 1e-3) ** SMOOTHING / largest ** (1.0 - SMOOTHING)
        return np.asarray(factors / np.exp(np.log(factors).mean()), dtype=np.float32)

    def _quantize_rows(self, values: str, smoothing: Vectors | None, *, from_gelu: bool) -> tuple[str, str]:
        """Adds what makes bytes of `values`; returns their name and that of the scale of each row."""
        steps = 255.0 if from_gelu else 127.0
        name = f"{values}_rows"
        if smoothing is not None:
            values = self._add("Mul", [values, self._constant(f"{name}_even", 1.0 / smoothing)], f"{name}_smooth")
        if from_gelu:
            values = sized = self._add("Add", [values, self._float(GELU_FLOOR)], f"{name}_shifted")
        else:
            sized = self._add("Abs", [values], f"{name}_size")
        axis = self._constant("last_axis", np.array([-1], dtype=np.int64))
        largest = self._add("ReduceMax", [sized, axis], f"{name}_largest")
        largest = self._add("Max", [largest, self._float(1e-9)], f"{name}_divisor")
        factor = self._add("Div", [self._float(steps), largest], f"{name}_factor")
        scale = self._add("Mul", [largest, self._float(1.0 / steps)], f"{name}_scale")
        scaled = self._add("Mul", [values, factor], f"{name}_scaled")
        quantized = self._add("QuantizeLinear", [scaled, self._float(1.0), self._zero(from_gelu)], f"{name}_bytes")
        return quantized, scale

    def _add_product(
        self, product: Any, weights: Vectors, smoothing: Vectors | None, quantized: str, scale: str, *, from_gelu: bool
    ) -> None:
        output = product.output[0]
        shift = GELU_FLOOR * weights.sum(axis=0, dtype=np.float64)
        if smoothing is not None:
            weights = weights * smoothing[:, None]
        sizes = np.maximum(np.abs(weights).max(axis=0), 1e-9) / np.float32(self._steps)
        integers = np.clip(np.rint(weights / sizes), -self._steps, self._steps).astype(np.int8)
        inputs = [quantized, self._constant(f"{output}_weights", integers), self._float(1.0)]
        inputs += [self._constant(f"{output}_sizes", sizes.astype(np.float32)), self._zero(from_gelu)]
        whole = self._add("MatMulIntegerToFloat", inputs, f"{output}_whole", domain=CONTRIB)
        if not from_gelu:
            self._add("Mul", [whole, scale], output)
            return
        shifted = self._add("Mul", [whole, scale], f"{output}_shifted")
        self._add("Sub", [shifted, self._constant(f"{output}_shift", shift.astype(np.float32))], output)

    def _add(self, kind: str, inputs: list[str], output: str, *, domain: str = "") -> str:
        self._nodes.append(helper.make_node(kind, inputs, [output], domain=domain))
        return output

    def _zero(self, from_gelu: bool) -> str:  # noqa: FBT001 - two constants, one question
        return self._constant("zero_at_0", np.uint8(0)) if from_gelu else self._constant("zero_at_128", np.uint8(128))

    def _float(self, value: float) -> str:
        return self._constant(f"constant_{value!r}", np.float32(value))

    def _constant(self, name: str, value: NDArray[Any] | np.generic) -> str:
        self._constants[name] = numpy_helper.from_array(np.asarray(value), name)
        return name

    def _replace_graph(self) -> None:
        graph = self._model.graph
        used = {name for node in self._nodes for name in node.input}
        kept = [tensor for name, tensor in self._weights.items() if name in used]
        kept += [tensor for name, tensor in self._constants.items() if name in used]
        for field, values in ((graph.node, self._nodes), (graph.initializer, kept)):
            del field[:]
            field.extend(values)
        if CONTRIB not in {entry.domain for entry in self._model.opset_import}:
            self._model.opset_import.append(helper.make_opsetid(CONTRIB, 1))


def _approximate(gelu: Any) -> None:
    # The approximation by tanh differs by 0.0005 at most, far below a step of int8, and takes two thirds of the time.
    del gelu.attribute[:]
    gelu.attribute.append(helper.make_attribute("approximate", "tanh"))

"""An adapter's parameters, and the gradients for them, as a map of layers and modules."""

from __future__ import annotations

import math

from .markup import Html, joined, tag
from .numbers import counted, shown
from .parts import Column, Section, cell_text, figure, scrolled, table
from .weights import ParameterNorm

WIDTH, HEIGHT = 58, 26


def section_of(parameters: list[ParameterNorm], note: str) -> Section | None:
    """A map for each kind of parameter, of weights and of gradients; None without parameters.

    :param note: why gradients are not there, or of what they are.
    """
    if not parameters:
        return None
    inside = [own for own in parameters if own.layer is not None]
    parts: list[Html] = [tag("p", note, class_="note")]
    for kind in dict.fromkeys(own.kind for own in inside):
        of_kind = [own for own in inside if own.kind == kind]
        parts.append(_map(of_kind, kind or "parameters", "weights", [own.norm for own in of_kind]))
        if any(not math.isnan(own.gradient) for own in of_kind):
            parts.append(_map(of_kind, kind or "parameters", "gradients", [own.gradient for own in of_kind]))
    columns = [
        Column("Parameter", "name"),
        Column("Shape"),
        Column("Norm of the weights"),
        Column("Norm of the gradient"),
    ]
    rows = [[own.name, " × ".join(map(str, own.shape)), shown(own.norm), shown(own.gradient)] for own in parameters]
    count = sum(math.prod(own.shape) for own in parameters)
    caption = f"All {counted(len(parameters))} tensors, {counted(count)} numbers"
    parts.append(
        tag(
            "details", tag("summary", f"Numbers: {caption}"), table(caption, columns, rows), open=None if inside else ""
        )
    )
    return Section("adapter", "Adapter", joined(parts))


def _map(parameters: list[ParameterNorm], kind: str, what: str, values: list[float]) -> Html:
    layers = sorted({own.layer for own in parameters if own.layer is not None})
    modules = list(dict.fromkeys(own.module for own in parameters))
    by_place = {(own.layer, own.module): value for own, value in zip(parameters, values)}
    known = [value for value in values if not math.isnan(value)]
    most = max(known, default=0.0)
    left = 14 + 6.4 * max(len(module) for module in modules)
    parts: list[Html] = [tag("text", "Layer", x=left - 8, y=12, text_anchor="end")]
    for column, layer in enumerate(layers):
        parts.append(tag("text", str(layer), x=left + WIDTH * (column + 0.5), y=12, text_anchor="middle"))
    for row, module in enumerate(modules):
        y = 20 + HEIGHT * row
        parts.append(tag("text", module, class_="name", x=left - 8, y=y + HEIGHT / 2 + 4, text_anchor="end"))
        for column, layer in enumerate(layers):
            value = by_place.get((layer, module), math.nan)
            share = value / most if most > 0 and not math.isnan(value) else 0.0
            says = tag("title", f"layer {layer}, {module}: {shown(value)}")
            x = left + WIDTH * column
            parts.append(
                tag(
                    "rect", says, class_="cell fill", x=x, y=y, width=WIDTH, height=HEIGHT, fill_opacity=round(share, 3)
                )
            )
            if not math.isnan(value):
                place = {"x": x + WIDTH / 2, "y": y + HEIGHT / 2 + 4}
                parts.append(tag("text", _short(value), class_=cell_text(share), **place))
    width, height = left + WIDTH * len(layers) + 2, 22 + HEIGHT * len(modules)
    title = f"{kind.capitalize() if kind == 'parameters' else kind}: {what}"
    text = f"Norms, from {shown(min(known, default=math.nan))} to {shown(most)}: a cell is as dark as it is large."
    if kind == "lora_B" and what == "weights":
        text += " A training starts at 0, so these say how far each module has been moved."
    picture = tag(
        "svg",
        *parts,
        viewBox=f"0 0 {width:.0f} {height}",
        width=round(width),
        height=height,
        role="img",
        aria_label=f"{title} by layer and module. {text}",
    )
    return figure(title, text, scrolled(picture, f"{title} by layer and module"), wide=True)


def _short(value: float) -> str:
    """In so little room as a cell has."""
    if value == 0:
        return "0"
    if 0.001 <= value < 1000:
        return f"{value:.3g}" if value >= 0.01 else f"{value:.4f}"
    return f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e").replace("-", "−")

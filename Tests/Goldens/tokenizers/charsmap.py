"""Makes the `Precompiled` normalizer of a `tokenizer.json` from pairs of texts."""

import base64
import struct


def precompiled(pairs: dict[str, str]) -> dict:
    return {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(charsmap(pairs)).decode()}


def charsmap(pairs: dict[str, str]) -> bytes:
    """The length of the table, the table, and the texts, each with NUL after it."""
    texts, places = b"", {}
    for new in pairs.values():
        if new not in places:
            places[new] = len(texts)
            texts += new.encode() + b"\0"
    tree: dict = {}
    for old, new in pairs.items():
        node = tree
        for byte in old.encode():
            node = node.setdefault(byte, {})
        node[0] = places[new]
    units = double_array(tree)
    return struct.pack("<I", 4 * len(units)) + struct.pack(f"<{len(units)}I", *units) + texts


def double_array(tree: dict) -> list[int]:
    """As Darts-clone packs it; a leaf is child 0."""
    units: dict[int, int] = {0: 0}

    def fill(node: dict, place: int) -> None:
        base = 1
        while any(base ^ label in units for label in node):
            base += 1
        units[place] |= (place ^ base) << 10 | (0x100 if 0 in node else 0)
        for label, child in node.items():
            units[base ^ label] = label or 1 << 31 | child
        for label, child in node.items():
            if label:
                fill(child, base ^ label)

    fill(tree, 0)
    return [units.get(place, 0) for place in range((max(units) | 0xFF) + 1)]

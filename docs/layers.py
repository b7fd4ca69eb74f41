"""Draw the six layers of the package and the imports between their folders into docs/images/layers.png: python docs/layers.py.

Layers and folders come from the contract in pyproject.toml, the arrows from the imports of the code. An arrow that
others imply is left out.
"""

import tomllib
from collections import Counter
from pathlib import Path

import grimp
from matplotlib.figure import Figure

ROOT = Path(__file__).parent.parent
IMAGE = ROOT / "docs" / "images" / "layers.png"
BOX, LINE = "#eef3f8", "#4a6785"


def read_layers() -> list[list[str]]:
    """Return the folders of each layer, top to bottom."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    return [layer.split(" | ") for layer in layers]


def count_imports(folders: list[str]) -> Counter[tuple[str, str]]:
    """Return how many modules of one folder import a module of another, by (importing, imported)."""
    graph = grimp.build_graph("forecasting", "flows")
    pairs: Counter[tuple[str, str]] = Counter()
    for importer in graph.modules:
        for imported in graph.find_modules_directly_imported_by(importer):
            ends = tuple(_folder(module) for module in (importer, imported))
            if ends[0] != ends[1] and set(ends) <= set(folders):
                pairs[ends[0], ends[1]] += 1
    return pairs


def _folder(module: str) -> str:
    parts = module.split(".")
    return parts[0] if parts[0] == "flows" or len(parts) == 1 else parts[1]


def leave_out_implied(imports: Counter[tuple[str, str]]) -> Counter[tuple[str, str]]:
    """Leave out an arrow where a longer way over other folders leads to the same place: the picture stays readable."""

    def reachable(start: str, without: tuple[str, str]) -> set[str]:
        ends = {end for begin, end in imports if begin == start and (begin, end) != without}
        return ends.union(*(reachable(end, without) for end in ends))

    return Counter({pair: count for pair, count in imports.items() if pair[1] not in reachable(pair[0], pair)})


def draw(layers: list[list[str]], imports: Counter[tuple[str, str]]) -> Figure:
    """Draw one row per layer, a box per folder, and an arrow per pair of folders, the wider the more imports."""
    figure = Figure(figsize=(9, 7), dpi=110, layout="constrained")
    axes = figure.add_subplot()
    axes.set_xlim(0, 10)
    axes.set_ylim(-0.6, len(layers) - 0.4)
    axes.axis("off")
    centres = {}
    for row, folders in enumerate(layers):
        for place, folder in enumerate(folders):
            centres[folder] = ((place + 0.5) * 10 / len(folders), len(layers) - 1 - row)
    for (importer, imported), count in sorted(imports.items()):
        axes.annotate(
            "",
            xy=centres[imported],
            xytext=centres[importer],
            arrowprops={
                "arrowstyle": "-|>",
                "color": LINE,
                "alpha": 0.7,
                "linewidth": 0.8 + count**0.5 / 3,
                "shrinkA": 20,
                "shrinkB": 24,
            },
        )
    for folder, (x, y) in centres.items():
        axes.text(
            x, y, folder, ha="center", va="center", fontsize=12,
            bbox={"boxstyle": "round,pad=0.5", "facecolor": BOX, "edgecolor": LINE},
        )  # fmt: skip
    return figure


def main() -> None:
    """Draw the picture; flows stand beside the command line and the front door."""
    top, *lower = read_layers()
    layers = [[top[0], "flows", *top[1:]], *lower]
    folders = [folder for layer in layers for folder in layer]
    draw(layers, leave_out_implied(count_imports(folders))).savefig(IMAGE)


if __name__ == "__main__":
    main()

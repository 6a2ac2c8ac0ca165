"""The nodes of a YAML text by the pointers of its values, as the values are made: the last of equal keys counts, merged
keys stand before a mapping's own, an alias is the node that it names."""

import yaml

from pipeline.content.yaml_reader import Loader
from pipeline.model.pointers import step


class Nodes:
    """The nodes of a text by their pointers."""

    def __init__(self, loader: Loader, root: yaml.Node | None) -> None:
        self._loader = loader
        self._root = root
        self._children: dict[int, dict[str, yaml.Node]] = {}

    def at(self, pointer: str) -> yaml.Node | None:
        """The node at `pointer`; of an alias, the node that it names."""
        node = self._root
        for part in pointer.split("/")[1:]:
            if node is None:
                return None
            node = self._children_of(node).get("/" + part)
        return node

    def _children_of(self, node: yaml.Node) -> dict[str, yaml.Node]:
        children = self._children.get(id(node))
        if children is None:
            if isinstance(node, yaml.MappingNode):
                self._loader.flatten_mapping(node)  # merged keys stand before the mapping's own, which win
                children = {step(self._loader.construct_object(key, deep=True)): value for key, value in node.value}
            elif isinstance(node, yaml.SequenceNode):
                children = {f"/{position}": element for position, element in enumerate(node.value)}
            else:
                children = {}
            self._children[id(node)] = children
        return children

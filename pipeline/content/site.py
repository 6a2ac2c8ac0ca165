"""Where a source is published, so that its relative links can be asked."""

from collections.abc import Iterable
from pathlib import Path

from pipeline.content.globs import SITE_CONFIG
from pipeline.content.issues import Refused
from pipeline.content.trees import Loaded, Tree, open_tree
from pipeline.content.yaml_reader import read_yaml
from pipeline.model.urls import SiteBase
from pipeline.settings import Source

_MAX_CONFIG_BYTES = 1 << 20


def site_bases(sources: Iterable[Source], copies: Path) -> dict[str, SiteBase | None]:
    """The address of each source, by its name; `copies` is the folder of what was fetched."""
    return {source.name: site_base(source, open_tree(source, copies)) for source in sources}


def site_base(source: Source, tree: Tree) -> SiteBase | None:
    """From `site_url` and `base_url` of the settings, else `url` and `baseurl` of the site's own `_config.yml`."""
    config = _config(tree) if source.site_url is None or source.base_url is None else {}
    url = source.site_url or config.get("url")
    base = source.base_url if source.base_url is not None else config.get("baseurl")
    if not isinstance(url, str) or not url.strip():
        return None
    return SiteBase(url.strip(), base.strip() if isinstance(base, str) else "")


def _config(tree: Tree) -> dict[object, object]:
    """The site's own settings; none when there are none or they cannot be read."""
    [loaded] = tree.load([SITE_CONFIG], _MAX_CONFIG_BYTES)
    if not isinstance(loaded, Loaded) or loaded.size > _MAX_CONFIG_BYTES:
        return {}
    try:
        config, _ = read_yaml(loaded.content)
    except (Refused, RecursionError):
        return {}
    return config if isinstance(config, dict) else {}

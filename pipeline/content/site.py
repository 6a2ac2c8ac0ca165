"""Where a source is published, so that its relative links can be asked."""

from pipeline.content.issues import Refused
from pipeline.content.yaml_reader import read_yaml
from pipeline.model.urls import SiteBase
from pipeline.settings import Source

_CONFIG = "_config.yml"
_MAX_CONFIG_BYTES = 1 << 20


def site_base(source: Source) -> SiteBase | None:
    """From `site_url` and `base_url` of the settings, else `url` and `baseurl` of the site's own `_config.yml`."""
    config = _config(source) if source.site_url is None or source.base_url is None else {}
    url = source.site_url or config.get("url")
    base = source.base_url if source.base_url is not None else config.get("baseurl")
    if not isinstance(url, str) or not url.strip():
        return None
    return SiteBase(url.strip(), base.strip() if isinstance(base, str) else "")


def _config(source: Source) -> dict[object, object]:
    """The site's own settings; none when there are none or they cannot be read."""
    if source.path is None:
        return {}
    try:
        with (source.path / _CONFIG).open("rb") as file:
            text = file.read(_MAX_CONFIG_BYTES)
        config, _ = read_yaml(text)
    except (OSError, Refused, RecursionError):
        return {}
    return config if isinstance(config, dict) else {}

"""Build hook: a wheel carries the sample export and the notebooks; a checkout already has them beside the package."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CustomBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Add the folders that live beside the package in a checkout and inside it once installed."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Include ``data/sample`` and ``notebooks`` in every wheel that is not an editable one."""
        if version != "editable":
            build_data["force_include"] = {
                "data/sample": "etiquette_analysis/_sample",
                "notebooks": "etiquette_analysis/_notebooks",
            }

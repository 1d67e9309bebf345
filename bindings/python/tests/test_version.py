from importlib.metadata import version
from pathlib import Path

import stagewright


def test_package_and_distribution_have_the_version_of_the_workspace():
    workspace = (Path(__file__).parents[3] / "Cargo.toml").read_text()
    assert f'\nversion = "{stagewright.__version__}"\n' in workspace
    assert version("stagewright") == stagewright.__version__

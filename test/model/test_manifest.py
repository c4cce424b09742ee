"""The manifest: every asset is found where it lies, and a wrong file is refused with both hashes."""

import dataclasses
import hashlib
import json

import pytest

from lightfer_ros.errors import ModelError
from lightfer_ros.model import manifest
from lightfer_ros.model.manifest import Asset, add_asset, find, read_manifest, search_path, verify
from lightfer_ros.model.metadata import read_metadata

RIGHT = b"the right file" * 1000


def asset_of(content: bytes) -> Asset:
    return Asset(
        "landmarks_68", "landmarks", "points.dat", "68 landmarks", "research",
        sha256=hashlib.sha256(content).hexdigest(), size=len(content),
    )  # fmt: skip


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty data folder."""
    monkeypatch.setenv("LIGHTFER_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def test_every_shipped_asset_is_pinned_or_made_of_pinned_ones():
    assets = read_manifest().assets
    for asset in assets.values():
        if asset.made_from:
            assert all(assets[source].origin is not None for source in asset.made_from)
        else:
            assert len(asset.sha256) == 64 and asset.size > 0
            assert asset.origin is None or len(asset.origin.sha256) == 64
        assert asset.licence and asset.description


def test_a_classifier_that_ships_has_metadata_and_a_card_and_they_are_small_together():
    folder = search_path()[0]
    shipped = [a for a in read_manifest().assets.values() if a.kind == "classifier" and not a.made_from]
    for asset in shipped:
        verify(folder / asset.file, asset)
        about = read_metadata(folder / asset.file)
        assert (about.name, about.sha256) == (asset.name, asset.sha256) and about.accuracy
        card = (folder / asset.file).with_suffix(".md").read_text(encoding="utf-8")
        assert about.sha256 in card and "EU AI Act" in card and "| disgust |" in card
    assert sum(asset.size for asset in shipped) <= 10e6


def test_every_network_that_ships_has_a_card_that_names_its_hash():
    folder = search_path()[0]
    for asset in read_manifest().assets.values():
        if asset.file.endswith(".onnx") and asset.origin is None and not asset.made_from:
            verify(folder / asset.file, asset)
            assert asset.sha256 in (folder / asset.file).with_suffix(".md").read_text(encoding="utf-8")


def test_an_asset_is_added_with_its_aliases_and_replaces_one_of_its_name(tmp_path):
    path = tmp_path / "manifest.json"
    path.write_text((search_path()[0] / "manifest.json").read_text(encoding="utf-8"), encoding="utf-8")
    before = read_manifest(path)
    for content in (b"first", RIGHT):
        asset = dataclasses.replace(asset_of(content), name="mine", kind="classifier")
        add_asset(path, asset, ["default", "small"])
    after = read_manifest(path)
    assert after["default"] == after["small"] == asset
    assert {**after.assets} == {**before.assets, "mine": asset}


def test_an_asset_that_would_spoil_the_manifest_is_refused_and_leaves_it_as_it_was(tmp_path):
    path = tmp_path / "manifest.json"
    path.write_text(content := (search_path()[0] / "manifest.json").read_text(encoding="utf-8"))
    with pytest.raises(ModelError, match="kind is 'toaster'"):
        add_asset(path, dataclasses.replace(asset_of(RIGHT), kind="toaster"))
    with pytest.raises(ModelError, match="does not exist"):
        add_asset(tmp_path / "none" / "manifest.json", asset_of(RIGHT))
    assert path.read_text() == content


def test_default_is_an_alias_of_a_classifier():
    assert read_manifest()["default"].kind == "classifier"


def test_a_name_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(ModelError, match=r"'resnet' is not in the manifest, which has default, .*yunet"):
        find("resnet")


def test_a_missing_file_is_named_with_its_place_and_the_command_that_gets_it(home):
    with pytest.raises(ModelError) as refusal:
        find("yunet")
    assert str(home / "face_detection_yunet_2023mar.onnx") in str(refusal.value)
    assert "`lightfer fetch yunet`" in str(refusal.value)
    assert "ros2 run lightfer_ros fetch yunet" in str(refusal.value)


def test_an_installed_package_comes_before_the_data_folder(home, tmp_path, monkeypatch):
    installed = tmp_path / "ws" / "install" / "share" / "lightfer_ros" / "models"
    for folder in (installed, home):
        folder.mkdir(parents=True)
        (folder / "face_detection_yunet_2023mar.onnx").touch()
    monkeypatch.setenv("AMENT_PREFIX_PATH", f"/nowhere:{tmp_path / 'ws' / 'install'}")
    assert find("yunet").parent == installed
    assert search_path()[-1] == home


def test_without_lightfer_home_the_data_folder_is_that_of_the_desktop_standard(monkeypatch, tmp_path):
    monkeypatch.delenv("LIGHTFER_HOME", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert manifest.data_folder() == tmp_path / "lightfer"


@pytest.mark.parametrize(
    "content, how",
    [
        (RIGHT[:-1], "is truncated"),  # a download that was cut
        (RIGHT + b"x", "is another file"),  # longer
        (RIGHT[:-1] + b"x", "is another file"),  # same size, one byte wrong
        (b"", "is truncated"),
    ],
)
def test_a_wrong_file_is_refused_with_both_hashes(tmp_path, content, how):
    path = tmp_path / "points.dat"
    path.write_bytes(content)
    with pytest.raises(ModelError) as refusal:
        verify(path, asset_of(RIGHT))
    text = str(refusal.value)
    assert str(path) in text and how in text
    assert hashlib.sha256(content).hexdigest() in text and hashlib.sha256(RIGHT).hexdigest() in text


def test_the_right_file_passes(tmp_path):
    (tmp_path / "points.dat").write_bytes(RIGHT)
    verify(tmp_path / "points.dat", asset_of(RIGHT))


def test_a_made_file_is_held_against_the_record_beside_it(tmp_path):
    made = Asset("sample", "sample", "sample.mp4", "a video", "unstated", made_from=("clip",))
    path = tmp_path / "sample.mp4"
    path.write_bytes(RIGHT)
    with pytest.raises(ModelError, match=r"sample.mp4.json, which holds the hash"):
        verify(path, made)
    record = tmp_path / "sample.mp4.json"
    record.write_text(json.dumps({"sha256": hashlib.sha256(RIGHT).hexdigest(), "size": len(RIGHT)}))
    verify(path, made)
    path.write_bytes(RIGHT[:-1] + b"x")
    with pytest.raises(ModelError, match="is another file"):
        verify(path, made)


@pytest.mark.parametrize(
    "change, complaint",
    [
        (lambda document: document["aliases"].update(default="gone"), "'gone' is not in the manifest"),
        (
            lambda document: document["assets"]["yunet"].update(kind="toaster"),
            "asset yunet: kind is 'toaster'",
        ),
        (
            lambda document: document["assets"]["yunet"].pop("sha256"),
            "asset yunet: sha256 and size are missing",
        ),
        (lambda document: document.pop("assets"), "cannot be read: KeyError"),
    ],
)
def test_a_broken_manifest_is_refused_by_what_is_wrong_in_it(tmp_path, change, complaint):
    shipped = search_path()[0] / "manifest.json"
    document = json.loads(shipped.read_text(encoding="utf-8"))
    change(document)
    broken = tmp_path / "manifest.json"
    broken.write_text(json.dumps(document))
    with pytest.raises(ModelError, match=complaint):
        read_manifest(broken)

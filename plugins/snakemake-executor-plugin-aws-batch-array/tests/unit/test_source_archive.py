import io
import tarfile

from snakemake_executor_plugin_aws_batch_array.source_archive import follow_links


def test_links_are_followed(tmp_path, monkeypatch):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "Snakefile").write_text("rule all:\n")
    folder = tmp_path / "study"
    (folder / "rules").mkdir(parents=True)
    (folder / "rules" / "own.smk").write_text("rule own:\n")
    (folder / "Snakefile").symlink_to(elsewhere / "Snakefile")
    (folder / "second.smk").hardlink_to(folder / "rules" / "own.smk")
    monkeypatch.chdir(folder)
    with tarfile.open(tmp_path / "sources.tar.xz", "w:xz") as archive:
        for name in ("Snakefile", "rules", "second.smk"):
            archive.add(name)

    unpacked = tmp_path / "child"
    with tarfile.open(fileobj=io.BytesIO(follow_links(tmp_path / "sources.tar.xz"))) as tar:
        tar.extractall(unpacked, filter="data")
    texts = {
        path.relative_to(unpacked).as_posix(): path.read_text()
        for path in unpacked.rglob("*")
        if path.is_file() and not path.is_symlink()
    }
    assert texts == {
        "Snakefile": "rule all:\n",
        "rules/own.smk": "rule own:\n",
        "second.smk": "rule own:\n",
    }

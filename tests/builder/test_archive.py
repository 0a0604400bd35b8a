"""`build.py zip`: one file with the whole site. It is used in tests/browser/test_zip.py."""

import shutil
import zipfile

from building import ROOT, run, tree

from builder.archive import write_archive


def test_archive_holds_the_site_and_how_to_serve_it(site, tmp_path):
    """The zip holds each file of the site and a README with the one line."""
    done = run(ROOT, "zip", "--offline", "--out", tmp_path / "dist")
    assert done.returncode == 0, done.stderr
    assert tree(tmp_path / "dist") == tree(site)
    with zipfile.ZipFile(tmp_path / "dist.zip") as archive:
        assert archive.testzip() is None
        found = {name: archive.read(name) for name in archive.namelist()}
    readme = found.pop("pynet-page/README.txt").decode()
    assert "\n       python -m http.server\n" in readme
    files = tree(site)
    # A server that does not compress is asked for the packed one of two.
    expected = {f"pynet-page/{name}": files[name] for name in files if f"{name}.gz" not in files}
    del expected["pynet-page/.nojekyll"]
    assert found == expected
    assert (tmp_path / "dist.zip").stat().st_size < sum(map(len, expected.values()))


def test_same_site_same_archive(site, tmp_path):
    """Another place and other times of files make no difference."""
    archives = []
    for name in ("one", "two"):
        folder = shutil.copytree(site, tmp_path / name / "dist", copy_function=shutil.copyfile)
        archives.append(write_archive(folder).read_bytes())
    assert archives[0] == archives[1]

"""What an environment holds: what the sandbox is shown of it, and what stands for the user's own tree."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from rungs import make_sandbox, open_to_all

from optagent.languages.python.environment import environment, interpreter, site_packages
from optagent.languages.python.environment.environment import Environment
from optagent.languages.python.environment.finding import Search
from optagent.languages.python.environment.host import Host
from optagent.sandbox.base import Command, Limits, Mount

pytestmark = pytest.mark.slow

UV = Path(sys.executable).with_name("uv")
TREE = "/optagent/tree"


class Place:
    """A repository whose package is flat, a home with another project in it, and an environment beside both."""

    def __init__(self, root: Path, template: Path, sandbox) -> None:
        self.sandbox = sandbox
        self.home, self.repo, self.copy = root / "home", root / "home" / "repo", root / "copy"
        self.other = self.home / "other"
        for package in (self.repo / "src" / "mine", self.other / "src" / "theirs"):
            package.mkdir(parents=True)
            (package / "__init__.py").write_text("")
        self.venv = self.repo / ".venv"
        shutil.copytree(template, self.venv, symlinks=True)
        open_to_all(root, *root.parents[:2])

    @property
    def site(self) -> Path:
        return next(self.venv.glob("lib/python3*/site-packages"))

    def look(self, **variables: str) -> Environment:
        host = Host(variables, self.home)
        return environment.look(Search(self.repo, self.repo, host, Path(sys.executable)), self.sandbox)

    def python(self, found: Environment, code: str) -> str:
        """What the code prints in the sandbox, with the checkout's roots first, as a contestant has them."""
        if not self.copy.exists():
            subprocess.run(["cp", "-r", self.repo, self.copy], check=True)
            subprocess.run(["rm", "-r", self.copy / ".venv"], check=True)
        roots = ":".join(f"{TREE}/{each}" for each in found.import_roots)
        argv = (str(found.interpreter.executable), "-s", "-B", "-c", code)
        mounts = (*found.interpreter.mounts, Mount(self.copy, TREE))
        done = self.sandbox.run(Command(argv, "/tmp", mounts, {"PYTHONPATH": roots, "HOME": "/tmp"}), Limits())
        return done.stdout.decode().strip() or done.stderr.decode().strip().splitlines()[-1]

    def where(self, found: Environment, module: str) -> str:
        return self.python(found, f"import {module}; print({module}.__file__)")


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """An environment to copy: it knows itself by where its pyvenv.cfg lies, and making one takes a while."""
    folder = tmp_path_factory.mktemp("template") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    return folder


@pytest.fixture
def place(tmp_path, template):
    sandbox = make_sandbox("bwrap")  # these tests go by the names that it shows folders under
    return Place(tmp_path.resolve(), template, sandbox)


def editable(site: Path, name: str, project: Path, files: dict[str, str]) -> None:
    """What `pip install -e` leaves: the files of the build backend, and who they belong to."""
    info = site / f"{name}-1.dist-info"
    info.mkdir()
    (info / "direct_url.json").write_text(f'{{"dir_info": {{"editable": true}}, "url": "file://{project}"}}')
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
    for file, content in files.items():
        (site / file).write_text(content)
    (info / "RECORD").write_text("".join(f"{file},,\n" for file in (*files, f"{info.name}/RECORD")))


# --- what the sandbox is shown ---------------------------------------------------------------------------------------


def test_the_environment_tells_what_is_installed_and_which_kind_of_interpreter_it_has(place):
    for name in ("Some_Pkg-1.2.dist-info", "old-3.egg-info", "older-4-py3.11.egg"):
        (place.site / name).mkdir()
    found = place.look()
    assert str(found).endswith(f"at {place.venv}/bin/python (.venv)")
    assert found.installed == {"some-pkg": "1.2", "old": "3", "older": "4"}
    assert found.interpreter.tag.startswith(f"cp3{sys.version_info[1]}")
    assert found.interpreter.site == (place.site,)


def test_packages_of_the_python_below_are_seen_when_the_environment_includes_them(place):
    alone = place.look()
    assert "No module named" in place.where(alone, "pip")
    command = [sys.executable, "-m", "venv", "--without-pip", "--clear", "--system-site-packages", place.venv]
    subprocess.run(command, check=True)
    if not any((Path(sys.base_prefix) / "lib").glob("python3*/site-packages/pip")):
        pytest.skip("the Python below has no packages")
    assert "site-packages/pip" in place.where(place.look(), "pip")


def test_a_folder_that_a_path_file_adds_is_seen_without_what_else_lies_in_it(place):
    (place.site / "more.pth").write_text(f"# a comment\n{place.other}/src\n\n/no/such/folder\n")
    (place.other / "src" / ".env").write_text("TOKEN=1")
    (place.other / "src" / "id_rsa").write_text("key")
    (place.other / "src" / ".git").mkdir()
    found = place.look()
    assert place.where(found, "theirs") == f"{place.other}/src/theirs/__init__.py"
    assert place.python(found, f"import os; print(sorted(os.listdir('{place.other}/src')))") == "['theirs']"
    assert place.python(found, f"import os; print(sorted(os.listdir('{place.home}')))") == "['other', 'repo']"
    assert place.python(found, f"import os; print(sorted(os.listdir('{place.repo}')))") == "['.venv']"


@pytest.mark.parametrize("folder", ["home", "repo/..", "/"])
def test_a_path_file_that_adds_the_home_or_more_is_told_and_not_obeyed(place, folder):
    (place.site / "much.pth").write_text(f"{place.home.parent / folder if folder == 'home' else place.home / folder}\n")
    found = place.look()
    assert all(
        "repo/.venv" in str(each.source) or not each.source.is_relative_to(place.home)
        for each in found.interpreter.mounts
    )
    assert [note for note in found.notes if "too much lies in it" in note] or folder == "/"


@pytest.mark.parametrize("folder", [".config", ".ssh", ".local/share/keyrings", "work/.aws"])
def test_a_path_file_that_adds_a_private_folder_is_told_and_not_obeyed(place, folder):
    (place.home / folder / "gcloud").mkdir(parents=True)
    (place.home / folder / "gcloud" / "token.py").touch()
    (place.site / "private.pth").write_text(f"{place.home}/{folder}\n/etc\n")
    (place.site / "gcloud").symlink_to(place.home / folder / "gcloud")
    found = place.look()
    assert not [
        each for each in found.interpreter.mounts if str(each.source).startswith((f"{place.home}/{folder}", "/etc"))
    ]
    reasons = [note.rpartition(": ")[2] for note in found.notes]
    assert reasons == ["it is private", "it belongs to the machine", "it is private"]


def test_packages_of_another_environment_that_a_path_file_adds_are_seen(place):
    site = place.home / ".virtualenvs" / "base" / "lib" / "site-packages"
    site.mkdir(parents=True)
    (site / "shared.py").touch()
    (place.site / "base.pth").write_text(f"{site}\n")
    found = place.look()
    assert place.where(found, "shared") == f"{site}/shared.py"
    assert site in [each.source for each in found.interpreter.mounts]


def test_of_a_folder_of_documents_only_what_can_be_imported_is_shown(place):
    documents = place.home / "documents"
    for name in (
        "taxes/2025.pdf",
        "photos/a/b.jpg",
        "package/part/m.py",
        "module.py",
        "notes.txt",
        "x-1.egg-info/PKG-INFO",
    ):
        (documents / name).parent.mkdir(parents=True, exist_ok=True)
        (documents / name).touch()
    (place.site / "documents.pth").write_text(f"{documents}\n")
    shown = {each.source.name for each in place.look().interpreter.mounts if each.source.is_relative_to(documents)}
    assert shown == {"package", "module.py", "x-1.egg-info"}


def test_a_link_that_only_looks_like_one_into_a_cache_shows_nothing(place):
    (place.home / "keys" / "x").mkdir(parents=True)
    for name, leads in (("a", "keys/x/METADATA"), ("b", "keys/x/gone")):
        (place.home / "keys" / "x" / "METADATA").touch()
        (place.site / f"{name}-1.dist-info").mkdir()
        (place.site / f"{name}-1.dist-info" / "METADATA").symlink_to(place.home / leads)
    assert not [each for each in place.look().interpreter.mounts if "keys" in str(each.source)]


def test_a_link_to_the_interpreter_in_the_users_own_folder_shows_that_folder_only(place):
    programs = place.home / ".local" / "bin"
    (place.home / ".local" / "share" / "keyrings").mkdir(parents=True)
    programs.mkdir()
    (programs / "python3").symlink_to(Path(sys.executable).resolve())
    python = place.venv / "bin" / "python"
    python.unlink()
    python.symlink_to(programs / "python3")
    found = place.look()
    assert place.python(found, "import sys; print(sys.prefix)") == str(place.venv)
    assert place.python(found, f"import os; print(sorted(os.listdir('{place.home}/.local')))") == "['bin']"


def test_an_interpreter_behind_an_alias_of_its_version_works(place):
    """As uv keeps them: cpython-3.12 is a link to the folder of cpython-3.12.11."""
    (place.home / "cpython").symlink_to(sys.base_prefix)
    python = place.venv / "bin" / "python"
    python.unlink()
    python.symlink_to(place.home / "cpython" / "bin" / "python3")
    (place.venv / "pyvenv.cfg").write_text(f"home = {place.home}/cpython/bin\n")
    assert place.python(place.look(), "import sys; print(sys.prefix)") == str(place.venv)


def test_an_interpreter_installed_into_the_home_itself_does_not_show_the_home(tmp_path, monkeypatch):
    for name in ("bin", "lib", "documents"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    assert interpreter._parts(tmp_path) == [tmp_path / "bin", tmp_path / "lib"]
    assert interpreter._parts(tmp_path / "python") == [tmp_path / "python"]


def test_an_environment_of_copies_instead_of_links_works(place):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", "--clear", "--copies", place.venv], check=True)
    assert not (place.venv / "bin" / "python").is_symlink()
    assert place.python(place.look(), "import sys; print(sys.prefix)") == str(place.venv)


def test_an_environment_that_is_a_link_to_another_folder_works(place):
    place.venv.rename(place.home / "envs")
    place.venv.symlink_to(place.home / "envs")
    editable(place.site, "mine", place.repo, {"mine.pth": f"{place.repo}/src\n"})
    found = place.look()
    assert found.import_roots == ("src",)
    assert place.where(found, "mine") == f"{TREE}/src/mine/__init__.py"


def test_packages_that_are_links_into_a_cache_are_seen(place):
    """As `uv pip install --link-mode symlink` leaves them."""
    store = place.home / ".cache" / "uv" / "archive-v0" / "abc"
    for folder, file in (("linked", "__init__.py"), ("linked-1.dist-info", "METADATA")):
        for each in (store / folder, place.site / folder):
            each.mkdir(parents=True)
        (store / folder / file).write_text("")
        (place.site / folder / file).symlink_to(store / folder / file)
    (store / "single.py").write_text("")
    (place.site / "single.py").symlink_to(store / "single.py")
    found = place.look()
    assert place.where(found, "linked") == f"{place.site}/linked/__init__.py"
    assert place.where(found, "single") == f"{place.site}/single.py"
    assert found.editables == ()


def test_a_start_up_file_that_prints_does_not_hide_the_answer(place):
    (place.site / "loud.pth").write_text("import sys; print('{}')\n")
    assert place.look().interpreter.site == (place.site,)


def test_what_pip_install_user_left_is_told_to_stay_unused(place):
    bare = Path(sys.executable).resolve()
    minor = "{}.{}".format(*sys.version_info[:2])
    users = place.home / ".local" / "lib" / f"python{minor}" / "site-packages"
    users.mkdir(parents=True)
    (users / "thing.py").touch()
    search = Search(place.repo, place.repo, Host({}, place.home), Path(sys.executable), str(bare))
    assert any(str(users) in note for note in environment.look(search, place.sandbox).notes)
    assert not place.look().notes


# --- editable installs -----------------------------------------------------------------------------------------------

FINDER = """
from __future__ import annotations
import sys
from importlib.util import spec_from_file_location
from pathlib import Path
MAPPING: dict[str, str] = {mapping}
NAMESPACES: dict[str, list[str]] = {namespaces}
PATH_PLACEHOLDER = '__editable__.mine-1.finder' + ".__path_hook__"


class _EditableFinder:
    @classmethod
    def find_spec(cls, fullname, path=None, target=None):
        if fullname in MAPPING and Path(MAPPING[fullname], "__init__.py").exists():
            return spec_from_file_location(fullname, Path(MAPPING[fullname], "__init__.py"))


def install():
    sys.meta_path.append(_EditableFinder)
"""
REDIRECTOR = """
from editables.redirector import RedirectingFinder as F
F.install()
F.map_module('mine', '{source}/mine/__init__.py')
"""
SCIKIT = "def install(*a): pass\ninstall({{'mine': '{source}/mine/__init__.py', 'mine.sub': '{source}/mine/sub.py'}}, {{}}, None, False, True)\n"
PATH_FILE = {"mine.pth": "{source}\n"}
SETUPTOOLS = {
    "__editable__.mine-1.pth": "import __editable___mine_1_finder; __editable___mine_1_finder.install()",
    "__editable___mine_1_finder.py": FINDER.replace("{mapping}", "{{'mine': '{source}/mine'}}").replace(
        "{namespaces}", "{{}}"
    ),
}
NAMESPACE = {
    **SETUPTOOLS,
    "__editable___mine_1_finder.py": FINDER.replace("{mapping}", "{{}}").replace(
        "{namespaces}", "{{'mine': ['{source}/mine']}}"
    ),
}
BACKENDS = {
    "setuptools with src, hatchling, flit, poetry, pdm, maturin": PATH_FILE,
    "setuptools with a flat layout": SETUPTOOLS,
    "setuptools with a namespace": NAMESPACE,
    "hatchling and pdm, exact": {
        "_editable_impl_mine.pth": "import _editable_impl_mine",
        "_editable_impl_mine.py": REDIRECTOR,
    },
    "scikit-build-core": {"_mine_editable.pth": "import _mine_editable", "_mine_editable.py": SCIKIT},
}


def files_of(backend: str, source: Path) -> dict[str, str]:
    return {name: text.format(source=source) for name, text in BACKENDS[backend].items()}


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_editable_install_of_the_repository_is_imported_from_the_checkout(place, backend):
    editable(place.site, "mine", place.repo, files_of(backend, place.repo / "src"))
    found = place.look()
    assert [str(each) for each in found.editables] == [f"editable: mine -> {place.repo}"]
    assert found.import_roots == ("src",)
    assert place.where(found, "mine") == f"{TREE}/src/mine/__init__.py"
    assert not any(each.source.is_relative_to(place.repo / "src") for each in found.interpreter.mounts)


@pytest.mark.parametrize(
    "backend", ["setuptools with src, hatchling, flit, poetry, pdm, maturin", "setuptools with a flat layout"]
)
def test_an_editable_install_of_another_project_is_shown_read_only(place, backend):
    given = files_of(backend, place.other / "src").items()
    files = {name.replace("mine", "theirs"): text.replace("mine", "theirs") for name, text in given}
    editable(place.site, "theirs", place.other, files)
    (place.other / "secret.txt").write_text("no module")
    found = place.look()
    assert [(each.name, each.inside, each.trouble) for each in found.editables] == [("theirs", False, "")]
    assert found.import_roots == ()
    assert place.where(found, "theirs") == f"{place.other}/src/theirs/__init__.py"
    assert place.python(found, f"import os; print(sorted(os.listdir('{place.other}')))") == "['src']"
    assert "Read-only" in place.python(found, f"open('{place.other}/src/theirs/x', 'w')")


def test_a_link_in_the_place_of_a_package_is_an_editable_install_too(place):
    """As `flit install --symlink` and this repository's own set-up leave it."""
    (place.site / "mine").symlink_to(place.repo / "src" / "mine")
    (place.site / "theirs").symlink_to(place.other / "src" / "theirs")
    found = place.look()
    assert found.import_roots == ("src",)
    assert place.where(found, "mine") == f"{TREE}/src/mine/__init__.py"
    assert place.where(found, "theirs").endswith("theirs/__init__.py")


def test_an_old_editable_install_is_found_by_its_egg_link(place):
    (place.site / "mine.egg-link").write_text(f"{place.repo}/src\n../")
    (place.site / "easy-install.pth").write_text(f"{place.repo}/src\n")
    found = place.look()
    assert found.import_roots == ("src",)
    assert [str(each) for each in found.editables] == [f"editable: mine -> {place.repo}/src"]


def test_every_package_of_a_monorepo_comes_from_the_checkout_in_the_order_of_the_path(place):
    for name in ("b", "a"):
        package = place.repo / "packages" / name / "src" / f"part_{name}"
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        editable(place.site, f"part_{name}", package.parents[1], {f"part_{name}.pth": f"{package.parent}\n"})
    found = place.look()
    assert found.import_roots == ("packages/a/src", "packages/b/src")
    assert place.where(found, "part_b") == f"{TREE}/packages/b/src/part_b/__init__.py"


def test_a_package_whose_folder_has_another_name_is_told(place):
    files = {
        name: text.replace("'mine'", "'renamed'")
        for name, text in files_of("setuptools with a flat layout", place.repo / "src").items()
    }
    editable(place.site, "mine", place.repo, files)
    (only,) = place.look().editables
    assert str(only) == (
        f"editable: mine -> {place.repo} (it renames src/mine, which cannot be imported by that name in a checkout)"
    )


@pytest.mark.parametrize("source", ["x = (", "import os\nos.system('touch /tmp/ran')\n"])
def test_an_import_hook_that_cannot_be_read_is_told_and_never_run(place, source):
    editable(
        place.site, "mine", place.repo, {"_mine_editable.pth": "import _mine_editable", "_mine_editable.py": source}
    )
    (only,) = place.look().editables
    assert only.trouble == "its import hook could not be read"


def test_an_editable_install_whose_project_is_gone_is_told(place):
    editable(place.site, "lost", place.home / "lost", {"lost.pth": f"{place.home}/lost\n"})
    (only,) = place.look().editables
    assert str(only) == f"editable: lost -> {place.home}/lost (it is not there)"


def test_a_broken_record_of_an_install_is_no_editable_install(place):
    for content in ("", "{", "[]", '{"url": 1}', '{"url": "x", "dir_info": []}'):
        info = place.site / f"odd{len(content)}-1.dist-info"
        info.mkdir()
        (info / "direct_url.json").write_text(content)
    assert place.look().editables == ()


def test_folders_of_the_users_pythonpath_in_the_repository_are_roots_of_the_checkout(place):
    (place.repo / "lib").mkdir()
    (place.repo / "lib" / "helper.py").touch()
    found = place.look(PYTHONPATH=f"{place.repo}/lib:{place.repo}/gone:{place.other}/src:")
    assert found.import_roots == ("lib",)
    assert place.where(found, "helper") == f"{TREE}/lib/helper.py"
    assert found.editables == ()


def test_a_link_to_the_repository_is_the_repository(place):
    (place.home / "link").symlink_to(place.repo)
    editable(place.site, "mine", place.home / "link", {"mine.pth": f"{place.home}/link/src\n"})
    assert place.look().import_roots == ("src",)


@pytest.mark.parametrize(
    ("module", "path", "root"),
    [("a", "/x/a", "/x"), ("a.b", "/x/a/b", "/x"), ("a", "/a", "/"), ("a", "/x/b", None), ("a.b", "/b", None)],
)
def test_the_root_of_a_module_is_where_its_name_begins(module, path, root):
    assert site_packages._root(module, Path(path)) == (root and Path(root))


PROJECTS = {
    "setuptools": ("setuptools.build_meta", "setuptools", ""),
    "setuptools, exact": (
        "setuptools.build_meta",
        "setuptools",
        "[tool.setuptools]\npackages = ['mine']\npackage-dir = {mine = 'src/mine'}\n",
    ),
    "hatchling": ("hatchling.build", "hatchling", ""),
    "hatchling, exact": (
        "hatchling.build",
        "hatchling",
        "[tool.hatch.build]\ndev-mode-exact = true\n[tool.hatch.build.targets.wheel]\npackages = ['src/mine']\n",
    ),
    "flit": ("flit_core.buildapi", "flit_core", ""),
    "poetry": (
        "poetry.core.masonry.api",
        "poetry-core",
        "[tool.poetry]\npackages = [{include = 'mine', from = 'src'}]\n",
    ),
    "pdm": ("pdm.backend", "pdm-backend", ""),
}


@pytest.mark.parametrize("backend", PROJECTS)
def test_what_real_build_tools_leave_is_understood(place, backend):
    module, package, more = PROJECTS[backend]
    (place.repo / "pyproject.toml").write_text(
        f"[build-system]\nrequires = ['{package}']\nbuild-backend = '{module}'\n"
        f"[project]\nname = 'mine'\nversion = '1'\ndescription = 'x'\n{more}"
    )
    python = place.venv / "bin" / "python"
    done = subprocess.run(
        [UV, "pip", "install", "--python", python, "--no-deps", "-e", place.repo], capture_output=True
    )
    if done.returncode and b"Failed to fetch" in done.stderr + done.stdout:
        pytest.skip(f"{package} could not be fetched")
    assert done.returncode == 0, done.stderr
    found = place.look()
    assert [(each.name, each.inside, each.trouble) for each in found.editables] == [("mine", True, "")]
    assert place.where(found, "mine") == f"{TREE}/src/mine/__init__.py"

"""Offline, updates and installing: the service worker as a visitor meets it."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Error, expect

from browser.conftest import BOOT, STORE, Site, Watch, chromium_path
from browser.digits import DIGITS
from browser.hosts import COMPRESSED, hosting
from builder.addresses import logical, twin

pytestmark = pytest.mark.timeout(1200)  # several starts of Python in each test
ROOT = Path(__file__).resolve().parents[2]
KEPT = "Ready for offline use"
KEEPING = "Being kept for offline use …"
INSECURE = "Offline use needs https or localhost"
NEVER = "Not kept for offline use here"
OFFLINE = "offline use"  # what any word of it in the console holds
NEWER = "A new version is ready: reload to use it"
NAMES = "caches.keys()"
# The paths that each build has on the device, the oldest first.
HELD = """(async () => Promise.all((await caches.keys()).map(async (name) =>
    (await (await caches.open(name)).keys()).map(({url}) => new URL(url).pathname.slice(1)))))()"""


@pytest.fixture(scope="module")
def newer(tmp_path_factory):
    """Return a later build: another title, module, network and source of pynet."""
    copy = tmp_path_factory.mktemp("newer")
    for name in ("builder", "web", "pynet", "weights"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("build.py", "LICENSE"):
        shutil.copy(ROOT / name, copy / name)
    change(copy / "web/index.html", "<title>pynet", "<title>newer pynet")
    change(
        copy / "web/app/main.js", "offline.start();", "offline.start(), (globalThis.newer = true);"
    )
    change(copy / "pynet/nn/network.py", '"""', '"""Newer. ')
    with zipfile.ZipFile(copy / "weights/classic-sigmoid.npz", "a") as network:
        network.comment = b"newer"
    # What two files hold alike is kept for both.
    shutil.copy(copy / "weights/classic-relu.npz", copy / "weights/same.npz")
    subprocess.run([sys.executable, copy / "build.py", "--out", copy / "dist"], check=True)
    return copy / "dist"


def change(path, old, new):
    """Replace the first `old` in a file."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def address(folder, name):
    """Return the path of a file in a site by the name that it had before the build."""
    paths = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    (found,) = [path for path in paths if logical(path) == name and not twin(path)]
    return found


def expect_kept(tab, text=KEPT):
    """Wait until the page says what is kept on the device."""
    expect(tab.page.locator(".kept")).to_have_text(text, use_inner_text=True, timeout=BOOT)
    return tab


def draw_and_read(tab, digit=7):
    """Draw a digit on an empty pad and wait for it to be read."""
    tab.draw(DIGITS[digit][0])
    tab.expect_digit(digit)


def networks(tab):
    """Return the names in the menu."""
    return [each.get_attribute("value") for each in tab.model.locator("option").all()]


def fetched_list(host):
    """Return how many files the service worker's lists name."""
    with urllib.request.urlopen(f"{host.url}sw.js") as answer:
        text = answer.read().decode()
    build = json.loads(text[text.index("{") : text.index(";\n\n")])
    return len(build["files"]) + len(build.get("ordinary", {}))


def fetched(tab, path):
    """Return the SHA-256 of what a page is given at a path of its site."""
    program = "async (path) => Array.from(new Uint8Array(await (await fetch(path)).arrayBuffer()))"
    return hashlib.sha256(bytes(tab.page.evaluate(program, path))).hexdigest()


def stored(folder, path):
    """Return the SHA-256 of a file."""
    return hashlib.sha256((folder / path).read_bytes()).hexdigest()


def is_newer(tab):
    """Return whether all parts of a page are of the newer build; fails where they differ."""
    title = tab.page.title().startswith("newer")
    assert tab.page.evaluate("globalThis.newer === true") == title
    return title


def test_everything_works_without_a_server_after_one_visit(visitor, host):
    """With the server gone: a reload, a new tab, a link to the page, each network, a new worker."""
    visitor.watch.allow("request failed")  # the second visit asks for what the first left out
    # In a worker that replaces another one PyScript wants its own package, and that the standard
    # library; it does without.
    visitor.watch.allow(r"console: PythonError: [\s\S]*/later\.py")
    tab = visitor().expect_state("ready")
    expect_kept(tab, KEEPING)
    expect_kept(tab)
    host.stop()
    asked = len(host.asked)
    for name in networks(tab)[1:]:  # the page that was open meanwhile
        tab.model.select_option(name)
        tab.expect_state("ready")
    draw_and_read(tab)
    tab.page.workers[0].evaluate("self.close()")
    tab.expect_state("loading").expect_state("ready").expect_digit(7)
    tab.page.reload()
    tab.expect_state("ready")
    expect_kept(tab)
    draw_and_read(tab, 3)
    other = Site(visitor.context.new_page()).open(f"{host.url}index.html?from=a-link")
    other.expect_state("ready")
    for name in networks(other):
        other.model.select_option(name)
        other.expect_state("ready")
        draw_and_read(other, 7)
        other.clear()
    other.open(f"{host.url}?from=a-link").expect_state("ready")
    draw_and_read(other, 7)
    assert len(host.asked) == asked
    assert visitor.context.info == []


def test_ordinary_start_works_offline_from_the_second_visit_on(visitor, host):
    """Where the snapshot fails one day, Python still starts without a server."""
    visitor.watch.allow("page error: the snapshot")
    tab = visitor().expect_state("ready")
    expect_kept(tab)
    tab.page.reload()
    tab.expect_state("ready")
    # One of the files that a first visit leaves out, where the site has a snapshot.
    held = "(async () => (await (await caches.open((await caches.keys())[0])).keys()).length)()"
    listed = fetched_list(host)
    while tab.page.evaluate(held) < listed:
        tab.page.evaluate("new Promise((resolve) => setTimeout(resolve, 100))")
    host.stop()
    tab.page.evaluate("""async () => {
        const folder = await navigator.storage.getDirectory();
        for await (const name of folder.keys()) await folder.removeEntry(name);
        const cache = await caches.open((await caches.keys())[0]);
        const snapshots = (await cache.keys()).filter(({url}) => url.includes('runtime/snapshot'));
        for (const {url} of snapshots) await cache.put(url, new Response('damaged'));
    }""")
    tab.page.reload()
    tab.expect_state("ready")
    assert tab.root.get_attribute("data-boot") == "ordinary"
    draw_and_read(tab)


def test_precaching_begins_when_the_page_is_ready(visitor, host):
    """Before the first answer is possible nothing is asked for twice, nor for later use."""
    before = []
    breaks = host.breaks

    def hold(path):
        before.append(path)
        return breaks(path)

    host.breaks = hold
    tab = visitor().expect_state("ready")
    # The service worker's own file is the first thing that it is asked for.
    ready = before.index("sw.js") if "sw.js" in before else len(before)
    expect_kept(tab)
    visit, later = before[:ready], before[ready:]
    assert "sw.js" in later
    assert "licenses.txt" in later
    assert "licenses.txt" not in visit
    # What has a hash in its name is in the browser's cache by then.
    again = {path for path in visit if logical(path) != path} & set(later)
    assert again == set()
    # All of Python comes before the service worker does: memory and the network are short.
    python = [logical(path) for path in before[: before.index("sw.js")]]
    assert sum(name.startswith("runtime/later/") for name in python) == 3
    assert "worker.py" in python


def test_update_is_whole_and_waits_for_a_reload(visitor, host, dist, newer):
    """A page keeps the build that it came from; a reload brings the new one; then the old goes."""
    tab = visitor().expect_state("ready")
    other = visitor().expect_state("ready")
    expect_kept(tab)
    names = tab.page.evaluate(NAMES)
    assert len(names) == 1
    host.serve(newer)
    host.asked.clear()
    tab.page.reload()
    tab.expect_state("ready")
    assert not is_newer(tab)  # the new build is not here yet, or not whole
    expect_kept(tab, NEWER)
    unchanged = address(newer, "runtime/pyodide/pyodide.asm.wasm")
    if unchanged == address(dist, "runtime/pyodide/pyodide.asm.wasm"):
        assert unchanged not in host.asked
    host.stop()
    # The old pages go on with the old build, from the device.
    for page in (tab, other):
        assert not is_newer(page)
        page.model.select_option("classic-sigmoid")
        page.expect_state("ready")
        draw_and_read(page, 1)
        path = address(dist, "weights/classic-sigmoid.npz")
        assert fetched(page, path) == stored(dist, path)
    tab.page.get_by_role("link", name="reload to use it").click()
    tab.page.wait_for_url(host.url)
    expect(tab.page).to_have_title(re.compile("newer"))
    tab.expect_state("ready")
    assert is_newer(tab)
    expect_kept(tab)
    tab.model.select_option("classic-sigmoid")
    tab.expect_state("ready")
    draw_and_read(tab, 1)
    path = address(newer, "weights/classic-sigmoid.npz")
    assert path != address(dist, "weights/classic-sigmoid.npz")
    assert fetched(tab, path) == stored(newer, path)
    # The other tab has not moved, and a new worker of it is of the old build.
    assert not is_newer(other)
    other.page.workers[0].evaluate("self.close()")
    other.expect_state("loading").expect_state("ready").expect_digit(1)
    for page in (tab, other):
        page.page.close()
    tab = visitor().expect_state("ready")
    assert is_newer(tab)
    tab.page.wait_for_function(f"{NAMES}.then(({{ length }}) => length === 1)")
    assert tab.page.evaluate(NAMES) != names


def test_update_that_breaks_off_changes_nothing(visitor, host, newer):
    """A server that dies within an update leaves the old build whole; later the update goes on."""
    visitor.watch.allow("request failed")
    tab = visitor().expect_state("ready")
    expect_kept(tab)
    host.serve(newer)
    host.asked.clear()
    last = address(newer, "weights/classic-sigmoid.npz")
    host.breaks = lambda path: path == last
    with tab.page.expect_console_message(lambda each: last in each.text, timeout=BOOT):
        tab.page.reload()
    host.stop()
    assert last in host.asked
    for _ in range(2):
        tab.page.reload()
        tab.expect_state("ready")
        assert not is_newer(tab)
        expect_kept(tab)
        draw_and_read(tab)
    tab.page.wait_for_timeout(1000)  # for whatever the old build does with what is not its own
    _, taken = tab.page.evaluate(HELD)
    host.breaks = lambda path: False
    host.serve(newer)
    host.asked.clear()
    tab.page.reload()
    expect_kept(tab, NEWER)
    assert not is_newer(tab)
    assert last in host.asked
    assert taken
    assert not set(taken) & set(host.asked)
    tab.page.reload()
    tab.expect_state("ready")
    assert is_newer(tab)
    draw_and_read(tab)
    assert [each.type for each in visitor.context.info] == ["info"]


def test_sub_path_keeps_to_its_folder(browser, dist, tmp_path):
    """Below a path, beside another copy of the site: each keeps its own, and nothing above it."""
    for name in ("one", "two"):
        (tmp_path / "some" / name).mkdir(parents=True)
        (tmp_path / "some" / name / "site").symlink_to(dist)
    context = browser.new_context()
    with hosting(tmp_path) as host:
        urls = [f"{host.url}some/{name}/site/" for name in ("one", "two")]
        tabs = [Site(context.new_page()).open(url).expect_state("ready") for url in urls]
        for tab in tabs:
            expect_kept(tab)
        host.stop()
        for tab in tabs:
            tab.page.reload()
            tab.expect_state("ready")
            draw_and_read(tab)
        names = tabs[0].page.evaluate(NAMES)
        assert sorted(name.split()[1] for name in names) == urls
        with pytest.raises(Error, match="ERR_CONNECTION_REFUSED"):
            context.new_page().goto(host.url)
    context.close()


def test_host_that_unpacks_on_the_way(visitor, host):
    """Where the host has the browser unpack .gz files (Content-Encoding), they are kept as well."""
    visitor.watch.allow("request failed")  # the second visit asks for what the first left out
    host.headers = lambda path: {"Content-Encoding": "gzip"} if path.endswith(".gz") else {}
    tab = visitor().expect_state("ready")
    expect_kept(tab)
    host.stop()
    tab.page.reload()
    tab.expect_state("ready")
    draw_and_read(tab)


def test_host_that_compresses(visitor, host, dist):
    """From such a host the large files come plain, and once for page and service worker."""
    visitor.watch.allow("request failed")  # the second visit asks for what the first left out
    host.compresses = COMPRESSED
    tab = visitor().expect_state("ready")
    draw_and_read(tab)
    assert tab.root.get_attribute("data-boot") == "snapshot"
    expect_kept(tab)
    for name in ("runtime/pyodide/pyodide.asm.wasm", "runtime/snapshot.bin"):
        path = address(dist, name)
        assert path.endswith(".wasm")
        assert host.asked.count(path) == 1
        assert f"{path}.gz" not in host.asked
    host.stop()
    tab.page.reload()
    tab.expect_state("ready")
    draw_and_read(tab, 1)
    assert tab.root.get_attribute("data-boot") == "snapshot"


def test_host_that_compresses_the_page_alone(visitor, host, dist):
    """Where wasm is sent as it is, the packed ones are taken instead."""
    visitor.watch.allow("request failed: .*wasm net::ERR_ABORTED")
    host.headers = lambda path: {"Cache-Control": "no-store"} if path.endswith(".wasm") else {}
    host.compresses = re.compile(r"^$|\.(html|js)$")
    tab = visitor().expect_state("ready")
    draw_and_read(tab)
    assert f"{address(dist, 'runtime/snapshot.bin')}.gz" in host.asked


def test_full_storage(visitor, host):
    """Where the storage is full the page works as before and says so once, as information."""
    page = visitor.context.new_page()
    session = visitor.context.new_cdp_session(page)
    origin = {"origin": host.url.rstrip("/"), "quotaSize": 2_000_000}
    session.send("Storage.overrideQuotaForOrigin", origin)
    with page.expect_console_message(lambda each: OFFLINE in each.text, timeout=BOOT):
        tab = Site(page).open(host.url).expect_state("ready")
    draw_and_read(tab)
    expect_kept(tab, NEVER)
    assert page.evaluate(NAMES) == []
    assert [each.type for each in visitor.context.info] == ["info"]


@pytest.fixture
def launched(browser, tmp_path):
    """Return a function that starts a browser of its own, with a profile and more arguments.

    What is not in a profile counts as private, and cannot be installed.
    """
    contexts = []

    def launch(*arguments):
        context = browser.browser_type.launch_persistent_context(
            tmp_path / "profile", executable_path=chromium_path(), args=["--no-sandbox", *arguments]
        )
        contexts.append(context)
        return context

    yield launch
    for context in contexts:
        context.close()


def check_without_service_worker(context, url, text, allowed="nothing"):
    """Assert that the page works and says that it is not kept, and in the console why, once."""
    watch, info = Watch(url), []
    watch.allow(allowed)
    watch.attach(context)
    context.on("console", lambda each: OFFLINE in each.text and info.append(each))
    page = context.new_page()
    with page.expect_console_message(lambda each: OFFLINE in each.text, timeout=BOOT):
        tab = Site(page).open(url).expect_state("ready")
    draw_and_read(tab)
    expect_kept(tab, text)
    assert [each.type for each in info] == ["info"]
    watch.check()


def test_address_that_allows_no_service_worker(launched, host):
    """On plain http the page works as before."""
    context = launched("--host-resolver-rules=MAP pynet.test 127.0.0.1")
    check_without_service_worker(context, host.url.replace("127.0.0.1", "pynet.test"), INSECURE)


def test_service_worker_that_is_refused(browser, host):
    """Where the service worker does not arrive the page works as before."""
    host.breaks = lambda path: path == "sw.js"
    context = browser.new_context()
    check_without_service_worker(context, host.url, NEVER, allowed="/sw.js|fetching the script")
    context.close()


def test_installable(launched, host):
    """Chromium finds the manifest without an error, and nothing that forbids to install."""
    context = launched()
    page = context.new_page()
    tab = Site(page).open(host.url).expect_state("ready")
    expect_kept(tab)
    expect(page.locator("link[rel=manifest]")).to_have_count(1)
    session = context.new_cdp_session(page)
    answer = session.send("Page.getAppManifest")
    assert answer["errors"] == []
    manifest = json.loads(answer["data"])
    assert manifest["display"] == "standalone"
    assert session.send("Page.getInstallabilityErrors")["installabilityErrors"] == []
    for icon in manifest["icons"]:
        size = page.evaluate(
            "async (src) => { const image = new Image(); image.src = src; await image.decode();"
            " return `${image.naturalWidth}x${image.naturalHeight}` }",
            icon["src"],
        )
        assert icon["sizes"] in (size, "any")


@pytest.mark.parametrize("width", [320, 768, 1440])
def test_notices_move_nothing(booted, width):
    """Each notice has one line at every width, and that line is there before."""
    booted.page.set_viewport_size({"width": width, "height": 900})
    sizes = set()
    for state in ("no", "ready", "update"):
        booted.page.evaluate(f"{STORE}.then(store => store.set({{offline: '{state}'}}))")
        notice = booted.page.locator(".kept")
        text = {"no": "", "ready": KEPT, "update": NEWER}[state]
        expect(notice).to_have_text(text, use_inner_text=True)
        height = booted.page.evaluate("document.documentElement.scrollHeight")
        sizes.add((height, *notice.bounding_box().values()))
    booted.page.evaluate(f"{STORE}.then(store => store.set({{offline: 'no'}}))")
    assert len(sizes) == 1

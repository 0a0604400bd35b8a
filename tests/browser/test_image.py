"""What a visit leaves on the device, so that the next one starts at once: used, or done without."""

import pytest
from playwright.sync_api import expect

from browser.conftest import BOOT
from browser.digits import DIGITS
from browser.test_offline import expect_kept
from browser.test_snapshot import ORDINARY

pytestmark = pytest.mark.timeout(400)

# The size of the image that is kept; 0 while there is none.
SIZE = """
async () => {
    const folder = await navigator.storage.getDirectory();
    for await (const [name, handle] of folder)
        if (!name.endsWith('.crswap')) return (await handle.getFile()).size;
    return 0;
}
"""

# Takes what the image is made from out of the service worker's cache: nothing else can serve then.
TAKE = """
async () => {
    let taken = 0;
    for (const name of await caches.keys()) {
        const cache = await caches.open(name);
        for (const {url} of await cache.keys())
            if (/runtime.(snapshot-|pyodide.pyodide|libraries)/.test(url))
                taken += await cache.delete(url);
    }
    return taken;
}
"""

# Changes one byte of the image, in the middle of the memory; or cuts it off there.
DAMAGE = """
async (cut) => {
    const folder = await navigator.storage.getDirectory();
    for await (const handle of folder.values()) {
        const file = await handle.getFile();
        const at = Math.round(0.7 * file.size);
        const [byte] = new Uint8Array(await file.slice(at, at + 1).arrayBuffer());
        const stream = await handle.createWritable({keepExistingData: true});
        if (cut) await stream.truncate(at);
        else await stream.write({type: 'write', position: at, data: Uint8Array.of(byte ^ 1)});
        await stream.close();
    }
}
"""


def wait_for_image(tab):
    """Wait until a visit has left the image."""
    for _ in range(300):
        if (size := tab.page.evaluate(SIZE)) > 0:
            return size
        tab.page.wait_for_timeout(100)
    raise AssertionError("no image was kept")


def expect_start(tab, boot, digit=7):
    """Wait for a start of one kind, and have a digit read."""
    tab.expect_state("ready", timeout=BOOT)
    expect(tab.root).to_have_attribute("data-boot", boot)
    tab.draw(DIGITS[digit][0])
    tab.expect_digit(digit)


@pytest.fixture
def again(visitor):
    """Return a tab whose first visit has left the image, in a context that says what it says."""
    tab = visitor().expect_state("ready")
    expect_kept(tab)
    assert 10e6 < wait_for_image(tab) < 25e6
    tab.said = []
    tab.page.on("console", lambda message: tab.said.append(message.text))
    return tab


def test_the_second_visit_starts_from_it(again, host):
    """Without a server, and without what it is made from."""
    assert again.page.evaluate(TAKE) == 4
    host.stop()
    again.page.reload()
    expect_start(again, "snapshot")


def test_two_tabs_may_use_it(again, visitor):
    """At once; and neither takes it from the other."""
    other = visitor()
    again.page.reload()
    for tab in (again, other):
        expect_start(tab, "snapshot")
    assert wait_for_image(again)


@pytest.mark.parametrize("cut", [False, True])
def test_a_damaged_one_is_done_without_and_forgotten(again, cut):
    """One start goes the ordinary way, says so once; and the image is gone, and made anew later."""
    again.page.evaluate(DAMAGE, cut)
    again.page.reload()
    expect_start(again, "ordinary")
    assert sum(ORDINARY in line for line in again.said) == 1
    assert again.page.evaluate(SIZE) == 0
    again.page.reload()
    expect_start(again, "snapshot")
    wait_for_image(again)


def test_one_of_another_build_is_not_used(again):
    """It says what it is made from, in its first bytes, and is replaced."""
    again.page.evaluate("""
        async () => {
            const folder = await navigator.storage.getDirectory();
            for await (const handle of folder.values()) {
                const stream = await handle.createWritable();
                const header = new TextEncoder().encode(JSON.stringify({from: "another"}));
                await stream.write(Uint32Array.of(header.length));
                await stream.write(header);
                await stream.close();
            }
        }
    """)
    again.page.reload()
    expect_start(again, "snapshot")
    again.page.wait_for_function(f"async () => (await ({SIZE})()) > 1e6", timeout=BOOT)


def test_without_such_files_the_page_works(visitor):
    """A browser that has no file system of its own, or forbids it: all is as before."""
    visitor.context.add_init_script(
        "if (navigator.storage) navigator.storage.getDirectory = () => Promise.reject(Error('no'))"
    )
    tab = visitor().expect_state("ready")
    expect_kept(tab)
    tab.page.reload()
    expect_start(tab, "snapshot")

// @ts-check
/** Starts the worker that Python will run in, before anything else: a thread takes a while to come up, and
 *  the modules of the page as well. It asks for nothing of Python until the page has been painted.
 *  A script and no module, so that it need not wait for any. */

{
  /**
   * The form in which the large files of Python should come, each of which is stored plain and as gzip:
   * - kept: plain, from this device, where the service worker holds it;
   * - plain: from a host that compresses on the way; the browser undoes that, beside the worker;
   * - packed: as gzip, undone in the worker.
   */
  function form() {
    try {
      if (navigator.serviceWorker?.controller) return "kept";
    } catch {
      // Some pages may not even look.
    }
    const [page] = performance.getEntriesByType("navigation");
    const timing = page instanceof PerformanceNavigationTiming ? page : null;
    return timing && timing.encodedBodySize < timing.decodedBodySize ? "plain" : "packed";
  }
  globalThis.formOfFiles = form;

  const { currentScript } = document;
  const base = currentScript instanceof HTMLScriptElement ? currentScript.src : location.href;

  /** The file in which an earlier visit has kept what Python starts from; see image.js. Found now, for this
   *  takes the browser a while; nothing is read before the worker may begin. */
  const image = form() === "kept" ? findImage() : Promise.resolve(null);

  async function findImage() {
    try {
      const folder = await navigator.storage.getDirectory();
      return await folder.getFileHandle(`pynet ${encodeURIComponent(new URL("..", base).pathname)}`);
    } catch {
      return null; // there is none, or no such files in this browser
    }
  }

  /** The worker, with the address of what runs in it, and what it reports while nobody listens yet. */
  function make() {
    const script = new URL("python.js#snapshot", base).href;
    const worker = new Worker(script, { type: "module" });
    /** @type {MessageEvent[]} */
    const reports = [];
    worker.onmessage = (report) => reports.push(report);
    image.then((file) => worker.postMessage({ image: file }));
    return { script, worker, reports };
  }

  /** @type {ReturnType<typeof make> | null} */
  let first = null;
  try {
    first = make();
  } catch {
    // Nobody waits for it yet: whoever asks for it tries again, and reports what is wrong.
  }

  /** Have the early worker begin, if it is still there. (The browser knows the sizes of the page by now.) */
  const begin = () => first?.worker.postMessage({ begin: form() });

  document.addEventListener("readystatechange", () => {
    // What runs before the next frame comes before it is painted, and what follows that after it.
    if (document.readyState === "interactive") requestAnimationFrame(() => setTimeout(begin));
  });

  /** A worker that starts Python from the snapshot: this early one or, where it was used, another. */
  globalThis.snapshotWorker = () => {
    first ??= make();
    begin();
    const found = first;
    first = null;
    return found;
  };
}

// @ts-check
/* The one classic script, in the oldest JavaScript: it runs where the modules cannot (an old
   browser, a file:// address, a module that did not arrive) and says so in the page. */
(function () {
  "use strict";
  var root = document.documentElement;
  var failed = false;
  root.setAttribute("data-script", "loaded"); // hides the notice for pages without script

  /** Run an action once the elements of the page exist. @param {() => void} action */
  function whenParsed(action) {
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", action);
    else action();
  }

  /** Show a failure that the modules cannot report. @param {string} message @param {boolean} retry */
  function fail(message, retry) {
    if (failed) return;
    failed = true;
    root.setAttribute("data-state", "error");
    whenParsed(function () {
      var status = document.getElementById("status");
      var button = document.getElementById("retry");
      if (status) status.textContent = message;
      if (!button || !retry) return;
      button.hidden = false;
      button.addEventListener("click", function () { location.reload(); });
    });
  }

  if (location.protocol === "file:") {
    root.removeAttribute("data-script");
    fail("Opened as a file: Python cannot start. Serve this folder as described above.", false);
  } else if (!("noModule" in document.createElement("script"))) {
    fail("This browser is too old. Use Chrome 112, Firefox 113, Safari 16.4 or later.", false);
  }

  // Failed loads do not bubble, but they can be captured. main.js sets data-script to "running".
  window.addEventListener("error", function (event) {
    var target = event.target;
    if (target instanceof HTMLLinkElement && target.rel === "stylesheet") {
      whenParsed(function () {
        var notice = document.getElementById("style-notice");
        if (notice) notice.hidden = false;
      });
    } else if (root.getAttribute("data-script") !== "running" && !(target instanceof HTMLLinkElement)) {
      fail("Part of the page did not load. Check the connection, then press Retry.", true);
    }
  }, true);
  window.addEventListener("load", function () {
    if (root.getAttribute("data-script") !== "running") {
      fail("The page did not start. Check the connection, then press Retry.", true);
    }
  });
})();

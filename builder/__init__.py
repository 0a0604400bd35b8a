"""How the site is made, served and tested, with the standard library of any Python 3.11+.

To read in this order: `pinned` (versions and hashes), `site` (what dist/ holds), `networks`
(weights/), `slim` (less of Python), `licences`, `addresses` (names with hashes), `offline` (what
the service worker keeps), `budget` (how many bytes), `write`; `store` and `fetch` (where the
runtime files come from); `server` and `archive`; `environment` and `testing` (the test command);
`console`, `files` and `processes` are the tools. What is in `inside/` runs in the page's Python.
"""

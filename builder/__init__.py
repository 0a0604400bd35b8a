"""How the site is made, served and tested, with the standard library of any Python 3.11+.

To read in this order: `pinned` (versions and hashes), `site` (what dist/ holds), `networks`
(weights/), `licences`, `write`; `store` and `fetch` (where the runtime files come from); `server`;
`environment` and `testing` (the test command); `console`, `files` and `processes` are the tools.
"""

# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""The frame of an HTML page that needs nothing from elsewhere."""

import re
from html import escape

STYLE = """
:root { color-scheme: light }
body { font: 15px/1.5 system-ui, sans-serif; color: #222; background: #fff; margin: 0 auto; padding: 1em; max-width: 1120px }
h1 { font-size: 1.6em; margin: .3em 0 } h2 { border-bottom: 1px solid #ccc; margin-top: 2em } h4 { margin: .2em 0; overflow-wrap: anywhere }
nav { margin: 1em 0 } a { color: #0b5394 }
.row { display: flex; flex-wrap: wrap; gap: 1.2em; align-items: flex-start }
figure { margin: 0; width: 340px; max-width: 100%; min-width: 0 }
figure:has(svg[width="340"]) { width: 340px } .scroll { overflow-x: auto }
figcaption { font-size: .82em; margin-top: .3em } .caveat { color: #666 } .caveat::before { content: "Caveat: " }
svg.chart { display: block } svg text { font: 11px system-ui, sans-serif; fill: #222 } svg .axis { fill: #666 }
svg text.light { fill: #fff } svg text.dark { fill: #222 } svg .grid { stroke: #e3e3e3 } svg .phase { stroke: #444; stroke-width: 1 }
table { border-collapse: collapse; font-size: .82em } td, th { padding: .15em .6em .15em 0; text-align: left; vertical-align: top }
table.facts td { overflow-wrap: anywhere } tr.unsure td { color: #8a4b00 } th { font-weight: 600; white-space: nowrap }
details { margin: .3em 0; font-size: .95em } summary { cursor: pointer } code { font-size: .9em }
dt { font-weight: 600 } dd { margin: 0 0 .4em 1.2em } .more { color: #a33 } .less { color: #067 }
"""


def whole(name: str, body: str) -> str:
    return (f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
            f'<title>{escape(name)}</title><link rel="icon" href="data:,"><style>{STYLE}</style></head>\n<body>{body}</body></html>\n')


def anchor(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-").lower()

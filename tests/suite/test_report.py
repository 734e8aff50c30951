# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""The report, as text and in a browser."""

import html.parser
import json
import re
import subprocess

import pytest

import jobs
import points
import report
import svg
from made import BOOTS, PHASES, bench, job

PROBE = """<!doctype html><body><iframe id=f style="width:%dpx;height:800px;border:0" src="report.html"></iframe><script>
f.onload = () => {
  const d = f.contentDocument, texts = [...d.querySelectorAll('svg text')];
  const size = e => e.getBoundingClientRect();
  document.body.textContent = 'PROBE ' + JSON.stringify({
    wide: d.documentElement.scrollWidth, shown: d.documentElement.clientWidth,
    kinds: [...new Set([...d.querySelectorAll('svg.chart')].map(e => e.classList[1]))].sort(),
    empty: [...d.querySelectorAll('svg.chart')].filter(e => size(e).width < 100 || size(e).height < 40).length,
    small: texts.filter(e => size(e).height < 9).length, texts: texts.length,
    scripts: d.scripts.length, dead: [...d.querySelectorAll('a[href^="#"]')].filter(e => !d.getElementById(e.hash.slice(1))).length,
    outside: texts.filter(e => { const s = size(e.ownerSVGElement), t = size(e); return t.left < s.left - 2 || t.right > s.right + 2 }).length,
  }) + ' END' }
</script></body>"""


MODEL = {"format": 1, "text": ["A model.", "Its error is 10 %."],
         "curves": [{"operation": "unmap", "machine": machine, "lens": lens, "unit": unit,
                     "points": [{"cores": n, "low": n, "mid": 2 * n, "high": 3 * n, "measured": n if n < 4 and lens == "elapsed" else None}
                                for n in (2, 4, 1024)]}
                    for machine, lens, unit in (("this emulated machine", "elapsed", "cycles"), ("large", "model", "ns"), ("small", "model", "ns"))]}


@pytest.fixture
def directory(sweep):
    """A sweep of two, four and eight cores; one measurement of it is wild."""
    machines = [job(cores=cores, nodes=2) for cores in (2, 4, 8)]
    boot, counted, host = job(family="boot"), job("icount", repetitions=2), job("host", 0, 0, "channels")
    kept = sweep(*machines, boot, counted, host)
    for one in machines:
        for repetition in range(1, 7):
            pairs = [bench("channel.rtt", 1000 + 10 * a + b + repetition, a=a, b=b) for a in range(one.cores) for b in range(one.cores) if a != b]
            wild = bench("channel.stream", 10 ** (repetition % 4 + 1), a=0, b=1)
            holders = [bench("cap.revoke.remote", 500 * n, holders=n, messages=2 * n) for n in range(1, one.cores)]
            kv = [bench("kv", 900 / n, a=0, b=0, cores=n) for n in range(1, one.cores + 1)]
            kept.keep(one, repetition, [*pairs, wild, *holders, *kv])
    for repetition in range(1, 7):
        kept.keep(boot, repetition, [*BOOTS, PHASES])
        kept.keep(host, repetition, [bench("floor.rtt", 100 + repetition, "host", "ns")])
    for repetition in (1, 2):
        kept.keep(counted, repetition, [bench("call.null", 79, "instructions", "instructions", 0, 0)])
    (kept.directory / "model.json").write_text(json.dumps(MODEL))
    report.write(kept.directory, points.results(kept.plan))
    return kept.directory


class Balance(html.parser.HTMLParser):
    """Elements that must be closed are."""
    CHECKED = {"svg", "g", "figure", "section", "details", "table", "div", "figcaption", "html", "body"}

    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        if tag in self.CHECKED:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in self.CHECKED:
            assert self.open.pop() == tag


def test_the_text_is_whole_and_needs_nothing_from_elsewhere(directory):
    text = (directory / "report.html").read_text()
    balance = Balance()
    balance.feed(text)
    assert balance.open == []
    assert "<script" not in text and not re.search(r'(src|href)="(?!#|data:)', text)
    assert "not sure: the interval is" in text
    for caveat in report.CAVEATS.values():
        assert svg.escape(caveat) in text


def test_what_is_not_sure_is_drawn_otherwise(directory):
    text = (directory / "report.html").read_text()
    wild = re.search(r"<g[^>]*><title>channel\.stream[^<]*not sure[^<]*</title>.*?</g>", text)[0]
    assert 'class="unsure"' in wild and "stroke-dasharray" in wild and 'fill="none"' in wild
    assert 'class="sure"' in re.search(r"<g[^>]*><title>call\.null|<g[^>]*><title>kv:", text)[0]


def test_no_line_leads_to_what_is_not_sure():
    marks = [svg.Mark(x, 10, 9, 11, stable, "") for x, stable in ((1, True), (2, True), (4, False), (8, True))]
    one = svg.curves([svg.Series("a", tuple(marks))], "t", "x", "y")
    assert len(re.findall(r'<line [^>]*stroke-width="1.5"', one)) == 1


def test_a_sweep_of_nothing_has_a_report_too(sweep):
    kept = sweep(job())
    text = report.write(kept.directory, points.results(kept.plan)).read_text()
    assert "not run yet" in text and "<svg" not in text


@pytest.mark.parametrize("text, sentence", [("{", "truncated"), ('{"format":7}', "another version"), ('{"format":1}', "is damaged")])
def test_a_bad_model_gets_a_sentence(directory, text, sentence):
    (directory / "model.json").write_text(text)
    with pytest.raises(jobs.Refused) as refusal:
        report.write(directory, {"image": "", "points": [], "provenance": [], "missing": []})
    assert sentence in str(refusal.value) and "model.json" in str(refusal.value)


def test_names_cannot_break_the_page(sweep):
    one = job(repetitions=1)
    kept = sweep(one)
    kept.keep(one, 1, [bench("<script>alert(1)</script>", 5, holders=n) for n in (1, 2)])
    assert "<script>" not in report.write(kept.directory, points.results(kept.plan)).read_text()


@pytest.mark.parametrize("low, high", [(0, 1), (0, 7.3), (0, 12345), (0, 1e-3)])
def test_ticks_are_few_round_and_inside(low, high):
    ticks = svg.ticks(low, high)
    assert 2 <= len(ticks) <= 6 and low <= ticks[0] and ticks[-1] <= high


@pytest.mark.parametrize("width", [360, 1200])
def test_a_browser_shows_it(directory, width):
    """The frame is as narrow as a telephone; the page may not be wider than that, nor its letters too small to read."""
    (directory / "probe.html").write_text(PROBE % width, encoding="utf-8")
    answer = subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                             "--allow-file-access-from-files", "--enable-logging=stderr", "--v=0", "--virtual-time-budget=5000",
                             f"--user-data-dir={directory / 'chromium'}", "--dump-dom", (directory / "probe.html").as_uri()],
                            capture_output=True, text=True, timeout=60, check=False)
    found = json.loads(re.search(r"PROBE (.*?) END", answer.stdout)[1])
    assert "CONSOLE" not in answer.stderr
    assert found["wide"] <= found["shown"]
    assert set(found["kinds"]) == {"curves", "dots", "heat", "strips", "timeline"}
    assert (found["empty"], found["small"], found["scripts"], found["dead"], found["outside"]) == (0, 0, 0, 0, 0)
    assert found["texts"] > 100

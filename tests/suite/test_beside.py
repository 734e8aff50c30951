# SPDX-License-Identifier: MIT
# Copyright 2026 The Atoll authors
"""Linux beside Atoll in the report."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).resolve().parents[2] / "bench/peers"))

import beside  # noqa: E402
import jobs  # noqa: E402
import pairing  # noqa: E402
import points  # noqa: E402
import report  # noqa: E402
import rows  # noqa: E402
from made import bench, job  # noqa: E402
from test_report import PROBE, Balance  # noqa: E402

LENSES = {"elapsed": ("elapsed", "cycles", 6), "icount": ("instructions", "instructions", 2)}


def runs():
    """Everything that the table has a row for, by both systems, in both lenses; Linux's pipe is wild."""
    found = []
    for lens, (named, unit, turns) in LENSES.items():
        for turn in range(turns):
            for system, factor in (("atoll", 1), ("linux", 5)):
                facts = {}
                for row in rows.ROWS:
                    for name in [row.atoll] if system == "atoll" else row.linux:
                        for holders in (1, 2, 3) if row.where == rows.BY_CORES else (0,):
                            value = factor * 100 * (holders or 1) * (10 ** (turn % 3) if name == "pipe.rtt.process" else 1)
                            place = {"holders": holders, "messages": 0} if holders else {}
                            facts[name, row.where, holders] = bench(name, value, named, unit, 0, int(row.where != rows.HERE), **place)
                origin = {"tag": "provenance", "revision": "abc", "date": "2026-01-01", "host": {"load": 0.5}, "command": ["qemu"], "app": "x"}
                found.append(pairing.Run(system, lens, 4, 2, turn, list(facts.values()), origin, 1.5))
    return found


def peers_file(directory, **instead):
    wanted = {lens: turns for lens, (_, _, turns) in LENSES.items()}
    lines = [line for lens, turns in wanted.items() for line in pairing.lines([run for run in runs() if run.lens == lens], turns)]
    whole = {"format": pairing.FORMAT, "caveats": rows.CAVEATS, "provenance": pairing.provenance(runs(), "peers.jsonl"),
             "points": pairing.points(runs(), wanted), "rows": pairing.row_facts(lines), **instead}
    (directory / "peers.json").write_text(json.dumps({name: value for name, value in whole.items() if value is not None}))


@pytest.fixture
def directory(sweep):
    kept = sweep(job(cores=2, nodes=1, repetitions=1))
    kept.keep(kept.plan.jobs[0], 1, [bench("channel.rtt", 1000, a=0, b=1)])
    peers_file(kept.directory)
    report.write(kept.directory, points.results(kept.plan))
    return kept.directory


def test_every_row_is_drawn_with_its_caveats(directory):
    text = (directory / "report.html").read_text()
    balance = Balance()
    balance.feed(text)
    assert balance.open == []
    part = text[text.index("<h2>Beside Linux"):]
    for caveat in rows.CAVEATS:
        assert report.escape(caveat) in part
    for row in rows.ROWS:
        assert row.what in part, row
    by_cores = sum(row.where == rows.BY_CORES for row in rows.ROWS)
    # in each of two lenses: a picture for all rows of a place, and one for each row by cores
    assert part.count('class="chart bars"') == 2 * 2 and part.count('class="chart curves"') == 2 * by_cores


def test_who_varies_is_hollow(directory):
    text = (directory / "report.html").read_text()
    wild = re.findall(r'<g class="(\w+)"><title>pipe.rtt.process', text) + re.findall(r'<title>pipe.rtt.process.*?</g>', text)
    assert wild and "peers-linux-elapsed-4; not sure" in text
    assert all("fill=\"none\"" in one for one in re.findall(r"<title>pipe\.rtt\.process[^<]*not sure.*?</g>", text))


def test_its_provenance_is_there(directory):
    text = (directory / "report.html").read_text()
    for one in ("peers-atoll-elapsed-4", "peers-linux-elapsed-4", "peers-atoll-icount-4", "peers-linux-icount-4"):
        assert f'id="{report.page.anchor(one)}"' in text


def test_without_the_file_there_is_no_part(sweep):
    kept = sweep(job(cores=2, nodes=1, repetitions=1))
    kept.keep(kept.plan.jobs[0], 1, [bench("channel.rtt", 1000, a=0, b=1)])
    assert "Beside Linux" not in report.write(kept.directory, points.results(kept.plan)).read_text()


@pytest.mark.parametrize("instead,sentence", [({"format": 99}, "is not a file of this version"), ({"points": []}, "is damaged"),
                                              ({"rows": None}, "is damaged")])
def test_another_file_is_refused(directory, instead, sentence):
    peers_file(directory, **instead)
    with pytest.raises(jobs.Refused, match=sentence):
        beside.sections(directory / "peers.json", {"provenance": []})


@pytest.mark.parametrize("width", [1100, 360])
def test_a_browser_shows_it(directory, width):
    (directory / "probe.html").write_text(PROBE % width)
    answer = subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                             "--allow-file-access-from-files", f"--user-data-dir={directory / 'chromium'}", "--virtual-time-budget=5000",
                             "--dump-dom", (directory / "probe.html").as_uri()], capture_output=True, text=True, timeout=120, check=False)
    found = re.search(r"PROBE (\{.*?\}) END", answer.stdout)
    assert found, answer.stderr[-500:]
    seen = json.loads(found[1])
    assert seen["wide"] <= seen["shown"]
    assert (seen["empty"], seen["small"], seen["dead"], seen["outside"], seen["scripts"]) == (0, 0, 0, 0, 0)
    assert {"bars", "curves"} <= set(seen["kinds"])

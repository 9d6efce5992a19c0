# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
DATA ?=

.PHONY: demo test test-slow check report benchmark benchmark-pages benchmark-long-pdf soak serve-kills serve-load reliability clean

$(BIN)/odia-ocr:
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) -e .

demo: $(BIN)/odia-ocr
	$(BIN)/odia-ocr read samples/page.png
	$(BIN)/odia-ocr read samples/page.png -o out/demo --overlay --force
	@echo "Written: out/demo/page.txt, out/demo/page.json and the picture out/demo/page.p0001.overlay.png"

$(VENV)/.full: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) -e '.[all,dev]'
	touch $@

test: $(VENV)/.full
	scripts/install-system-packages
	PATH="$(abspath $(BIN)):$$PATH" scripts/check
	$(BIN)/python scripts/check_wheel.py

test-slow: $(VENV)/.full
	scripts/install-system-packages
	$(BIN)/python -m pytest -m slow

check: $(VENV)/.full
	PATH="$(abspath $(BIN)):$$PATH" scripts/check

# make report DATA=../shared/data  (rows whose data is missing keep their stored figures)
report: $(VENV)/.full
	scripts/install-system-packages
	$(BIN)/python scripts/report.py $(if $(DATA),--data $(DATA))

# Lines a second beside Tesseract, on one core, in turns.
benchmark: $(VENV)/.full
	scripts/install-system-packages
	test -d out/benchmark-lines || $(BIN)/odia-ocr render lines --split heldout --clean --words 3-10 --count 120 -o out/benchmark-lines
	$(BIN)/python benchmarks/lines_speed.py out/benchmark-lines

# Pages a second, start and memory beside Tesseract, on the same pages and cores, in turns.
benchmark-pages: out/benchmark-pages
	$(BIN)/python benchmarks/pages_speed.py out/benchmark-pages --json docs/reports/pages-speed.json

# Memory while a PDF of 2,000 pages is read.
benchmark-long-pdf: out/benchmark-pages
	$(BIN)/python benchmarks/long_pdf.py out/benchmark-pages/*.png

# Memory of a server that is fed small pages; PAGES=2000 takes some minutes.
PAGES ?= 10000
soak: $(VENV)/.full
	$(BIN)/python scripts/soak.py --pages $(PAGES)

# A server killed ten times in mid-work: nothing may be lost or doubled.
serve-kills: $(VENV)/.full
	$(BIN)/python benchmarks/serve_kills.py

# Latency and throughput of the server, beside the command on the same pages.
serve-load: out/benchmark-pages
	$(BIN)/python benchmarks/serve_load.py out/benchmark-pages

# The tables of docs/reliability.md, from the reports of the three above.
reliability: $(VENV)/.full
	$(BIN)/python scripts/reliability.py

out/benchmark-pages: $(VENV)/.full
	scripts/install-system-packages
	$(BIN)/python -c "from pathlib import Path; from odia_ocr.data.page_reporting import make_reporting_pages as m; m(Path('out/benchmark-pages'))"

clean:
	rm -rf out build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

# Type `make` for what there is. Needs Python 3.11 or newer and a network for the first installation; no compiler.
#
# PYTHON=python3.12 make demo    takes another Python (for a new .venv; `make clean` removes the old one)
# make test ARGS="-k recipe"     hands words on to pytest
# make faults ARGS=--record      keeps the table in benchmarks/RESULTS.md; ARGS=--help tells the rest

PYTHON ?= python3
ARGS ?=
# In variables, because a comma would end an argument of call.
WHOLE := -e '.[draw,serve,search]'
WHOLE_AND_TOOLS := -e '.[dev,draw,excel,export,serve,search]'
# What the benchmarks compare with; they never enter .venv.
PEERS := skorch pytorch-lightning pillow

READY := .venv/ready
DEV_READY := .venv/ready-dev
BENCH_READY := .bench-venv/ready
# Other people's loops, around which watch is tested; trackers and clusters that danlu works with.
FRAMEWORKS := -e '.[cluster,track]' pytest hypothesis torchmetrics accelerate pytorch-ignite pytorch-lightning skorch transformers
FRAMEWORKS_READY := .frameworks-venv/ready
WITH_OTHERS := tests/watch/test_frameworks.py tests/ship/test_trackers.py tests/study/cluster/test_dask.py tests/study/cluster/test_ray.py tests/ship/test_given.py

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test test-slow test-frameworks wheel lint docs bench defaults study scores faults cures kills honesty attack claims exports clean

help:
	@echo "make demo    set up .venv and train LeNet-5 on handwritten digits      安装并训练第一个网络"
	@echo "make test    set up .venv and run the tests                            安装并运行测试"
	@echo "make test-slow  the tests that take long: every net with every data set, fuzzing, exports    运行耗时较长的测试"
	@echo "make test-frameworks  watch around Lightning, skorch, Ignite, Accelerate and transformers' Trainer; trackers; Dask and Ray    与其他训练框架、跟踪工具和集群一起测试"
	@echo "make wheel   build the wheel, install it into an empty environment elsewhere, and use it    构建 wheel，装入空环境并试用"
	@echo "make lint    ruff and pyright                                          检查代码风格与类型"
	@echo "make docs    write the pages that are made from the code: rules, recipe      由代码生成文档：诊断规则、配方"
	@echo "make bench   the benchmarks, side by side with other libraries         与其他库并排比较速度"
	@echo "make scores  train each net of the notes to the score asked of it      把课程笔记中的每种网络训练到要求的分数"
	@echo "make defaults  why the defaults are what they are, beside scikit-learn's   默认设置的来由，与 scikit-learn 的默认设置比较"
	@echo "make faults  planted faults and healthy trainings: what watch says of them  诊断是否准确：故障能否查出，健康的训练是否被误报"
	@echo "make cures   planted faults that a recipe can mend: does cure prove an improvement    能用配方修好的故障：cure 能否证明有效"
	@echo "make study   many trainings at once against one after another         同时训练多个模型，与逐个训练比较速度"
	@echo "make kills   kill trainings a thousand times, resume, compare bit for bit   杀掉训练一千次，逐位核对恢复的结果"
	@echo "make honesty how often verdicts are wrong, in simulated studies          模拟对比实验，检验结论出错的频率"
	@echo "make attack  hostile inputs, kills, flipped and cut files, full disks, races: what they do to danlu    恶意输入、强制终止、损坏的文件、磁盘写满、并发：逐项攻击并计数"
	@echo "make exports  every net in every form it is exported in: proved, how far apart, seconds, bytes    各种网络与导出格式：验证结果、误差、耗时、大小"
	@echo "make claims  test every claim of the notes: verdicts, the book, README's table      逐条检验笔记中的说法：结论、汇编、README 中的表"
	@echo "make clean   remove all of that again, but not your runs               清除以上产物，保留训练记录"

demo: $(READY)
	.venv/bin/danlu fit
	@echo
	@echo "To go on yourself:  . .venv/bin/activate   then  danlu"
	@echo "想自己动手：先运行  . .venv/bin/activate   再运行  danlu"

# Two at a time, a thread each: on two cores that is three times as fast as one with two threads. A file's tests stay
# together, since they share what it trains. Bytecode is kept even where the environment forbids it: or each of the many
# processes that tests start would compile danlu anew.
PYTEST := PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 .venv/bin/python -m pytest -n 2 --dist loadscope

test: $(DEV_READY)
	$(PYTEST) -m "not slow" $(ARGS)

test-slow: $(DEV_READY)
	$(PYTEST) -m slow $(ARGS)

test-frameworks: $(FRAMEWORKS_READY)
	OMP_NUM_THREADS=1 .frameworks-venv/bin/python -m pytest $(WITH_OTHERS) $(ARGS)

# In a place of its own, which is gone afterwards; build/ would hold modules that have been deleted since.
wheel:
	@set -e; rm -rf build; place=$$(mktemp -d); trap 'rm -rf "$$place" build' EXIT; \
	$(PYTHON) -m venv "$$place/env"; pip="$$place/env/bin/python -m pip --disable-pip-version-check --quiet"; \
	$$pip wheel --no-deps --wheel-dir "$$place" .; \
	$$pip install -c constraints.txt torch; \
	$$pip install -c constraints.txt "$$(echo "$$place"/danlu-*.whl)[draw,serve]"; \
	"$$place/env/bin/python" -I .ci/try_wheel.py . "$$place/env"

lint: $(DEV_READY)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/pyright --pythonpath .venv/bin/python

docs: $(DEV_READY)
	@set -e; for page in tests/*_page.py; do PYTHONPATH=tests .venv/bin/python "$$page"; done

bench: $(BENCH_READY)
	@set -e; for script in benchmarks/bench_*.py; do echo "$$script"; .bench-venv/bin/python "$$script" $(ARGS); done

scores: $(READY)
	.venv/bin/python benchmarks/scores.py --write $(ARGS)

defaults: $(READY)
	.venv/bin/python benchmarks/defaults.py --write $(ARGS)

faults: $(DEV_READY)
	PYTHONPATH=tests .venv/bin/python -m faults $(ARGS)

cures: $(DEV_READY)
	PYTHONPATH=tests .venv/bin/python benchmarks/cures.py --write $(ARGS)

study: $(BENCH_READY)
	.bench-venv/bin/python benchmarks/study.py $(ARGS)
	.bench-venv/bin/python benchmarks/study_costs.py

kills: $(READY)
	PYTHONPATH=tests .venv/bin/python benchmarks/kills.py --kills 500 --engine module $(ARGS)
	PYTHONPATH=tests .venv/bin/python benchmarks/kills.py --kills 500 --engine stacked $(ARGS)
	PYTHONPATH=tests .venv/bin/python benchmarks/kills.py --kills 100 --engine study $(ARGS)
	PYTHONPATH=tests .venv/bin/python benchmarks/kills.py --kills 100 --engine further $(ARGS)

honesty: $(READY)
	OMP_NUM_THREADS=1 PYTHONPATH=tests .venv/bin/python benchmarks/honesty.py --write $(ARGS)

attack: $(DEV_READY)
	OMP_NUM_THREADS=1 PYTHONPATH=tests .venv/bin/python -m attack --write $(ARGS)

# Half an hour; what is broken off goes on.
claims: $(DEV_READY)
	mkdir -p docs/claims
	OMP_NUM_THREADS=1 .venv/bin/danlu claims --all --book docs/claims/notes.html
	PYTHONPATH=tests .venv/bin/python tests/claims_page.py claims

exports: $(DEV_READY)
	PYTHONPATH=tests .venv/bin/python benchmarks/exports.py --write $(ARGS)

clean:
	rm -rf .venv .bench-venv .frameworks-venv build dist src/danlu.egg-info .pytest_cache .ruff_cache .hypothesis
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# $(1) the folder of the environment, $(2) what to install into it. torch comes first and shows its progress: it is by far
# the largest part. An environment that an interrupted set-up, or a Python since removed, left unusable is made anew.
define install
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is missing or older than Python 3.11; name another: make PYTHON=python3.12 ..."; exit 2; }
	@$(1)/bin/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(1)
	@echo "Installing into $(1): torch first, the largest part; the first time this takes minutes."
	@$(1)/bin/python -m pip install --disable-pip-version-check -c constraints.txt torch
	@echo "Installing into $(1): $(2)"
	@$(1)/bin/python -m pip install --disable-pip-version-check --quiet -c constraints.txt $(2)
endef

$(READY): pyproject.toml constraints.txt
	$(call install,.venv,$(WHOLE))
	@touch $@

$(DEV_READY): pyproject.toml constraints.txt
	$(call install,.venv,$(WHOLE_AND_TOOLS))
	@touch $(READY) $@

$(BENCH_READY): pyproject.toml constraints.txt
	$(call install,.bench-venv,-e '.[serve]' $(PEERS))
	@touch $@

$(FRAMEWORKS_READY): pyproject.toml constraints.txt
	$(call install,.frameworks-venv,$(FRAMEWORKS))
	@touch $@

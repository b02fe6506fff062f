# 文控 Wenkong. Everything a newcomer needs; `make` alone lists the targets.
.DEFAULT_GOAL := help
.PHONY: help demo test check tamper bench lock catalogs clean

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
LOCK := $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --no-emit-index-url --quiet

help: ## 列出可用的目标 (list the targets)
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'

$(VENV)/runtime.done: requirements/runtime.lock pyproject.toml
	@echo "正在安装(只在第一次需要,约一分钟) … installing, first time only"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/runtime.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.done: requirements/dev.lock $(VENV)/runtime.done
	@echo "正在安装检查工具 … installing the development tools"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	@touch $@

demo: $(VENV)/runtime.done ## 在 build/demo 里演示全过程 (run the main job on real input)
	@rm -rf build/demo build/demo-keys
	@$(BIN)/qms demo build/demo

test: $(VENV)/dev.done ## 运行全部测试 (run all tests)
	@$(BIN)/python -m pytest -n 2 --dist loadfile

check: $(VENV)/dev.done ## 规范、类型、分层、起步库和测试 (lint, types, layers, library, tests)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/qms form lint
	@$(BIN)/qms doc lint
	@$(BIN)/python -m pytest -n 2 --dist loadfile --cov=controller --cov-report=term:skip-covered

tamper: $(VENV)/dev.done ## 对工作区每个文件和对象逐一改动,看 verify 是否发现 (the whole tampering matrix, some minutes)
	@$(BIN)/python -m pytest -n 2 -m tamper tests/tampering

bench: $(VENV)/dev.done ## 与常规做法对比的速度 (speed against the plain stack; ARGS="--quick")
	@$(BIN)/python -m benchmarks $(ARGS)

lock: $(VENV)/dev.done ## 更新锁定的依赖 (renew the hash-locked dependencies)
	@$(LOCK) --upgrade pyproject.toml requirements/build.in -o requirements/runtime.lock
	@$(LOCK) --upgrade --extra dev pyproject.toml requirements/build.in -c requirements/runtime.lock -o requirements/dev.lock

catalogs: $(VENV)/dev.done ## 更新英文对照 (renew the message catalogs)
	@$(BIN)/python -m controller.cli.message_catalogs

clean: ## 删除生成的东西 (remove what was built)
	@rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis $(VENV)

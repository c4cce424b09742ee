# One command each. `make` alone lists them.

# With a ROS 2 distribution sourced, what colcon built is on the path; otherwise .venv holds everything.
ifdef ROS_DISTRO
RUN := . install/local_setup.sh && .venv/bin/
else
RUN := .venv/bin/
endif

# What needs Keras lives in an environment of its own.
KERAS_TESTS := test/training test/compression/test_keras_file.py test/benchmark/test_keras_runtime.py

.PHONY: help setup demo test lint soak benchmark ros train pin

help:
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' Makefile | expand -t 18

setup:  ## make this checkout ready: packages, ROS 2, messages, models, sample video
	@scripts/setup

demo: setup  ## the sample video through the node, shown here; results in demo/
	@$(RUN)lightfer demo

test: setup  ## every test but the long ones; those that score a network want FER2013_CSV=fer2013.csv.xz
	@$(RUN)python -m pytest
	@if [ -f .venv-train/.setup-packages ]; then .venv-train/bin/python -m pytest $(KERAS_TESTS); \
	else echo "not run: the tests that train (scripts/setup train makes .venv-train for them)"; fi

soak: setup  ## the long tests: an hour of images and more
	@# with the profile that launch files set: Fast DDS as installed stalls after 10,000 raw images (docs/fastdds.md)
	@export FASTRTPS_DEFAULT_PROFILES_FILE=$(CURDIR)/config/fastdds.xml; $(RUN)python -m pytest -m soak -s -o faulthandler_timeout=0

lint: setup  ## style and types
	@test -x .venv/bin/ruff || { echo "make lint: needs the .venv of a shell without a ROS 2 distribution" >&2; exit 1; }
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy

benchmark: setup  ## speed, latency and memory on this machine
	@$(RUN)lightfer benchmark

ros:  ## build the workspace with colcon, for the ROS 2 distribution that is sourced
	@test -n "$(ROS_DISTRO)" || { echo "make ros: source a ROS 2 distribution first" >&2; exit 1; }
	@scripts/setup
	@echo "built; now: source install/setup.bash && ros2 launch lightfer_ros nano.launch.py"

train:  ## train the network: make train ARGS="--recipe … --out …"
	@scripts/setup train
	@.venv-train/bin/python -m lightfer_ros.training $(ARGS)

pin:  ## write the lock files in requirements/ anew, from the .in files
	@scripts/pin

# Definitions run side by side under one -j: the `+` lets each penstock share make's
# jobs, so that all of them together never run more than make would.
# make -f pipelines/make/checks.mk -j4

SHELL = penstock-sh
.SHELLFLAGS = -t 10m -c
.DELETE_ON_ERROR:

HERE := $(dir $(lastword $(MAKEFILE_LIST)))
PARTS = one two three

.PHONY: all $(PARTS)
all: $(PARTS)

$(PARTS):
	+@penstock run --set part=$@ $(HERE)checks.yaml

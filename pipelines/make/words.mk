# The words of some texts, counted: each recipe line has a deadline, a pipeline fails
# with any of its commands, and nothing is left behind.
# make -f pipelines/make/words.mk TEXTS='README.md docs/*.md' OUT=/tmp/words

SHELL = penstock-sh
.SHELLFLAGS = -t 1m -ec
.DELETE_ON_ERROR:

TEXTS = README.md
OUT = .

$(OUT)/words.txt: $(wildcard $(TEXTS))
	@mkdir -p $(OUT)
	@cat $^ | tr -cs '[:alpha:]' '\n' | sort | uniq -c | sort -k 1,1nr -k 2,2 >$@
	@echo "$@: $$(head -n 3 $@ | tr -s ' \n' ' ')"

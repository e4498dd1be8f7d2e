from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from penstock.spec.quoting import UnquotableSlotError, fill_shell, quote
from penstock.spec.template import parse_template
from penstock.spec.words import RESERVED, split_words

BASH = shutil.which("bash")
SHELLS = [("/bin/sh",), *([(BASH, "--posix")] if BASH else [])]

HOSTILE = [
    "",
    " ",
    "a b",
    "'",
    '"',
    "\\",
    "a\\",
    "it's; touch HACKED",
    "$(touch HACKED)",
    "`touch HACKED`",
    "'; touch HACKED; '",
    '"; touch HACKED; "',
    "' $(touch HACKED) '",
    '" $(touch HACKED) "',
    "\n touch HACKED #",
    "*",
    "~",
    "$HOME",
    "${HOME}",
    "a[$(touch HACKED)]",
    "#",
    "-n",
    "!",
    "é\u2028\xa0",
    "{a,b}",
    "&& touch HACKED",
    ">HACKED",
    "\t\r\x01\x7f",
    "\udcff",
]

# Each prints the value and nothing else, in a shell that takes it for a value.
PLACES = [
    "printf %s {{x}}",
    "printf %s '{{x}}'",
    'printf %s "{{x}}"',
    "printf %s ''{{x}}''",
    'printf %s "$(printf %s {{x}})"',
    'printf %s "$(printf %s "{{x}}")"',
    "printf %s \"$(printf %s '{{x}}')\"",
    'printf %s "$(: $( (:) ); printf %s {{x}})"',
    'a={{x}}; printf %s "$a"',
    'a="{{x}}" && printf %s "$a"',
    'e=; printf %s "$e{{x}}"',
    "e=; printf %s $e{{x}}",
    'e=; printf %s "${e}{{x}}"',
    "printf %s \\\n {{x}}",
    "# it's {{x}}\nprintf %s {{x}}",
    ": a#'' # it's\nprintf %s {{x}}",
    "case y in y) printf %s {{x}};; esac",
    "(printf %s {{x}})",
    "if :; then { printf %s {{x}}; }; fi",
    'f() { printf %s "$1"; }; f {{x}}',
    'for i in {{x}}; do printf %s "$i"; done',
    "awk 'BEGIN {printf \"\"}'; printf %s {{x}}",
]

REFUSED = [
    "cat <<EOF\n{{x}}\nEOF",
    "echo `echo {{x}}`",
    "echo $(({{x}} + 1))",
    "echo $[ {{x}} ]",
    "(( {{x}} ))",
    "echo ${a:-{{x}}}",
    "echo ${{{x}}}",
    "echo ${a",
    "echo ${{x}}",
    'echo "${{x}}"',
    "echo \\{{x}}",
    'echo "\\{{x}}"',
    "echo $'{{x}}'",
    "echo a\\\n{{x}}",
    'echo "$(case a in a) echo {{x}};; esac)"',
    "[[ {{x}} -eq 1 ]]",
    "a[{{x}}]=1",
    "a[ {{x}} ]=1",
    "a=([{{x}}]=1)",
    "a+=( b [{{x}}]=1)",
    "declare -a a=([{{x}}]=1)",
]


def run(shell, script, tmp_path):
    done = subprocess.run(
        [*shell, "-c", script], cwd=tmp_path, capture_output=True, check=False
    )
    assert not (tmp_path / "HACKED").exists(), script
    return done


def filled(text, value):
    return fill_shell(parse_template(text), {"x": value})


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("place", PLACES)
def test_a_hostile_value_stays_a_value_in_every_place(place, shell, tmp_path):
    for value in HOSTILE:
        done = run(shell, filled(place, value), tmp_path)
        if not place.startswith('printf %s "$('):  # a substitution drops newlines
            assert done.stdout == value.encode("utf-8", "surrogateescape")
        assert done.stderr == b""


@pytest.mark.parametrize("place", REFUSED)
def test_a_place_where_no_quoting_is_safe_is_refused(place):
    with pytest.raises(UnquotableSlotError) as error:
        filled(place + " {{x}}" * ("{{x}}" not in place), "v")
    assert error.value.slot.name == "x"


@pytest.mark.parametrize(
    ("text", "value", "result"),
    [
        ("head -n {{x}}", "10", "head -n 10"),
        ("cat {{x}}.gz", "a/b-1", "cat a/b-1.gz"),
        ("sort --key={{x}}", "2", "sort --key=2"),
        ("echo {{x}}>f", "2", "echo '2'>f"),
        ("{{x}} a", "if", "'if' a"),
        ("i{{x}} a", "f", "i'f' a"),
        ("{{x}}=1", "A", "'A'=1"),
        ("{{x}}() { :; }", "f", "'f'() { :; }"),
        ("echo ~{{x}}", "root", "echo ~'root'"),
        ("echo {a{{x}}}", ",b", "echo {a',b'}"),
        ("echo {{x}}{{x}}", "1", "echo '1''1'"),
        ("ls data[0-9]{{x}}", "a", "ls data[0-9]'a'"),
        ("ls [{{x}}]*", "a-z", "ls ['a-z']*"),
        ("echo '{{x}}", "1", "echo '1"),
        ("echo # {{x}}", "1", "echo # {{x}}"),
        ("awk '{print ${{x}}}'", "7", "awk '{print $7}'"),
        ("{{raw x}}", "a | b", "a | b"),
        ("{{raw x}}{{x}}'", "'", "''\"'\"''"),
    ],
)
def test_a_value_is_bare_only_where_it_means_the_same(text, value, result):
    assert filled(text, value) == result


def test_a_quoted_word_still_needs_no_shell():
    assert split_words(filled("cat {{x}}", "it's")) == ("cat", "it's")


@pytest.mark.parametrize("word", ["a b", "it's", "", "$x", "a.b"])
def test_quote_makes_one_word(word, tmp_path):
    assert run(SHELLS[0], f"printf %s {quote(word)}", tmp_path).stdout == word.encode()


def test_a_reserved_word_is_never_made_of_a_value():
    for word in RESERVED:
        for cut in range(len(word)):
            text = f"{word[:cut]}{{{{x}}}}"
            if parse_template(text)[-1:] and "{{{" not in text:
                assert filled(text, word[cut:]) != word


FRAGMENTS = ["'", '"', " ", "$(printf %s ", ")", "\\", "#", "\n", "\\\n", "a", "$y"]
FRAGMENTS += ["${y}", "$", "{{x}}", "{{x}}", "{{x}}", "=", "[", "]", ";", "(", "{", "}"]
FRAGMENTS += ["2", "<", "<<", "`", "case ", "in ", "| cat -- ", "~", ",", "!", "if "]


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=12), st.sampled_from(HOSTILE))
def test_in_any_text_a_value_is_what_a_plain_word_is(fragments, value):
    """What the shell makes of a hostile value is what it makes of a tame word."""
    # Without splitting and globbing: whoever writes $(...) bare has asked for these.
    text = "set -f; IFS=; y=Y; printf '<%s>' " + "".join(fragments)
    # A PID differs anyway; and shells differ in what a backslash at the end means.
    assume("{{x}}" in text and "$$" not in text and text[-1] != "\\")
    try:
        tame, hostile = filled(text, "Qz7"), filled(text, value)
    except UnquotableSlotError:
        return
    for shell in SHELLS:
        expected, found = (
            subprocess.run([*shell, "-c", script], capture_output=True, check=False)
            for script in (tame, hostile)
        )
        if b"yntax" in expected.stderr or "{{x}}" in tame:
            continue
        # Only what is printed: a message about a missing command shows the value.
        value_bytes = value.encode("utf-8", "surrogateescape")
        assert found.stdout == expected.stdout.replace(b"Qz7", value_bytes), hostile

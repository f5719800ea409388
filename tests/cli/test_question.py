"""A login by a pattern: the server's grid on the terminal, and what is typed below it."""
import json
import subprocess
import time

import pytest

from lab.command import STEPS, UP, failed

QUESTION = "What stands on your cells, or your password:"
DRAWN = """\
Grid {number}

    3 1 4 1    5 9 2 6    5 3 5 8
    9 7 9 3    2 3 8 4    6 2 6 4
    3 8 3 2    7 9 5 0    2 8 8 4
    1 9 7 1    6 9 3 9    9 3 7 5

""" + QUESTION + " "
GRID = {"blocks": 3, "rows": 4, "columns": 4, "cells": "3141979338321971" "5926238479506939" "5358626428849375"}
LOGIN = 'server = "vpn.example.net"\nuser = alice\npsk = k\n'


def asks(number, tries=1):
    return {"type": "prompt", "at": 1300, "stage": "prompt", "sentence": "the server asks the user", "detail": QUESTION,
            "round": tries, "grid": {**GRID, "number": str(number)}}


def drawn(number):
    return DRAWN.format(number=number).replace("\n", "\r\n")


def test_a_wrong_answer_brings_another_grid_and_the_right_one_opens(command):
    command.profile(text=LOGIN)
    command.script(STEPS[0], asks(47), asks(11, 2), UP, stays=True)
    seen = command.terminal("connect", "office", "--grid")
    seen.expect(drawn(47))
    assert "That was not right." not in seen.shown
    seen.type("00000000\n")
    seen.expect("That was not right.\r\n\r\n" + drawn(11))
    seen.type("38322869\n")
    assert seen.wait() == 0
    assert command.answers == ["00000000", "38322869"]
    assert "00000000" not in seen.shown and "38322869" not in seen.shown
    assert "Disconnect with: sekisho disconnect office" in seen.screen


def test_the_option_is_two_keys_of_the_profile_and_no_password_is_wanted(command):
    command.profile(text=LOGIN)
    command.script(STEPS[0], UP, stays=True)
    seen = command.terminal("connect", "office", "--grid")
    assert seen.wait() == 0
    assert "Password" not in seen.shown
    assert 'ppp {\n    methods = { "eap-gtc" }\n    answer_prompts = off\n}\n' in command.started["profile"]


def test_a_profile_with_it_needs_no_option_and_no_password_either(command):
    seen = command.terminal("profile", "add", "office", "--server", "vpn.example.net", "--user", "alice", "--grid")
    seen.expect("Pre-shared key (Enter: ask each time): ")
    seen.type("four winds\n")
    assert seen.wait() == 0
    assert "Password" not in seen.shown
    command.script(STEPS[0], asks(47), UP, stays=True)
    seen = command.terminal("connect", "office")
    seen.expect(drawn(47))
    seen.type("38322869\n")
    assert seen.wait() == 0
    assert command.answers == ["38322869"]


def test_ctrl_c_at_the_question_ends_the_attempt_and_undoes_it(command):
    command.profile(text=LOGIN)
    command.script(STEPS[0], asks(47))
    seen = command.terminal("connect", "office", "--grid")
    seen.expect(drawn(47))
    seen.type("3832\x03")
    assert seen.wait() == 22
    assert command.disconnected and command.answers == []
    assert "Interrupted; what was begun is undone." in seen.screen
    assert "3832" not in seen.screen.split(QUESTION)[1]


def test_without_a_terminal_one_sentence_says_so(command):
    command.profile(text=LOGIN)
    command.script(STEPS[0], asks(47), stays=True)
    status, out, err = command.run("connect", "office", "--grid", stdin="38322869\n")
    assert (status, err) == (2, f'The server asks "{QUESTION}", and there is no terminal to answer at.\n')
    assert "Grid" not in out
    assert command.disconnected and command.answers == []


def test_a_program_gets_the_grid_and_may_answer_itself(command):
    command.profile(text=LOGIN)
    command.script(STEPS[0], asks(47), UP, stays=True)
    running = command.start("connect", "office", "--grid", "--json", start_new_session=True)
    lines = [json.loads(running.stdout.readline())["progress"] for _ in range(2)]
    assert lines[1]["type"] == "prompt" and lines[1]["grid"]["cells"] == GRID["cells"] and lines[1]["detail"] == QUESTION
    command.ask("client.answer", answer="38322869")
    assert running.wait(20) == 0
    assert command.answers == ["38322869"]


def test_three_wrong_answers_end_the_login(command):
    command.profile(text=LOGIN)
    command.script(STEPS[0], asks(47), asks(11, 2), asks(12, 3), failed("auth-refused"))
    seen = command.terminal("connect", "office", "--grid")
    for number in (47, 11, 12):
        seen.expect(drawn(number))
        seen.type(f"{number}\n")
    assert seen.wait() == 16
    assert command.answers == ["47", "11", "12"]


def test_who_comes_later_sees_the_open_question_alone(command):
    command.profile(text=LOGIN)
    command.script(STEPS[0], asks(47), asks(11, 2), UP, stays=True)
    first = command.terminal("connect", "office", "--grid")
    first.expect(drawn(47))
    first.type("00000000\n")
    first.expect(drawn(11))
    second = command.terminal("connect", "office")
    second.expect("office is being connected already.")
    second.expect(drawn(11))
    assert drawn(47) not in second.shown
    second.type("38322869\n")
    assert second.wait() == 0
    first.type("\x03")
    first.wait()

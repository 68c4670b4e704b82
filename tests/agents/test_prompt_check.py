"""A prompt that is wrong is told before anything is run, in a sentence."""

import time

import pytest

from optagent.agents.prompt_check import check
from optagent.agents.prompts import Prompts, fenced, our_folder
from optagent.cli.run import models
from optagent.cli.settings.run_settings import RunSettings
from optagent.errors import BadPrompt, BadSetting


def test_our_own_prompts_pass():
    check(Prompts((our_folder(),)))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("coder_task.md", "{{ brief.listing.functoin }}"),
        ("coder_task.md", "{% if brief.mode == 'repair' %}{{ brief.originel }}{% endif %}"),
        ("judge_task.md", "{% for one in brief.standing.hints %}{{ oen }}{% endfor %}"),
        ("judge_task.md", "{% if %}"),
        ("coder_task.md", "{{ 1 / 0 }}"),
        ("coder_task.md", "{{ brief.facts | int | join }}"),
        ("coder_system.md", "{% include 'coder_task.md' %}"),
        ("coder_again.md", "{{ complain }}"),
    ],
)
def test_a_template_that_fails_on_some_kind_of_brief_is_a_bad_prompt(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(BadPrompt, match=name):
        check(Prompts((tmp_path, our_folder())))


def test_a_prompt_that_is_no_text_is_a_bad_prompt(tmp_path):
    (tmp_path / "judge_system.md").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadPrompt, match="judge_system"):
        check(Prompts((tmp_path, our_folder())))


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_a_folder_without_any_prompt_is_refused_instead_of_using_ours_in_silence(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadSetting, match="holds no prompts"):
        models.check(RunSettings(str(tmp_path), "f", model="m", price="1,2", prompts=str(tmp_path / name)))


def test_a_text_full_of_marks_is_fenced_without_reading_it_once_for_each():
    began = time.process_time()
    shown = fenced("\n".join(f"</data-{k}>" for k in range(1, 20_001)))
    assert shown.startswith("<data-20001>\n")
    assert time.process_time() - began < 2

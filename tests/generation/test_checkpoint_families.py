"""Names of checkpoints: real ones of each family, their order, steps and tokens."""

from __future__ import annotations

import random

import pytest
from pydantic import ValidationError

from gainsift.generation.checkpoint_families import FAMILIES, family_of, in_training_order, table_of
from gainsift.schemas.errors import UserError
from gainsift.schemas.model import FamilySpec

TABLE = table_of()
# names of branches as the repositories have them
OLMO = ["main", "stage1-step1000-tokens5B", "stage1-step150-tokens1B", "stage1-step928646-tokens3896B",
        "stage2-ingredient1-step11931-tokens50B", "step600-tokens3B", "stage1-step9000-tokens38B"]  # fmt: skip
APERTUS = ["main", "step50000-tokens210B", "step2627139-tokens15000B", "step100000-tokens420B-longctx"]
BLOOM = ["global_step1000", "global_step100000", "global_step10000", "main"]
PYTHIA = ["step0", "step1", "step512", "step143000", "step16", "main"]
SECOND = "second_phase_annealing_more_multilingual_fw"
EUROLLM = [
    f"{SECOND}/iter_0004000",
    "train_annealing_megatronlm/iter_0008000",
    "train_annealing_megatronlm/iter_0004000",
]
PLAIN = ["checkpoint-500", "checkpoint-1500", "run/checkpoint-1000", "final", "logs"]


@pytest.mark.parametrize(
    ("names", "repo", "family"),
    [(OLMO, "allenai/OLMo-2-1124-7B", "olmo-2"), (APERTUS, "swiss-ai/Apertus-8B-2509", "apertus"),
     (BLOOM, "bigscience/bloom-560m-intermediate", "bloom"), (PYTHIA, "EleutherAI/pythia-160m", "pythia"),
     (PYTHIA, "somebody/else", "plain"), (EUROLLM, "", "eurollm"), (PLAIN, "", "plain"), ([], "", "plain")],
)  # fmt: skip
def test_a_family_is_recognised_by_its_names(names: list[str], repo: str, family: str) -> None:
    assert family_of(names, repo, TABLE).name == family


def test_every_example_is_one() -> None:
    for family in FAMILIES:
        found, others = in_training_order([family.example], family)
        assert (len(found), others) == (1, [])


def test_olmo_leaves_the_second_stage_and_unstaged_names_out() -> None:
    found, others = in_training_order(OLMO, TABLE["olmo-2"])
    assert [(one.step, one.tokens) for one in found] == [
        (150, 10**9), (1000, 5 * 10**9), (9000, 38 * 10**9), (928646, 3896 * 10**9),
    ]  # fmt: skip
    assert others == ["main", "stage2-ingredient1-step11931-tokens50B", "step600-tokens3B"]


def test_steps_are_numbers_not_text() -> None:
    found, _ = in_training_order(BLOOM, TABLE["bloom"])
    assert [one.name for one in found] == ["global_step1000", "global_step10000", "global_step100000"]
    assert {one.tokens for one in found} == {0}


def test_tokens_from_steps_where_the_names_tell_none() -> None:
    """Pythia: 2,097,152 tokens a step, 299.9 B at its end."""
    found, _ = in_training_order(PYTHIA, TABLE["pythia"])
    assert [one.step for one in found] == [0, 1, 16, 512, 143000]
    assert found[-1].tokens == 299_892_736_000


def test_a_second_phase_goes_on_where_the_first_ended() -> None:
    found, _ = in_training_order(EUROLLM, TABLE["eurollm"])
    assert [(one.phase, one.step) for one in found] == [(1, 4000), (1, 8000), (2, 12000)]
    assert [one.tokens for one in found] == [step * 3072 * 4096 for step in (4000, 8000, 12000)]
    assert found[0].label == "train_annealing_megatronlm-iter_0004000"


def test_the_order_of_the_names_does_not_matter() -> None:
    for names, family in ((OLMO, "olmo-2"), (EUROLLM, "eurollm"), (PLAIN, "plain")):
        shuffled = random.Random(1).sample(names, len(names))
        assert in_training_order(shuffled, TABLE[family]) == in_training_order(names, TABLE[family])


def test_two_checkpoints_of_one_step_have_no_order() -> None:
    with pytest.raises(UserError, match=r"a/step5 and b/step5 are both step 5; add a row to model\.families"):
        in_training_order(["a/step5", "b/step5", "a/step6"], TABLE["plain"])


def test_a_row_of_the_user_comes_first_and_may_replace_one() -> None:
    own = FamilySpec(name="ours", pattern=r"ckpt_(?P<tokens>\d+)M_(?P<step>\d+)", tokens_unit=10**6)
    names = ["ckpt_20M_40", "ckpt_10M_20", "step5"]
    family = family_of(names, "", table_of([own]))
    found, _ = in_training_order(names, family)
    assert [(one.step, one.tokens) for one in found] == [(20, 10**7), (40, 2 * 10**7)]
    mine = FamilySpec(name="bloom", pattern=r"b(?P<step>\d+)")
    assert table_of([mine])["bloom"] == mine
    with pytest.raises(UserError, match="did you mean pythia"):
        family_of(names, "", TABLE, "pithia")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"pattern": "step(\\d+)"}, "needs the group"),
        ({"pattern": "(?P<step>\\d+)(?P<colour>x)"}, "needs the group"),
        ({"pattern": "(?P<step>\\d+"}, "not a regular expression"),
        ({"pattern": "(?P<phase>a|b)(?P<step>\\d+)"}, "go together"),
        ({"pattern": "(?P<step>\\d+)", "phases": ["a"]}, "go together"),
        ({"pattern": "(?P<step>\\d+)", "example": "x"}, "does not match the example"),
    ],
)
def test_a_row_that_cannot_work_is_refused(row: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        FamilySpec.model_validate({"name": "x", **row})

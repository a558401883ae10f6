"""The join by kinds of outputs, against a join of every single row, and what it refuses."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gainsift.analysis.inclusion import Inclusion
from gainsift.analysis.judged import join, judge
from gainsift.analysis.judgements import gather
from gainsift.analysis.linked_outputs import masses_of
from gainsift.analysis.mass import mean_mass
from gainsift.analysis.verdict_rules import METHODS
from gainsift.analysis.verdicts import verdict
from gainsift.schemas.errors import UserError
from gainsift.schemas.families import word_families
from gainsift.schemas.study import OTHER_PAIR, Study
from gainsift.schemas.success import succeeds

LABELS = ["correct", "plain_copy", "other_sense", "other_concept", "unrelated", "unsure"]


@pytest.fixture
def drawn(make_study: Callable[..., Any], plain_concept: Callable[..., Any]) -> Study:
    """Random answers at three checkpoints, unpatched and two layers, some rows without link, a pair not named."""
    rng = random.Random(5)
    maker = make_study(contrasts=[{"name": "x", "from": {"checkpoint": "c1"}, "to": {"checkpoint": "c3"}}])
    shown = {}
    for number in range(12):
        maker.pair(f"P{number}", plain_concept(f"s{number % 7}"), plain_concept(f"t{number}"))
        chance = Fraction(1, 2)
        for out in ("de", "fr", "en"):
            pair = ("en", out) if out != "en" else ("de", "en")
            is_drawn = rng.random() < 0.5
            for checkpoint in ("c1", "c2", "c3"):
                for setting, layer in (("unpatched", None), ("tgt", 0), ("tgt", 2)):
                    answer = rng.choice([f"{out}_s{number % 7}", f"en_s{number % 7}", "x", " x", "y"])
                    closed = rng.random() < 0.9
                    linked = out != "en" and (setting != "unpatched" or rng.random() < 0.7)
                    item = maker.row(f"P{number}", pair, checkpoint, answer, setting, layer, closed=closed,
                                     linked=linked, probability=chance, drawn=is_drawn)  # fmt: skip
                    if linked and is_drawn:
                        shown[item.item_id] = item
    for item in shown.values():
        labels = LABELS if rng.random() < 0.9 else ["unsure"]
        for who in ("a1", "a2", "a3"):
            if rng.random() < 0.8:
                maker.vote(item, who, rng.choice(labels))
    study: Study = maker.write()
    return study


def judged(study: Study, rule: str | None = None) -> Any:
    items = study.items()
    keys = {item.content_key for item in items}
    lines = gather(study.annotations(), keys, study.id, study.taxonomy, study.concepts, "annotations.jsonl")
    return judge(study, items, lines, rule), lines, items


def test_every_row_has_what_it_would_have_alone(drawn: Study) -> None:
    found, lines, items = judged(drawn, "adjudicated")
    outputs = drawn.translations().to_pandas()
    links = drawn.links().to_pandas()
    named = outputs[outputs["input_language"] == "en"]
    linked = named["row_id"].isin(links["row_id"])
    asked = (named["setting"] == "unpatched") & named["checkpoint"].isin(["c1", "c3"])
    kept = named[linked | asked].merge(links[["row_id", "item_id"]], on="row_id", how="left")
    assert (~asked & ~linked).any()
    assert (asked & ~linked).any()
    frame = found.frame
    assert frame["row_id"].tolist() == kept["row_id"].tolist()
    assert found.left_out == Counter({OTHER_PAIR: 12 * 9})
    for name in ("checkpoint", "step", "tokens", "setting", "prompt", "input_language", "output_language", "pair_id",
                 "other_concept", "shown_word", "answer", "closed"):  # fmt: skip
        assert frame[name].tolist() == kept[name].tolist(), name
    assert frame["concept"].tolist() == kept["intended_concept"].tolist()
    for name in ("item_id", "layer"):
        assert frame[name].astype(object).where(frame[name].notna(), None).tolist() == kept[name].astype(
            object
        ).where(kept[name].notna(), None).tolist()  # fmt: skip
    inclusion = Inclusion.of(links, "links")
    families = word_families(drawn.concepts.values())
    by_id = {item.item_id: item for item in items}
    for row in frame.to_dict("records"):
        references = drawn.concepts[row["concept"]].reference[row["output_language"]]
        rule = drawn.config.success
        assert row["success"] == succeeds(row["answer"], row["closed"], references, row["output_language"], rule)
        assert row["family"] == families[row["concept"]]
        assert row["unit"] == f"{row['pair_id']}|{row['input_language']}|{row['output_language']}"
        assert row["patched"] == (row["setting"] != "unpatched")
        assert row["selected"] == (row["item_id"] in inclusion.selected)
        item = by_id.get(row["item_id"])
        if not row["selected"] or item is None:
            assert row["label"] is None
            assert row["undecided"] == "unjudged"
            continue
        assert row["probability"] == inclusion.probability([row["item_id"]])
        said = verdict(lines.votes.get(item.content_key, {}).values(), None, drawn.taxonomy)
        assert (row["label"], row["undecided"]) == (said.label, said.reason)
        if said.label:
            kind = drawn.taxonomy.category(said.label).kind_on(row["patched"])
            assert (row["kind"], row["correct"]) == (kind, float(kind == "correct"))
    assert frame["label"].nunique() > 3
    assert set(frame["undecided"]) == {"", "tie", "missing", "unjudged"}


def test_a_distribution_is_fanned_out_to_every_row(drawn: Study) -> None:
    """Soft labels: the rows of an output are the shares of its item's votes, and its masses add up to one."""
    found, lines, items = judged(drawn, "soft")
    plain, _, _ = judged(drawn)
    frame = found.frame
    assert frame["row_id"].drop_duplicates().tolist() == plain.frame["row_id"].tolist()
    assert len(frame) > len(plain.frame)
    by_id = {item.item_id: item for item in items}
    for _, rows in frame.groupby("row_id", sort=False):
        assert rows["mass"].sum() == pytest.approx(1)
        item = by_id.get(rows["item_id"].iloc[0])
        votes = lines.votes.get(item.content_key, {}) if item else {}
        counts = Counter(str(line.label) for line in votes.values() if line.label != "unsure")
        if counts:
            assert dict(zip(rows["verdict"], rows["mass"], strict=True)) == pytest.approx(
                {label: count / counts.total() for label, count in counts.items()}
            )


def again(path: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    table = pq.read_table(path)
    pq.write_table(change(table).replace_schema_metadata(table.schema.metadata), path)


def test_files_that_do_not_fit_are_refused(drawn: Study) -> None:
    whole = drawn.links_file.read_bytes()
    file = drawn.translations_folder / "c1.parquet"
    rows = file.read_bytes()
    linked = set(drawn.links()["row_id"].to_pylist())

    def message() -> str:
        with pytest.raises(UserError) as caught:
            judged(drawn)
        return str(caught.value)

    first = drawn.links()["row_id"][0].as_py()
    again(drawn.links_file, lambda table: pa.concat_tables([table, table.slice(0, 1)]))
    assert f"links.parquet: row {first} stands twice" in message()
    drawn.links_file.write_bytes(whole)
    for is_linked in (True, False):
        ids = pd.Series(pq.read_table(file)["row_id"].to_pylist())
        asked = pd.Series(pq.read_table(file).column("setting").to_pylist()) == "unpatched"
        named = pd.Series(pq.read_table(file).column("input_language").to_pylist()) == "en"
        place = int(ids[(ids.isin(linked) == is_linked) & asked & named].index[0])
        twice = ids[place]
        again(file, lambda table, place=place: pa.concat_tables([table, table.slice(place, 1)]))
        assert f"translations: row {twice} stands twice" in message()
        file.write_bytes(rows)
    again(file, lambda table: table.slice(0, 0))
    lost = len(set(pq.read_table(pa.BufferReader(rows))["row_id"].to_pylist()) & linked)
    assert f"links.parquet: {lost} rows are not in" in message()
    file.write_bytes(rows)
    assert judged(drawn)[0].frame["row_id"].is_unique


def test_the_benchmark_compares_what_is_equal(tmp_path: Path, benchmark: Callable[[str], ModuleType]) -> None:
    """Its plain pandas loop asserts that it finds our shares and gains on the smallest made-up study."""
    script = benchmark("analysis")
    script.make_study(tmp_path / "study", 10_000)
    found = script.analyse(tmp_path / "study", 2)
    assert (found["rows"], found["conditions"]) == (10_000, 50)
    assert found["times_loop"] > 0


def test_rules_that_share_a_join_say_what_each_says_alone(drawn: Study) -> None:
    _, lines, items = judged(drawn)
    joined = join(drawn, items, lines)
    together = {rule: joined.judged(rule).frame for rule in METHODS}
    for rule, frame in together.items():
        pd.testing.assert_frame_equal(frame, judge(drawn, items, lines, rule).frame)
    assert len(together["soft"]) > len(together["adjudicated"])


def test_mean_mass_is_that_of_all_files_together(drawn: Study) -> None:
    assert len(drawn.translation_files()) > 1
    outputs = drawn.translations().to_pandas()
    named = outputs[outputs["input_language"] == "en"]
    keys = ["checkpoint", "setting", "prompt", "layer"]
    expected = named.groupby(keys, dropna=False)["p_source"].agg(["mean", "size"]).sort_values(keys)
    found = mean_mass(drawn)
    assert found["mass"].tolist() == pytest.approx(expected["mean"].tolist())
    assert found["rows"].tolist() == expected["size"].tolist()


def test_masses_of_some_outputs(drawn: Study) -> None:
    outputs = drawn.translations().to_pandas().set_index("row_id")
    some = pd.Series(outputs.index[::7])
    found = masses_of(drawn, some)
    pd.testing.assert_frame_equal(found.loc[some], outputs.loc[some, ["p_source", "p_target"]], check_names=False)

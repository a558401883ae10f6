"""Push against a real Label Studio."""

from __future__ import annotations

from gainsift.annotation.push import push


def test_pushed_twice_each_task_is_there_once_and_in_order(label_studio, api, study_of, item, look) -> None:
    items = [item(f"Hund{number}") for number in range(7)]
    study = study_of({"ann": items, "ben": items[::-1]})
    first = push(study, label_studio)
    assert [(one.annotator, one.made, one.sent) for one in first.projects] == [("ann", "new", 7), ("ben", "new", 7)]
    second = push(study, label_studio)
    assert [(one.made, one.there, one.sent, one.removed) for one in second.projects] == [("as it was", 7, 0, 0)] * 2
    seen = look(api, study)
    for name in ("ann", "ben"):
        planned = [line.uid for line in study.assignments() if line.annotator == name]
        assert seen.order(name) == planned

"""Links in the documentation lead somewhere."""

import pytest

from tests.docs.reading import DOCS, ROOT, anchors, links


@pytest.mark.parametrize("document", DOCS, ids=lambda path: path.name)
def test_every_relative_link_leads_to_a_file_and_a_heading_of_it(document):
    for target in links(document.read_text("utf-8")):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        found = (document.parent / path).resolve() if path else document
        assert found.exists(), f"{document.name}: {target}"
        assert ROOT in found.parents, f"{document.name}: {target} leads out of the project"
        assert not anchor or anchor in anchors(found.read_text("utf-8")), (
            f"{document.name}: {target}"
        )


def test_the_readme_leads_to_every_document():
    told = links((ROOT / "README.md").read_text("utf-8"))
    beside = {str(path.relative_to(ROOT)) for path in DOCS} - {"README.md"}
    assert beside <= {target.partition("#")[0] for target in told}

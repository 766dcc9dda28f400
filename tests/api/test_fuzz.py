"""What the OpenAPI document says is what the API does, whatever it is sent."""

from tests.api.conftest import serving
from tests.api.fuzzing import SHORT, fuzz, settings_of
from tests.flow.cli_process import running_sandbox


async def test_every_route_keeps_to_its_document_whatever_it_is_sent(dsn: str) -> None:
    with running_sandbox(companies=20) as sandbox:
        async with serving(settings_of(dsn, sandbox)) as service:
            document = (await service.stranger.get("/openapi.json")).body
            fuzzed = await fuzz(service, dsn, 1, SHORT)
    assert fuzzed.code == 0, fuzzed.told
    methods = ("get", "put", "post", "patch", "delete")
    routes = {
        f"{method.upper()} {path}"
        for path, item in document["paths"].items()
        for method in item
        if method in methods
    }
    assert len(routes) > 70
    assert routes <= fuzzed.operations
    # Most pass the gate, and many are done: else only its refusals would have been seen.
    assert fuzzed.statuses[401] < fuzzed.statuses.total() / 2
    assert fuzzed.statuses[200] > len(routes) / 3

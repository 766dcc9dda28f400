"""Vendors of addresses and people: their documented shapes, their odd refusals, and what they bill."""

HUNTER = {"X-API-KEY": "sandbox-test"}


async def bills(sandbox):
    return await sandbox.control("GET", "billing")


async def test_hunter_bills_a_verification_half_a_credit_and_the_same_question_once(
    sandbox, known_people
):
    email = {"email": known_people[0].email}
    for _ in range(4):
        async with sandbox.request(
            "GET", "api.hunter.io", "/v2/email-verifier", headers=HUNTER, params=email
        ) as response:
            assert response.status in {200, 202, 222}
    [bill] = await bills(sandbox)
    assert (bill["credits"], bill["micros"]) == (0.5, 12_250)
    await sandbox.control("POST", "reset")
    assert await bills(sandbox) == []


async def test_hunter_says_rate_limit_by_403_and_empty_account_by_429(sandbox):
    limit = [{"vendor": "hunter", "calls": 0, "window_s": 60}]
    await sandbox.control("POST", "limits", json=limit[0])
    status, told = await sandbox.json(
        "GET", "api.hunter.io", "/v2/companies/find", headers=HUNTER, params={"domain": "a.com"}
    )
    assert (status, told["errors"][0]["code"]) == (403, 403)
    spent = {"X-API-KEY": "sandbox-spent-1"}
    status, _ = await sandbox.json("GET", "api.hunter.io", "/v2/companies/find", headers=spent)
    assert status == 429


async def test_hunter_does_not_speak_of_who_objected(sandbox):
    seen = set()
    for company in sandbox.world.companies():
        for person in sandbox.world.people_of(company):
            where = {"linkedin_handle": person.slug}
            async with sandbox.request(
                "GET", "api.hunter.io", "/v2/people/find", headers=HUNTER, params=where
            ) as response:
                seen.add(response.status)
        if 451 in seen:
            break
    assert seen == {200, 404, 451}


async def test_people_data_labs_says_in_a_header_what_it_billed_and_repeats_each_rows_number(
    sandbox,
):
    people = [sandbox.world.people_of(company)[0] for company in sandbox.world.companies()][:30]
    requests = [
        {"metadata": {"row": row}, "params": {"profile": person.linkedin_url}}
        for row, person in enumerate(people)
    ]
    async with sandbox.request(
        "POST",
        "api.peopledatalabs.com",
        "/v5/person/bulk",
        headers={"X-Api-Key": "sandbox-test"},
        json={"requests": requests},
    ) as response:
        rows = await response.json()
        spent = int(response.headers["x-call-credits-spent"])
    assert [row["metadata"]["row"] for row in rows] == list(range(30))
    assert {row["status"] for row in rows} == {200, 404}
    assert spent == len(await bills(sandbox)) == sum(row["status"] == 200 for row in rows)
    named = [row["data"]["full_name"] for row in rows if row["status"] == 200]
    assert all(name == name.lower() for name in named)


async def test_people_data_labs_takes_a_hundred_and_no_more(sandbox):
    requests = [{"params": {"email": f"{n}@x.com"}} for n in range(101)]
    status, told = await sandbox.json(
        "POST",
        "api.peopledatalabs.com",
        "/v5/person/bulk",
        headers={"X-Api-Key": "sandbox-test"},
        json={"requests": requests},
    )
    assert (status, told["error"]["type"]) == (400, "invalid_request_error")


async def test_zerobounce_bills_no_unknown_and_no_sample_address(sandbox):
    emails = ["valid@example.com", "unknown@example.com", "ada@mailinator.com"]
    body = {
        "api_key": "sandbox-test",
        "email_batch": [{"email_address": email, "ip_address": ""} for email in emails],
        "timeout": "60",
    }
    where = ("POST", "api.zerobounce.net", "/v2/validatebatch")
    _, found = await sandbox.json(*where, json=body)
    assert [one["status"] for one in found["email_batch"]] == ["valid", "unknown", "do_not_mail"]
    [bill] = await bills(sandbox)
    assert bill["question"] == "email:ada@mailinator.com"
    status, _ = await sandbox.json(*where, json=body | {"timeout": 60})
    assert status == 400  # the vendor wants a text
    _, refused = await sandbox.json(*where, json=body | {"api_key": "real"})
    assert refused["errors"][0]["email_address"] == "all"

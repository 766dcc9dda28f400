"""What is kept of a password."""

from glaze.secrets.passwords import Passwords


async def test_a_password_is_kept_as_rfc_9106_recommends_where_memory_is_little():
    kept = await Passwords().hashed("correct horse battery staple")
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert await Passwords().matches(kept, "correct horse battery staple")
    assert not await Passwords().matches(kept, "correct horse")
